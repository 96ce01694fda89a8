"""Turns a study back into configurations: the series that a further experiment starts from."""

import itertools
from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from analysis.runlog import RunLogError, Study, schema
from runners.command_line import read_clipping
from runners.config import RunConfig, config_from_record
from runners.plan import SOURCE, PlannedRun, name_run

OVERRIDES = (schema.MAX_TRAIN_STEPS, schema.SCHEDULE, schema.WARMUP_STEPS, schema.UPDATE_CLIP_THRESHOLD)


@dataclass(frozen=True)
class BaselineRun:
    """A run of the study that may be varied."""

    run_id: str
    config: RunConfig


def choose_series(study: Study, variant: Mapping[str, Sequence[str]]) -> list[BaselineRun]:
    """Returns the runs of one series of a study: those that agree in everything but base_lr and seed.

    Runs that themselves vary another run (probes, warmup sweeps) are left out.

    Args:
        study: The study.
        variant: Values by name of any metaparameter of the run records, as text; it tells series apart. `none` is
            the value of one that a record does not have, as in clip_threshold=none.

    Raises:
        RunLogError: Where no series is left, or more than one.
    """
    fresh = [run for run in study if run.record.get(schema.SOURCE) == SOURCE and not run.record.get(schema.PARENT_RUN)]
    if not fresh:
        raise RunLogError(f"study {study.name} has no runs of our runners. Make some with python -m runners.lr_sweep")
    chosen = [run.record for run in fresh if all(_text(run.record, name) in values for name, values in variant.items())]
    groups: dict[str, list[BaselineRun]] = {}
    for record in chosen:
        config = config_from_record(record)
        group = groups.setdefault(replace(config, base_lr=1, seed=0).key, [])
        group.append(BaselineRun(str(record[schema.RUN_ID]), config))
    if len(groups) != 1:
        found = "no series" if not groups else f"{len(groups)} series"
        asked = ", ".join(f"{name}={','.join(values)}" for name, values in variant.items())
        raise RunLogError(
            f"study {study.name} has {found}{' with ' + asked if asked else ''}. Choose one by --variant: "
            f"{_differences([run.record for run in fresh]) or 'leave it out'}"
        )
    return next(iter(groups.values()))


def _text(record: Mapping[str, object], name: str) -> str:
    value = record.get(name)
    return "none" if value is None else str(value)


def _differences(records: Sequence[Mapping[str, object]]) -> str:
    """Returns the metaparameters that differ, with their values, as options."""
    ignored = schema.FACTS | {schema.BASE_LR, schema.SEED}
    names = dict.fromkeys(name for record in records for name in record if name not in ignored)
    values = {name: sorted({_text(record, name) for record in records}) for name in names}
    return ", ".join(f"{name}={' or '.join(found)}" for name, found in values.items() if len(found) > 1)


def nearest_run(series: Sequence[BaselineRun], base_lr: float, seed: int) -> BaselineRun:
    """Returns the run with the nearest base learning rate (as a ratio), of the same seed where there is one."""
    return min(series, key=lambda run: (_ratio(run.config.base_lr, base_lr), run.config.seed != seed, run.config.seed))


def _ratio(first: float, second: float) -> float:
    return max(first / second, second / first)


def vary(series: Sequence[BaselineRun], change: Mapping[str, object], arguments: Namespace, seed: int) -> RunConfig:
    """Returns a configuration of the series with a change.

    Args:
        series: Where everything that is not changed comes from.
        change: Fields of RunConfig by name; `variant` adds to the options of the series.
        arguments: Values of the common options; those that were given win over the series, the change over both.
        seed: Seed of the run.
    """
    given = {name: getattr(arguments, name) for name in OVERRIDES if getattr(arguments, name) is not None}
    fields = given | read_clipping(arguments) | dict(change) | {schema.SEED: seed}
    if "variant" in change:
        fields["variant"] = {**series[0].config.variant, **change["variant"]}
    return replace(series[0].config, **fields)


def plan_variations(
    series: Sequence[BaselineRun],
    changes: Sequence[Mapping[str, object]],
    arguments: Namespace,
    seeds: Sequence[int],
    facts: Mapping[str, object],
) -> list[PlannedRun]:
    """Returns the runs that vary a series, for each seed, with the run each of them varies on record.

    Args:
        series: Where everything that is not changed comes from.
        changes: Fields of RunConfig by name, one mapping a variation.
        arguments: Values of the common options.
        seeds: Seeds of each variation.
        facts: Further fields of the run records: `changed`, the metaparameter that the experiment is about, `command`.
    """
    plan = []
    for seed, change in itertools.product(seeds, changes):
        config = vary(series, change, arguments, seed)
        parent = nearest_run(series, config.base_lr, seed)
        record, before = config.to_record(), parent.config.to_record()
        told = [name for name in (facts[schema.CHANGED], schema.MAX_TRAIN_STEPS) if record[name] != before.get(name)]
        name = name_run(record, [*dict.fromkeys([*told, schema.BASE_LR, schema.SEED])])
        plan.append(PlannedRun(config, name, {**facts, schema.PARENT_RUN: parent.run_id}))
    return plan
