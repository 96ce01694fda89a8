"""Titles of cards and names of checks: fixed words, chosen by what was found, with their colors and icons."""

from analysis import words
from analysis.words import check_name

__all__ = ["check_name"]

OUTCOMES = {
    code: (words.OUTCOMES[code], *look)
    for code, look in {
        "found": ("orange", ":material/error:"),
        "clear": ("green", ":material/check_circle:"),
        "not-checked": ("gray", ":material/remove_circle_outline:"),
    }.items()
}
CHIPS = {"found": ("orange", ":material/trending_up:"), "unseen": ("violet", ":material/visibility_off:")}
LADDER = "ladder"  # the experiment that tries one fix after the other
FIX_NAMES = words.FIX_NAMES | {LADDER: "All fixes, in order"}
FIX_STATES = {
    state: (words.FIX_STATES[state], *look)
    for state, look in {
        "suggested": ("blue", ":material/experiment:"),
        "tried": ("gray", ":material/history:"),
        "failed": ("orange", ":material/error:"),
        "confirmed": ("green", ":material/check_circle:"),
    }.items()
}
LEDGER_VERDICTS = {
    "confirmed": ("Confirmed", "green", ":material/check_circle:"),
    "refuted": ("Refuted", "orange", ":material/error:"),
    "inconclusive": ("Inconclusive", "gray", ":material/help:"),
}
COMPARABILITY = {
    "replicates": ("Replicates", "blue", ":material/content_copy:"),
    "one-factor": ("One factor", "green", ":material/check_circle:"),
    "confounded": ("Confounded", "orange", ":material/error:"),
}
COMPARABILITY_SENTENCES = {
    "replicates": "They differ in the seed only: what you see is luck.",
    "one-factor": "They differ in one factor: a difference beyond luck is due to it.",
    "confounded": "They may not be compared yet: no difference has a single cause.",
}
SAMPLE_COMMANDS = "First `make demo`: it trains this sweep into your store, as study demo."
UPLOAD_COMMANDS = "These runs were read from files, not from the store: copy a command and start it in a terminal."
URL_COMMANDS = "The store is a URL, and experiments start only on a folder: copy a command and start it in a terminal."
OWN_COMMANDS = "Put the name of your own model into the command, then start it in a terminal."
OWN_CODE = (
    "These runs name a model of your own, and a server loads no code that a log names: copy the command, or set "
    "STEADYSTEP_EXPERIMENTS=on where you trust every log."
)
EXPERIMENTS_GO_ON = "What you try here trains on this machine, in turn, and goes on when you close the page."
EXPERIMENTS_OFF = (
    "This server starts no experiments (STEADYSTEP_EXPERIMENTS=off): copy a command and start it yourself."
)
EXPERIMENTS_NOT_LOCAL = (
    "This server can be reached from other machines, so it starts no experiments unless STEADYSTEP_EXPERIMENTS=on. "
    "Copy a command and start it yourself."
)
TRY_THIS = ("Try this", ":material/play_arrow:")
TRY_AGAIN = ("Continue", ":material/resume:")
EXPERIMENT_STATES = {
    "queued": ("Waiting", "gray", ":material/schedule:"),
    "running": ("Running", "blue", ":material/play_arrow:"),
    "stopping": ("Stopping", "gray", ":material/stop_circle:"),
    "done": ("Done", "blue", ":material/done_all:"),
    "failed": ("Failed", "orange", ":material/error:"),
    "cancelled": ("Cancelled", "gray", ":material/cancel:"),
    "lost": ("Lost", "orange", ":material/help:"),
}
EXPERIMENT_SENTENCES = {
    "running": "Starting",
    "stopping": "It ends after the current step",
    "cancelled": "Its rows are kept.",
    "lost": "It was killed, or the machine went down, before it could say how it ended. Its rows are kept.",
}
PAGE_OF_CHECK = {
    "edge-of-instability": "lr_sweep",
    "range-end": "lr_sweep",
    "double-check": "lr_sweep",
    "batch-size": "compare",
    "warmup-budget": "compare",
    "gradient-outliers": "grad_norm",
    "extreme-clipping": "clipping",
}  # every other check is shown by the loss
