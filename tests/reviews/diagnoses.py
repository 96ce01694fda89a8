"""A small diagnosis, as the command line prints it, whose words are hostile where logs can be."""

NAMES = (
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    '=HYPERLINK("http://example.org")',
    "<!channel> <@U024BE7LH> <http://example.org|here>",
    "'; DROP TABLE comments; --",
    "$x$ :red[y] ![b](http://example.org/x.png) www.example.org",
    "\u202eright to left\u202c e\u0301 \U0001f600",
)


def finding(code: str, outcome: str = "found", sentence: str = "It rises.") -> dict:
    return {"code": code, "outcome": outcome, "run_ids": ["a"], "sentence": sentence, "evidence": {}, "docs": code}


def fix(rank: int, name: str, state: str = "suggested") -> dict:
    return {"rank": rank, "fix": name, "state": state, "because": ["early-instability"], "sentence": f"Try {name}.",
            "numbers": {"max": "Infinity"}, "command": "python -m runners.probe", "fixed_when": "Steady."}  # fmt: skip


DIAGNOSIS = {
    "schema": "steadystep.diagnosis/1",
    "study": {"name": "gpt-small", "num_runs": 1, "sweeps": [{"sentence": "The best learning rate is at the edge."}]},
    "runs": [{"run_id": "a", "num_steps": 50, "name": "\x00 \ud800 " + NAMES[0]}],
    "findings": [
        finding("edge-of-instability"),
        finding("early-instability", sentence=f"{NAMES[0]} rises early."),
        finding("range-end", "clear"),
        finding("extreme-clipping", "not-checked"),
    ],
    "fixes": [fix(1, "warmup", "failed"), fix(2, "clipping"), fix(3, "optimizer", "confirmed"), fix(4, "lower-lr")],
    "skipped": [],
}
