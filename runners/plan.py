"""What is to be trained: the runs of a sweep, those of them that are done, and how long the rest will take."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from analysis.runlog import RunLogError, Study, layout, live, schema
from runners.config import RunConfig, config_from_record
from runners.train import train

SOURCE = "runner"
TIMED_STEPS = 20  # ours: steps trained to estimate the time of a plan
UNTIMED_STEPS = 5  # ours: the first of them, in which libraries warm up


@dataclass(frozen=True)
class PlannedRun:
    """A run to train.

    Attributes:
        config: What decides its numbers.
        name: What people call it.
        facts: Further fields of the run record (command, parent_run, changed).
        run_id: The interrupted run it continues, None for a new run.
    """

    config: RunConfig
    name: str
    facts: Mapping[str, object] = field(default_factory=dict)
    run_id: str | None = None


def plan_runs(configs: Sequence[RunConfig], **facts: object) -> list[PlannedRun]:
    """Returns the runs of these configurations, named by what differs between them."""
    fields = [config.to_record() for config in configs]
    varying = [name for name in fields[0] if len({repr(record.get(name)) for record in fields}) > 1]
    shown = [name for name in varying if name not in (schema.BASE_LR, schema.SEED)] + [schema.BASE_LR, schema.SEED]
    return [PlannedRun(config, name_run(record, shown), facts) for config, record in zip(configs, fields, strict=True)]


def name_run(record: Mapping[str, object], shown: Sequence[str]) -> str:
    """Returns what people call a run: the metaparameters shown, with their values."""
    return " ".join(f"{name}={_show(record.get(name))}" for name in shown)


def _show(value: object) -> str:
    return f"{value:.2g}" if isinstance(value, float) else str(value)


def split_done(plan: Sequence[PlannedRun], study: Study, resume: bool) -> tuple[list[PlannedRun], list[str]]:
    """Returns the runs left to train, and the run_ids of those that are done.

    Args:
        plan: All runs.
        study: What the store holds.
        resume: Skip runs that have ended, continue the interrupted ones.

    Raises:
        RunLogError: Without `resume`, where the study already holds one of the runs; with it, where another process
            is training one of them.
    """
    existing = find_existing(study)
    known = [existing[planned.config.key] for planned in plan if planned.config.key in existing]
    if known and not resume:
        raise RunLogError(
            f"study {study.name} already holds {len(known)} of these {len(plan)} runs. "
            "Add --resume to complete it, or take another --study"
        )
    running = [str(record[schema.RUN_ID]) for record in known if record.get(schema.STATUS) == "running"]
    if running:
        raise RunLogError(
            f"another process is training {len(running)} of these runs ({running[0]}). Stop it or wait for it"
        )
    left, done = [], []
    for planned in plan:
        record = existing.get(planned.config.key)
        if record is None:
            left.append(planned)
        elif record.get(schema.STATUS) in schema.ENDED:
            done.append(str(record[schema.RUN_ID]))
        else:
            left.append(replace(planned, run_id=str(record[schema.RUN_ID])))
    return left, done


def find_existing(study: Study) -> dict[str, Mapping[str, object]]:
    """Returns the records of the runs that our runners trained, by configuration key; of equal ones one that ended."""
    mine = [record for record in _records(study) if record.get(schema.SOURCE) == SOURCE]
    mine.sort(key=lambda record: (record.get(schema.STATUS) in schema.ENDED, str(record[schema.RUN_ID])))
    return {config_from_record(record).key: record for record in mine}


def _records(study: Study) -> Iterator[Mapping[str, object]]:
    """Yields all run records, also those of runs that were killed before their first row."""
    yield from (run.record for run in study)
    for skipped in study.skipped:
        folder = Path(skipped.path)
        if (folder / layout.RUN_FILE).exists() and not (folder / layout.SEALED_FILE).exists():
            record = live.read_record(folder)
            yield record if layout.is_being_written(folder) else record | {schema.STATUS: "interrupted"}


class MemoryWriter:
    """A run writer that keeps its rows in memory."""

    def __init__(self):
        """Starts without rows."""
        self.rows: list[dict[str, float]] = []
        self.record: dict[str, object] = {}

    def step(self, step: int, **metrics: float) -> None:
        """Keeps row `step`."""
        self.rows.append({schema.STEP: step, **metrics})

    def update(self, **fields: object) -> None:
        """Keeps fields of the run record."""
        self.record.update(fields)

    def finish(self, status: str) -> None:
        """Keeps the status."""
        self.record[schema.STATUS] = status


def estimate_seconds(plan: Iterable[PlannedRun], jobs: int) -> float:
    """Returns the time a plan will take, from timing a few steps of each distinct workload."""
    step_seconds: dict[str, float] = {}
    total = 0.0
    for planned in plan:
        config = planned.config
        kind = repr(asdict(replace(config, base_lr=1, seed=0, max_train_steps=1, warmup_steps=0, clip_threshold=None)))
        if kind not in step_seconds:
            step_seconds[kind] = _time_step(config)
        total += step_seconds[kind] * config.total_steps
    return total / jobs


def _time_step(config: RunConfig) -> float:
    writer = MemoryWriter()
    train(replace(config, base_lr=1e-6, schedule="constant", warmup_steps=0, max_train_steps=TIMED_STEPS), writer)
    first, last = writer.rows[UNTIMED_STEPS], writer.rows[-1]
    return (last[schema.ELAPSED_SECONDS] - first[schema.ELAPSED_SECONDS]) / (len(writer.rows) - 1 - UNTIMED_STEPS)
