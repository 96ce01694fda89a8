"""The line beside the study's name: how many runs, of what, logged how often."""

from collections.abc import Iterable

from analysis.results import Diagnosis
from analysis.runlog import schema


def describe_study(diagnosis: Diagnosis) -> str:
    """Returns the facts that all runs of a study share, in one line.

    The text quotes run records: show it through `shown`.
    """
    runs = diagnosis.study.runs
    shared = [
        one_of(run.record.get(schema.OPTIMIZER) for run in runs),
        one_of((run.record.get(schema.BATCH_SIZE) for run in runs), "batch {}"),
        one_of((run.record.get(schema.MAX_TRAIN_STEPS) for run in runs), "{:,} steps"),
    ]
    strides = sorted({run.log.stride for run in runs})
    often = "logged every step" if strides == [1] else f"logged every {strides[-1]:,} steps" if strides else ""
    count = f"{len(runs)} run{'s' * (len(runs) != 1)}"
    running = sum(run.record.get(schema.STATUS) == "running" for run in runs)
    state = f"{len(runs) - running} of {len(runs)} runs finished; the verdict can change" if running else count
    return "  ·  ".join(part for part in (state, ", ".join(filter(None, shared)), often) if part)


def one_of(values: Iterable[object], words: str = "{}") -> str:
    """Returns the value that all runs share, in words; "" where they differ or one is unknown."""
    found = set(values)
    return words.format(found.pop()) if len(found) == 1 and None not in found else ""
