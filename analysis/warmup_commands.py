"""The commands that try one warmup: a search run of one length, and full training with it in front."""

from dataclasses import replace

from analysis.fix_commands import RUNNER_SOURCE, choose_series, join, lr_sweep_options, own_workload_command
from analysis.lr_words import number
from analysis.phases import train_steps
from analysis.results import Diagnosis
from analysis.runlog import Run, schema
from analysis.warmup_cost import WarmupBudget

SEARCH = "runners.warmup_sweep"


def search_command(diagnosis: Diagnosis, run: Run, base_lr: float, budget: WarmupBudget) -> str:
    """Returns the command that trains one warmup length to one learning rate and holds it there.

    Args:
        diagnosis: The study's diagnosis.
        run: A run of the series.
        base_lr: End of the ramp.
        budget: Length of the ramp, and of training.
    """
    if not is_ours(run):
        numbers = {"base_lr": base_lr, "warmup_steps": [budget.warmup_steps]}
        return own_workload_command("warmup", ["--study", diagnosis.study.name], run, numbers)
    options = ["--base-lr", number(base_lr), "--warmup-steps", str(budget.warmup_steps)]
    if budget.max_train_steps != train_steps(run):
        options += ["--max-train-steps", str(budget.max_train_steps)]
    return join(SEARCH, ["--study", diagnosis.study.name], choose_series(diagnosis, run), options)


def full_command(diagnosis: Diagnosis, run: Run, base_lr: float, budget: WarmupBudget, shape: str) -> str:
    """Returns the command that trains in full with the warmup in front; "" for a run that no runner trained.

    Args:
        diagnosis: The study's diagnosis.
        run: A run of the series.
        base_lr: End of the ramp.
        budget: Length of the ramp, and of training.
        shape: Schedule of the steps after the warmup.
    """
    if not is_ours(run):
        return ""
    changed = {schema.SCHEDULE: shape, schema.MAX_TRAIN_STEPS: budget.max_train_steps, schema.WARMUP_STEPS: 0}
    planned = replace(run, record={**run.record, **changed})
    options = lr_sweep_options(
        "warmup", diagnosis, planned, {"base_lr": base_lr, "warmup_steps": [budget.warmup_steps]}
    )
    return join("runners.lr_sweep", ["--study", diagnosis.study.name], options)


def is_ours(run: Run) -> bool:
    """Whether a runner trained a run, so that its record can be trained again."""
    return run.record.get(schema.SOURCE) == RUNNER_SOURCE and bool(run.record.get(schema.WORKLOAD))
