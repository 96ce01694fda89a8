"""Running a coroutine while a browser test of the same process has an event loop of its own."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor


def run_apart(coroutine: Coroutine) -> object:
    """Runs a coroutine to its end in a thread without a running event loop, and returns what it returned."""
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(asyncio.run, coroutine).result()
