"""Headers that keep a page from loading, sending or being framed by anything foreign."""

from collections.abc import Awaitable, Callable, MutableMapping

# Streamlit's own page has one inline script and Vega compiles its expressions, hence both "unsafe" words; nothing
# from outside can be loaded, sent to, or put around the page.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "worker-src 'self' blob:",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}
HIDDEN_PATHS = ("/_stcore/metrics",)  # names of functions and sizes of caches are nobody's business

Message = MutableMapping[str, object]


class SecurityHeaders:
    """ASGI middleware: sets HEADERS on every answer and hides HIDDEN_PATHS."""

    def __init__(self, app: Callable[..., Awaitable[None]]):
        """Wraps an ASGI application."""
        self.app = app

    async def __call__(self, scope: Message, receive: Callable, send: Callable) -> None:
        """Passes a request on, and its answer back with the headers."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                ours = {key.lower().encode(): value.encode() for key, value in HEADERS.items()}
                kept = [pair for pair in message.get("headers", []) if pair[0].lower() not in ours]
                message = {**message, "headers": [*kept, *ours.items()]}
            await send(message)

        if scope["path"].rstrip("/") in HIDDEN_PATHS:
            await send_with_headers({"type": "http.response.start", "status": 404, "headers": []})
            await send({"type": "http.response.body", "body": b"not found"})
            return
        await self.app(scope, receive, send_with_headers)
