"""How trackers keep runs: settings in folders, metrics as single points, and several runs in one place."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from analysis.runlog import schema
from analysis.runlog.readers.gathered_rows import GatheredRows, Reading, build_gathered_run, list_names
from analysis.runlog.readers.settings import find_settings
from analysis.runlog.study import Run, RunLogError

MAX_DEPTH = 8  # ours: folders within folders of a configuration

Point = tuple[float, str, object]  # step, metric, value


def flatten(config: Mapping[str, object], prefix: str = "config/", depth: int = 0) -> dict[str, object]:
    """Returns a configuration as one level, with names that say that it is one; names with a leading _ are left out.

    >>> flatten({"lr": 0.1, "model": {"depth": 4}, "_wandb": {"t": 1}})
    {'config/lr': 0.1, 'config/model_depth': 4}
    """
    flat: dict[str, object] = {}
    for name, value in config.items():
        if name.startswith("_"):
            continue
        if isinstance(value, Mapping) and depth < MAX_DEPTH:
            flat |= flatten(value, f"{prefix}{name}_", depth + 1)
        else:
            flat[prefix + name] = value
    return flat


def join_points(points: Sequence[Point]) -> Iterator[dict[str, object]]:
    """Yields rows with all metrics of a step, in the order in which a run and its later attempts logged them.

    A metric whose steps jump back was logged by a resumed run, wherever among the points the other metrics stand.
    """
    last: dict[str, tuple[int, float]] = {}
    numbered = []
    for step, metric, value in points:
        attempt, before = last.get(metric, (1, step))
        last[metric] = (attempt + (step < before), step)
        numbered.append((last[metric][0], step, metric, value))
    row, place = {}, None
    for attempt, step, metric, value in sorted(numbered, key=lambda point: point[:2]):
        if place != (attempt, step) or metric in row:
            if row:
                yield row
            row, place = {schema.STEP: step}, (attempt, step)
        row[metric] = value
    yield row


def build_points_run(
    points: Sequence[Point],
    path: Path,
    record: Mapping[str, object],
    config: Mapping[str, object],
    column_map: Mapping[str, str] | None,
) -> Run:
    """Returns the run of the points of its metrics, NaN included.

    Raises:
        RunLogError: There is no loss, or a step is no whole number from 0.
    """
    notes, facts = (), {}
    if len(points) > 1 and not any(step for step, _, _ in points):
        points, facts = number_points(points), {schema.STEP_UNIT: "log index"}
        notes = ("every point is at step 0, so no step was given; the order of the points of a metric counts as step",)
    rows = GatheredRows(path.name)
    for row in join_points(points):
        rows.add(row)
    settings = find_settings(flatten(config)).fields
    return build_gathered_run(rows, path, Reading({**settings, **record, **facts}, notes), column_map)


def number_points(points: Iterable[Point]) -> list[Point]:
    """Returns the points with their number within their metric as step."""
    counts: dict[str, int] = {}
    numbered = []
    for _, metric, value in points:
        numbered.append((counts.get(metric, 0), metric, value))
        counts[metric] = counts.get(metric, 0) + 1
    return numbered


def read_several(file: str, builds: Iterable[tuple[str, Callable[[], Run]]]) -> tuple[Run, ...]:
    """Returns the runs that can be built; the names of the others are noted.

    Raises:
        RunLogError: There are none, or none can be built, for the reason of the first.
    """
    runs: list[Run] = []
    refused: dict[str, RunLogError] = {}
    for name, build in builds:
        try:
            runs.append(build())
        except RunLogError as error:
            refused[name] = error
    if not runs:
        raise next(iter(refused.values()), RunLogError(f"{file} has no run that logged. Log at least one step"))
    if not refused:
        return tuple(runs)
    first = next(iter(refused.values()))
    note = f"runs of {file} that are left out: {list_names(list(refused))}; the first because {first}"
    return tuple(replace(run, log=replace(run.log, notes=(*run.log.notes, note))) for run in runs)
