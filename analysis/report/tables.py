"""The tables of a report as rows of words: runs, what differs between them, what they share, the numbers."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.focus import choose_control, choose_sweep, has_axis
from analysis.literal import name
from analysis.lr_words import number
from analysis.report.decisions import Review
from analysis.report.made_with import list_versions
from analysis.results import Diagnosis, Event, RunDiagnosis
from analysis.runlog import Run, schema
from analysis.series import ALONG_THE_AXIS, shorten_label, show
from analysis.series import series_key as setting_of
from analysis.side_by_side import compare_sweeps
from analysis.words import VERDICTS

MOST_RUNS = 200  # ours: five printed pages; more are read in the dashboard
PADDED = 20  # digits of a number in a label while labels are sorted
MOST_VALUES = 6  # ours: values of a metaparameter that are listed one by one


@dataclass(frozen=True)
class Table:
    """A table of words.

    Attributes:
        head: Names of the columns.
        rows: One tuple a row, as long as the head.
        right: Places of the columns that hold numbers.
        note: A sentence below, "" for none.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: tuple[int, ...] = ()
    note: str = ""


def table_of_numbers(diagnosis: Diagnosis) -> Table | None:
    """Returns the numbers behind the verdict, against the control; None where the study has no axis."""
    sweep = choose_sweep(diagnosis)
    if not has_axis(sweep) or sweep.lr_star is None:
        return None
    control = choose_control(diagnosis, sweep)
    rows = compare_sweeps(diagnosis, sweep, control)
    if control is None:
        return Table(("", "this study"), tuple(row[:2] for row in rows), (1,))
    pair = (shorten_label(sweep.series, [control.series]), shorten_label(control.series, [sweep.series]))
    return Table(("", *map(plain_label, pair)), tuple(rows), (1, 2))


def plain_label(label: str) -> str:
    """Returns a label of a series as people read it: "stride 1x1"."""
    return name(label.replace("=", " ").replace("_", " "))


def table_of_runs(diagnosis: Diagnosis) -> Table:
    """Returns one row a run, by series, learning rate and seed; at most 200."""
    finals = {mark.run_id: mark.objective for sweep in diagnosis.sweeps for mark in sweep.runs}
    objectives = {sweep.objective for sweep in diagnosis.sweeps}
    has_series = len({judged.series for judged in diagnosis.runs}) > 1
    ordered = sorted(diagnosis.runs, key=place_of)
    rows = []
    for judged in ordered[:MOST_RUNS]:
        base_lr, seed = judged.run.base_lr, judged.run.record.get(schema.SEED)
        row = [name(judged.run.name), plain_label(judged.series)] if has_series else [name(judged.run.name)]
        row += ["" if base_lr is None else number(base_lr), "" if seed is None else str(seed)]
        row += [VERDICTS[judged.verdict], say_events(judged), say_final(judged, finals)]
        rows.append(tuple(row))
    objective = objectives.pop() if len(objectives) == 1 else "final loss"
    head = ("run", *(["series"] if has_series else []), "learning rate", "seed", "verdict", "events", objective)
    left_out = len(ordered) - len(rows)
    note = f"{left_out} more runs are not listed." if left_out else ""
    return Table(head, tuple(rows), (len(head) - 5, len(head) - 4, len(head) - 1), note)


def place_of(judged: RunDiagnosis) -> tuple:
    """Returns what sorts a run: series, learning rate, seed."""
    run = judged.run
    return in_order(judged.series), run.base_lr or 0.0, in_order(str(run.record.get(schema.SEED))), run.run_id


def in_order(label: str) -> list[str]:
    """Returns what sorts a label by the numbers in it.

    >>> sorted(["steps=100", "steps=30"], key=in_order)
    ['steps=30', 'steps=100']
    """
    return [part.zfill(PADDED) if place % 2 else part for place, part in enumerate(re.split(r"([0-9]+)", label))]


