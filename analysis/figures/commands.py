"""The one command that would make a figure which does not apply yet."""

from collections.abc import Sequence

from analysis.fix_commands import (
    REPAIRED,
    choose_series,
    command_for,
    is_ours,
    is_swept,
    join,
    lr_sweep_options,
    own_workload_command,
)
from analysis.results import Diagnosis, LrSweep, RunDiagnosis
from analysis.runlog import Run, schema

RANGE = "0.001:1:7"  # ours: two values a decade, where no learning rate is known
BROKEN = {"stride_resnet": "1x1", "cifar_wrn": "1x1", "mlp": "none", "charlm": "post", "deepres": "none"}  # REPAIRED's
PROBE = {"max_train_steps": 500}  # PLAYBOOK P4


def example_of(diagnosis: Diagnosis, sweep: LrSweep | None) -> Run:
    """Returns the run that a command repeats: of the sweep, else one of a runner's sweep, else the first."""
    ids = {mark.run_id for mark in sweep.runs} if sweep else set()

    def rank(judged: RunDiagnosis) -> tuple[bool, bool]:
        return judged.run.run_id not in ids, not is_swept(judged.run)

    return min(diagnosis.runs, key=rank).run


def sweep_command(
    diagnosis: Diagnosis, run: Run, rates: Sequence[float], fix: str = "", extra: Sequence[str] = ()
) -> str:
    """Returns the learning-rate sweep that repeats a run, or a model that only its owner can name.

    Args:
        diagnosis: The study.
        run: The run that is repeated.
        rates: Learning rates; none: a range of three decades.
        fix: "architecture" for the repaired twin of a built-in workload, "" for the workload as it is.
        extra: Further options.
    """
    numbers = {"base_lr": list(rates)}
    study, spread = ["--study", diagnosis.study.name], [] if rates else ["--base-lr", RANGE]
    if not is_ours(run):
        return " ".join([own_workload_command("", study, run, numbers), *spread, "--seeds", "3", *extra])
    options = lr_sweep_options(fix, diagnosis, run, numbers)
    return join("runners.lr_sweep", study, options, spread, list(extra))


def experiment_command(module: str, diagnosis: Diagnosis, run: Run, *options: str) -> str:
    """Returns the command of an experiment on the series of a run."""
    return join(module, ["--study", diagnosis.study.name], choose_series(diagnosis, run), list(options))


def probe_command(diagnosis: Diagnosis, run: Run, star: float | None) -> str:
    """Returns the probe: 500 steps at twice the best learning rate, or at the run's own where none is best."""
    rate = 2 * star if star else run.base_lr
    numbers = PROBE | ({"base_lr": float(f"{rate:.6g}")} if rate else {})
    if rate or is_ours(run):
        return command_for("probe", diagnosis, run, numbers)
    command = own_workload_command("probe", ["--study", diagnosis.study.name], run, numbers)
    return f"{command} --base-lr {RANGE}"


def variant_command(diagnosis: Diagnosis, run: Run, rates: Sequence[float]) -> str:
    """Returns the sweep of another variant: the twin of a built-in workload, an option to be named of any other."""
    workload = str(run.record.get(schema.WORKLOAD))
    if not is_ours(run) or workload not in REPAIRED:
        return sweep_command(diagnosis, run, rates, extra=["--variant", "NAME=VALUE"])
    name, value = REPAIRED[workload]
    if str(run.record.get(name)) != value:
        return sweep_command(diagnosis, run, rates, fix="architecture")
    return sweep_command(diagnosis, run, rates, extra=["--variant", f"{name}={BROKEN[workload]}"])
