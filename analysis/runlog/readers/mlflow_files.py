"""MLflow's folder of a run, `mlruns/EXPERIMENT/RUN/`: `meta.yaml`, and a file for each metric and parameter."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from analysis.runlog import schema
from analysis.runlog.readers.mlflow_sqlite import SYSTEM
from analysis.runlog.readers.numbers import to_number
from analysis.runlog.readers.tracker_runs import Point, build_points_run
from analysis.runlog.study import Run, RunLogError

NAME = "mlflow files"
LOSES = "the step where none was given (all are 0); system metrics, tags; whether norms are before clipping"
ABOUT, METRICS, PARAMS, RUN_NAME = "meta.yaml", "metrics", "params", "tags/mlflow.runName"
MAX_TEXT = 6000  # MLflow's longest parameter


def recognises(path: Path, head: bytes) -> bool:
    """Returns whether the path is the folder of a run."""
    return path.is_dir() and (path / ABOUT).is_file() and (path / METRICS).is_dir()


def read(path: Path, column_map: Mapping[str, str] | None = None) -> tuple[Run, ...]:
    """Reads the run of a folder; the run_id is the name of the folder, which is MLflow's id of the run.

    Raises:
        RunLogError: A line of a metric is damaged, or there is no loss.
    """
    if not recognises(path, b""):
        raise RunLogError(
            f"{path.name} is no folder of a run ({ABOUT} and {METRICS}/ are needed). Choose another format"
        )
    points = [point for name, file in _list_files(path / METRICS) for point in _read_points(name, file)]
    if not points:
        raise RunLogError(f"{path.name} has no metrics. Log a loss")
    params = {name: file.read_text(errors="replace")[:MAX_TEXT] for name, file in _list_files(path / PARAMS)}
    name = path / RUN_NAME
    record = {
        schema.RUN_ID: path.name,
        schema.NAME: (name.read_text(errors="replace").strip() if name.is_file() else "") or path.name,
        schema.SOURCE: f"{NAME}: {path.name}",
    }
    return (build_points_run(points, path, record, params, column_map),)


def _list_files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yields the names below a folder, where train/loss is a file in a folder, but for those of the machine."""
    for file in sorted(folder.rglob("*")):
        name = file.relative_to(folder).as_posix()
        if file.is_file() and not file.is_symlink() and not name.startswith(SYSTEM):
            yield name, file


def _read_points(metric: str, file: Path) -> Iterator[Point]:
    """Yields the points of a metric: lines `timestamp value step`, without a step in old versions."""
    with file.open(errors="replace") as lines:
        for number, line in enumerate(lines, 1):
            parts = line.split()
            numbers = [to_number(part) for part in (*parts, "0")[1:3]]
            if len(parts) not in (2, 3) or None in numbers:
                raise RunLogError(
                    f"metric {metric} line {number}: {line.strip()[:60]!r} is no point. Fix or delete the line"
                )
            yield numbers[1], metric, numbers[0]