def say_events(judged: RunDiagnosis) -> str:
    """Says what happened in a run, confirmed events first; "none" where nothing did."""
    ordered = sorted(judged.events, key=lambda event: (event.grade != "confirmed", event.onset_step))
    return "; ".join(map(say_event, ordered)) or "none"


def say_event(event: Event) -> str:
    """Says what an event was: "early, steps 1 to 40, recovered"."""
    suspected = "suspected, " if event.grade == "suspected" else ""
    kind = "stuck at chance" if event.rule == "stuck" else event.kind
    span = (
        f"from step {event.onset_step:,}"
        if event.recovery_step is None
        else f"steps {event.onset_step:,} to {event.recovery_step:,}"
    )
    outcome = {"not-recovered": "not recovered", "recovered": "recovered", "diverged": "diverged"}[event.outcome]
    return f"{suspected}{kind} {span}, {outcome}"


def say_final(judged: RunDiagnosis, finals: dict[str, float]) -> str:
    """Returns the final loss of a run as its sweep counts it, else the last logged one."""
    values = judged.run.loss[1]
    value = finals.get(judged.run.run_id, values[-1] if len(values) else None)
    if value is None:
        return "not logged"
    return number(value) if np.isfinite(value) else "not finite"


def split_settings(runs: Sequence[Run]) -> tuple[Table, Table]:
    """Returns two tables of metaparameters: those that differ between runs, and those that all runs share."""
    settings = [dict(setting_of(run)) | along_the_axis(run) for run in runs]
    differ, share = [], []
    for key in sorted({key for setting in settings for key in setting}):
        values = list(dict.fromkeys(setting.get(key) for setting in settings))
        row = (name(key.replace("_", " ")), say_values(values))
        (differ if len(values) > 1 else share).append(row)
    return Table(("metaparameter", "values"), tuple(differ)), Table(("metaparameter", "value"), tuple(share))


def along_the_axis(run: Run) -> dict[str, str]:
    """Returns learning rate and seed as a setting has its values: as JSON."""
    return {key: json.dumps(run.record[key], default=str) for key in ALONG_THE_AXIS if run.record.get(key) is not None}


def say_values(values: Sequence[str | None]) -> str:
    """Returns JSON values in words, each or as a range.

    >>> say_values(["0.1", "0.3"]), say_values(["3", "1", "2", "4", "5", "6", "7"]), say_values(['"adam"', None])
    ('0.1, 0.3', '1 to 7, 7 values', 'adam, none')
    """
    numbers = [as_number(value) for value in values]
    if None not in numbers:
        ordered = sorted(numbers)
        if len(ordered) > MOST_VALUES:
            return f"{say_number(ordered[0])} to {say_number(ordered[-1])}, {len(ordered)} values"
        return ", ".join(map(say_number, ordered))
    said = [name(show(value)) for value in values]
    more = f" and {len(said) - MOST_VALUES} more" if len(said) > MOST_VALUES else ""
    return ", ".join(said[:MOST_VALUES]) + more


def as_number(value: str | None) -> float | int | None:
    """Returns a JSON number, None for anything else."""
    shown = None if value is None else show(value)
    try:
        return None if shown is None or value.startswith('"') else (int(shown) if shown.isdigit() else float(shown))
    except ValueError:
        return None


def say_number(value: float) -> str:
    """Returns a number as people write it: counts with separators, others in three digits."""
    return f"{value:,}" if isinstance(value, int) else number(value)


def table_of_versions(diagnosis: Diagnosis, program: str, made_on: str) -> Table:
    """Returns what made the report and when, and the state of the study that it shows."""
    rows = [("Made", made_on), ("Fingerprint of the study", diagnosis.study.fingerprint)]
    rows += list_versions(program, diagnosis.study.runs)
    return Table(("", ""), tuple((name(key), value) for key, value in rows))


def table_of_decisions(review: Review) -> Table:
    """Returns one row per point of the agenda."""
    rows = tuple(
        (point.sentence, point.choice, point.owner, point.reason, point.decided_at[:10], point.proof)
        for point in review.points
    )
    return Table(("point", "decision", "owner", "reason", "on", "what came of it"), rows)
