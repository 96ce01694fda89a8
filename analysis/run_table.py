"""The runs of a study as a table: one row a run, with what it is, what became of it, and the shape of its loss."""

import json
import re
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analysis.literal import name
from analysis.results import Diagnosis, Event, LrSweep, RunDiagnosis
from analysis.runlog import Run, RunLogError
from analysis.series import ALONG_THE_AXIS, series_key, show
from analysis.thinning import thin

SPARK_POINTS = 40
MOST_ABOVE = 3.0  # decades above the usual start; ours, as in pictures of losses: a sparkline shows shapes
LONGEST_PATTERN = 200  # letters
SERIES = "series"


def tabulate_runs(diagnosis: Diagnosis, names: Mapping[str, str]) -> pd.DataFrame:
    """Tabulates the runs of a study.

    Args:
        diagnosis: The study, judged.
        names: What each run is called, by run_id.

    Returns:
        One row per run, in the order of the study: run_id, name, series, base_lr (NaN where unknown), verdict, events
        (words), final_loss (infinity where it is not finite, NaN where none was logged), loss (logarithms of at most
        40 losses), and text, which is searched.
    """
    sparks = spark_lines([judged.run for judged in diagnosis.runs])
    rows = []
    for judged, spark in zip(diagnosis.runs, sparks, strict=True):
        run, events = judged.run, say_events(judged.confirmed)
        said = ", ".join(f"{key}={value}" for key, value in metaparameters(run).items())
        series = name(judged.series)
        rows.append(
            {
                "run_id": run.run_id,
                "name": names[run.run_id],
                "series": series,
                "base_lr": np.nan if run.base_lr is None else run.base_lr,
                "verdict": judged.verdict,
                "events": events,
                "final_loss": final_loss(run),
                "loss": spark,
                "text": f"{names[run.run_id]} {series} {judged.verdict} {events} {said}",
            }
        )
    return pd.DataFrame(rows)


def metaparameters(run: Run) -> dict[str, str]:
    """Returns the metaparameters of a run, base_lr and seed included, as people write them."""
    found = dict(series_key(run))
    found |= {key: json.dumps(run.record[key]) for key in ALONG_THE_AXIS if run.record.get(key) is not None}
    return {key: show(value) for key, value in found.items()}


def say_events(events: Sequence[Event]) -> str:
    """Says the first event of a run, and how many there are.

    >>> say_events([])
    'none'
    """
    if not events:
        return "none"
    first = events[0]
    more = f", {len(events) - 1} more" if len(events) > 1 else ""
    if first.rule == "stuck":
        return f"stays at chance{more}"
    return f"{first.kind.replace('-', ' ')} at step {first.onset_step:,}, {first.outcome.replace('-', ' ')}{more}"


def final_loss(run: Run) -> float:
    """Returns the last logged loss: infinity where it is not finite, NaN without any."""
    _, values = run.loss
    if not len(values):
        return float("nan")
    return float(values[-1]) if np.isfinite(values[-1]) else float("inf")


def spark_lines(runs: Sequence[Run]) -> list[list[float]]:
    """Returns at most 40 losses of each run, without losing a spike, as logarithms to base 10.

    What is not finite is left out; of a run with a loss at or below zero, the losses themselves are taken.
    """
    starts = [run.loss[1][0] for run in runs if len(run.loss[1])]
    usual = [value for value in starts if np.isfinite(value) and value > 0]
    top = float(np.log10(np.median(usual))) + MOST_ABOVE if usual else np.inf
    return [_spark(run.loss[1], top) for run in runs]


def _spark(values: np.ndarray, top: float) -> list[float]:
    values = values[np.isfinite(values)]
    kept = values[thin(values, SPARK_POINTS - 2)][:SPARK_POINTS]
    if len(kept) and kept.min() > 0:
        kept = np.minimum(np.log10(kept), top)
    return [round(float(value), 4) for value in kept]


def differing(diagnosis: Diagnosis) -> list[str]:
    """Returns the metaparameters in which the runs of a study differ."""
    every = [metaparameters(judged.run) for judged in diagnosis.runs]
    return [key for key in sorted(set().union(*every)) if len({each.get(key) for each in every}) > 1]


def say_differences(diagnosis: Diagnosis, baseline: str) -> dict[str, str]:
    """Says in which metaparameters each run differs from a baseline, by run_id."""
    base = metaparameters(diagnosis.study.by_id[baseline])
    said = {}
    for judged in diagnosis.runs:
        own = metaparameters(judged.run)
        pairs = [(key, own.get(key, "none"), base.get(key, "none")) for key in sorted(own.keys() | base.keys())]
        parts = [f"{key.replace('_', ' ')} {mine}, not {other}" for key, mine, other in pairs if mine != other]
        same = "the baseline" if judged.run.run_id == baseline else "nothing"
        said[judged.run.run_id] = name("; ".join(parts)) if parts else same
    return said


def choose_baseline(diagnosis: Diagnosis, sweep: LrSweep | None) -> str:
    """Returns the first run at the best learning rate, else the first that is stable, else the first."""
    best = [run.run_id for run in sweep.runs if run.base_lr == sweep.lr_star] if sweep else []
    stable = [judged.run.run_id for judged in diagnosis.runs if judged.verdict == "stable"]
    return [*best, *stable, diagnosis.runs[0].run.run_id][0]


def group_of(judged: RunDiagnosis, by: str) -> str:
    """Returns the group of a run: its series, or its value of a metaparameter."""
    return name(judged.series if by == SERIES else metaparameters(judged.run).get(by, "none"))


def search(texts: Sequence[str], pattern: str) -> np.ndarray:
    """Finds the texts that hold a plain text or match a regular expression, capitals or not.

    Args:
        texts: What is searched, shape (n,).
        pattern: Plain text, or an expression in the syntax of RE2, which takes time in proportion to the text, so
            that no pattern can hold up a server.

    Returns:
        One boolean a text, shape (n,).

    Raises:
        RunLogError: The pattern is neither found as it is nor an expression.

    >>> search(["lr=0.1 stable", "lr=1 unstable"], "^lr=1 ").tolist()
    [False, True]
    """
    pattern = pattern.strip()
    plain = np.array([pattern.lower() in text.lower() for text in texts], bool)
    if not pattern or re.escape(pattern) == pattern:
        return plain
    if len(pattern) > LONGEST_PATTERN:
        raise RunLogError(f"The filter has {len(pattern)} letters. Up to {LONGEST_PATTERN} are searched. Shorten it")
    try:
        found = pc.match_substring_regex(pa.array(texts, pa.string()), pattern, ignore_case=True)
    except pa.ArrowInvalid as error:
        if plain.any():
            return plain
        why = str(error).removeprefix("Invalid regular expression: ")
        raise RunLogError(
            f"The filter {pattern!r} is no regular expression ({why}) and no run holds it as text. Change it"
        ) from error
    return plain | found.to_numpy(zero_copy_only=False).astype(bool)
