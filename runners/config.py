"""RunConfig: everything that decides the numbers of a run, and nothing else."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from analysis.runlog import RunLogError, schema
from runners.schedules import SCHEDULES
from runners.update_rules import rule_options
from runners.workloads import read_variant
from runners.workloads.workload import read_options


@dataclass(frozen=True)
class RunConfig:
    """One training, fully determined: the same configuration gives the same rows.

    Attributes:
        workload: Built-in name or package.module:function.
        variant: Every option of the workload, by name.
        optimizer: Name of the update rule.
        optimizer_options: Every metaparameter of the rule, by name.
        base_lr: Plateau of the schedule.
        schedule: "constant", "linear" or "cosine".
        warmup_steps: Steps of linear warmup, prepended.
        clip_threshold: lambda of clipping by global norm, None for none.
        max_train_steps: Steps without warmup.
        seed: Seed of initialisation and data order.
    """

    workload: str
    optimizer: str
    base_lr: float
    max_train_steps: int
    variant: Mapping[str, object] = field(default_factory=dict)
    optimizer_options: Mapping[str, float] = field(default_factory=dict)
    schedule: str = "constant"
    warmup_steps: int = 0
    clip_threshold: float | None = None
    seed: int = 0

    def __post_init__(self):
        """Completes the options with their defaults and refuses what cannot be trained."""
        options = read_options(f"optimizer {self.optimizer}", rule_options(self.optimizer), self.optimizer_options)
        object.__setattr__(self, "variant", read_variant(self.workload, self.variant))
        object.__setattr__(self, "optimizer_options", options)
        if self.schedule not in SCHEDULES:
            raise RunLogError(f"no schedule {self.schedule!r}. Take one of {', '.join(SCHEDULES)}")
        for name, value, lowest in (
            (schema.MAX_TRAIN_STEPS, self.max_train_steps, 1),
            (schema.WARMUP_STEPS, self.warmup_steps, 0),
        ):
            if value < lowest:
                raise RunLogError(f"{name} is {value}. Give a whole number of at least {lowest}")
        for name, value in ((schema.BASE_LR, self.base_lr), (schema.CLIP_THRESHOLD, self.clip_threshold)):
            if value is not None and not (0 < value < math.inf):
                raise RunLogError(f"{name} is {value}. Give a positive number")

    @property
    def total_steps(self) -> int:
        """Steps of the whole run: the warmup is prepended."""
        return self.max_train_steps + self.warmup_steps

    @property
    def key(self) -> str:
        """Text that is equal for two configurations exactly where they give the same rows."""
        return json.dumps(asdict(self), sort_keys=True)

    def to_record(self) -> dict[str, object]:
        """Returns the metaparameters as fields of a run record; `train` adds the batch size."""
        return {
            schema.WORKLOAD: self.workload,
            schema.OPTIMIZER: self.optimizer,
            schema.BASE_LR: self.base_lr,
            schema.SCHEDULE: self.schedule,
            schema.WARMUP_STEPS: self.warmup_steps,
            **({} if self.clip_threshold is None else {schema.CLIP_THRESHOLD: self.clip_threshold}),
            schema.MAX_TRAIN_STEPS: self.max_train_steps,
            schema.SEED: self.seed,
            **self.variant,
            **self.optimizer_options,
        }


def config_from_record(record: Mapping[str, object]) -> RunConfig:
    """Returns the configuration that a run record of our runners describes.

    Args:
        record: Fields as `RunConfig.to_record` wrote them; facts are ignored.

    Raises:
        RunLogError: Where the record does not say enough to train the run again.
    """
    needed = (schema.WORKLOAD, schema.OPTIMIZER, schema.BASE_LR, schema.MAX_TRAIN_STEPS)
    missing = [name for name in needed if record.get(name) is None]
    if missing:
        run = record.get(schema.NAME) or record.get(schema.RUN_ID)
        raise RunLogError(
            f"run {run} does not say its {', '.join(missing)}. Take a study made by python -m runners.lr_sweep"
        )
    workload, optimizer = str(record[schema.WORKLOAD]), str(record[schema.OPTIMIZER])
    threshold = record.get(schema.CLIP_THRESHOLD)
    return RunConfig(
        workload=workload,
        optimizer=optimizer,
        base_lr=float(record[schema.BASE_LR]),
        max_train_steps=int(record[schema.MAX_TRAIN_STEPS]),
        variant={name: record[name] for name in read_variant(workload, {}) if name in record},
        optimizer_options={name: record[name] for name in rule_options(optimizer) if name in record},
        schedule=str(record.get(schema.SCHEDULE, "constant")),
        warmup_steps=int(record.get(schema.WARMUP_STEPS, 0)),
        clip_threshold=None if threshold is None else float(threshold),
        seed=int(record.get(schema.SEED, 0)),
    )
