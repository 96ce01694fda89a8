"""RunConfig: everything that decides the numbers of a run, and nothing else."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from analysis.clip_rules import GLOBAL_NORM
from analysis.runlog import RunLogError, schema
from runners.clip_rules import clip_options, make_clip_rule
from runners.schedules import SCHEDULES
from runners.update_rules import rule_options
from runners.workloads import read_variant
from runners.workloads.workload import read_options

CLIP_OPTION = "clip_"  # in a run record, before the name of an option of the clip rule


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
        clip_rule: "global_norm", or the name of an adaptive rule, which takes the place of the threshold.
        clip_options: Every option of the adaptive rule, by name.
        update_clip_threshold: Largest norm of an update, None for no limit.
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
    clip_rule: str = GLOBAL_NORM
    clip_options: Mapping[str, float] = field(default_factory=dict)
    update_clip_threshold: float | None = None
    seed: int = 0

    def __post_init__(self):
        """Completes the options with their defaults and refuses what cannot be trained."""
        options = read_options(f"optimizer {self.optimizer}", rule_options(self.optimizer), self.optimizer_options)
        object.__setattr__(self, "variant", read_variant(self.workload, self.variant))
        object.__setattr__(self, "optimizer_options", options)
        clipping = read_options(f"clip rule {self.clip_rule}", clip_options(self.clip_rule), self.clip_options)
        object.__setattr__(self, "clip_options", clipping)
        if self.schedule not in SCHEDULES:
            raise RunLogError(f"no schedule {self.schedule!r}. Take one of {', '.join(SCHEDULES)}")
        for name, value, lowest in (
            (schema.MAX_TRAIN_STEPS, self.max_train_steps, 1),
            (schema.WARMUP_STEPS, self.warmup_steps, 0),
        ):
            if value < lowest:
                raise RunLogError(f"{name} is {value}. Give a whole number of at least {lowest}")
        for name in (schema.BASE_LR, schema.CLIP_THRESHOLD, schema.UPDATE_CLIP_THRESHOLD):
            value = getattr(self, name)
            if value is not None and not (0 < value < math.inf):
                raise RunLogError(f"{name} is {value}. Give a positive number")
        if self.clip_rule != GLOBAL_NORM and self.clip_threshold is not None:
            raise RunLogError(
                f"clip_threshold is {self.clip_threshold}, but clip rule {self.clip_rule} takes none. Leave out one"
            )
        make_clip_rule(self)

    @property
    def total_steps(self) -> int:
        """Steps of the whole run: the warmup is prepended."""
        return self.max_train_steps + self.warmup_steps

    @property
    def clips_gradient(self) -> bool:
        """Whether a rule may change the gradient."""
        return self.clip_rule != GLOBAL_NORM or self.clip_threshold is not None

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
            **self._clipping(),
            schema.MAX_TRAIN_STEPS: self.max_train_steps,
            schema.SEED: self.seed,
            **self.variant,
            **self.optimizer_options,
        }

    def _clipping(self) -> dict[str, object]:
        """Returns the fields of the clipping that is configured, none where none is."""
        limits = {name: getattr(self, name) for name in (schema.CLIP_THRESHOLD, schema.UPDATE_CLIP_THRESHOLD)}
        rule = {} if self.clip_rule == GLOBAL_NORM else {schema.CLIP_RULE: self.clip_rule}
        options = {CLIP_OPTION + name: value for name, value in self.clip_options.items()}
        return {name: value for name, value in limits.items() if value is not None} | rule | options


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
    rule = str(record.get(schema.CLIP_RULE, GLOBAL_NORM))
    return RunConfig(
        workload=workload,
        optimizer=optimizer,
        base_lr=float(record[schema.BASE_LR]),
        max_train_steps=int(record[schema.MAX_TRAIN_STEPS]),
        variant={name: record[name] for name in read_variant(workload, {}) if name in record},
        optimizer_options={name: record[name] for name in rule_options(optimizer) if name in record},
        schedule=str(record.get(schema.SCHEDULE, "constant")),
        warmup_steps=int(record.get(schema.WARMUP_STEPS, 0)),
        clip_threshold=_number(record, schema.CLIP_THRESHOLD),
        clip_rule=rule,
        clip_options={name: record[CLIP_OPTION + name] for name in clip_options(rule) if CLIP_OPTION + name in record},
        update_clip_threshold=_number(record, schema.UPDATE_CLIP_THRESHOLD),
        seed=int(record.get(schema.SEED, 0)),
    )


def _number(record: Mapping[str, object], name: str) -> float | None:
    value = record.get(name)
    return None if value is None else float(value)
