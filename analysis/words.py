"""Names of checks, outcomes, fixes and verdicts as people read them, on pages and in reports."""

import re

OUTCOMES = {"found": "Found", "clear": "Clear", "not-checked": "Not checked"}
FIX_NAMES = {
    "probe": "The 500-step probe at twice the best learning rate",
    "warmup": "Learning-rate warmup",
    "clipping": "Gradient clipping",
    "optimizer": "Another optimizer",
    "architecture": "A steadier architecture",
    "lower-lr": "A lower learning rate, the last resort",
}
FIX_STATES = {
    "suggested": "To try",
    "tried": "Tried",
    "failed": "Did not hold",
    "confirmed": "Verified by experiment",
}
VERDICTS = {"stable": "steady", "unstable": "unstable", "cannot-tell": "cannot tell"}


def check_name(code: str) -> str:
    """Returns the name of a check as people read it.

    >>> check_name("edge-of-instability"), check_name("non-finite"), check_name("mid-training-instability")
    ('Edge of instability', 'Not finite', 'Mid-training instability')
    """
    return re.sub("(?<!mid)-", " ", code.replace("non-", "not ")).capitalize()
