"""The command that runs a suggested experiment, for runs of our runners and for imported ones."""

import json
import shlex

from analysis.lr_words import number
from analysis.results import Diagnosis
from analysis.runlog import Run, schema
from analysis.series import series_key

OWN_WORKLOAD = "my_package.my_module:my_workload"  # an imported log names no model that we could train
REPAIRED = {  # the repaired twin of a built-in workload: option and value
    "stride_resnet": ("stride", "2x2"),
    "mlp": ("norm", "layer"),
}
RUNNER_SOURCE = "runner"
ABSENT = "none"  # how a runner's --variant names a field that the record does not have


def command_for(fix: str, diagnosis: Diagnosis, run: Run, numbers: dict) -> str:
    """Returns the command line of an experiment.

    Args:
        fix: Name of the fix.
        diagnosis: The study's diagnosis; its runs tell which options choose the series.
        run: A run of the series that the fix is for.
        numbers: Numbers of the fix.
    """
    study = ["--study", diagnosis.study.name]
    if run.record.get(schema.SOURCE) != RUNNER_SOURCE:
        return own_workload_command(fix, study, run, numbers)
    if fix == "probe":
        return join("runners.probe", study, choose_series(diagnosis, run), rate(numbers))
    if fix == "warmup":
        lengths = ",".join(str(steps) for steps in numbers["warmup_steps"])
        return join(
            "runners.warmup_sweep", study, choose_series(diagnosis, run), rate(numbers), ["--warmup-steps", lengths]
        )
    return join("runners.lr_sweep", study, lr_sweep_options(fix, run, numbers))


def own_workload_command(fix: str, study: list[str], run: Run, numbers: dict) -> str:
    """Returns the command for a model of the user's own, which only they can name."""
    optimizer = str(run.record.get(schema.OPTIMIZER) or "momentum")
    options = ["--workload", OWN_WORKLOAD, "--optimizer", str(numbers.get("optimizer", optimizer)), *rate(numbers)]
    if fix == "probe":
        options += ["--max-train-steps", str(numbers["max_train_steps"])]
    if fix == "warmup":
        options += ["--warmup-steps", str(numbers["warmup_steps"][-1])]
    if fix == "clipping":
        options += ["--clip-threshold", number(numbers["clip_threshold"])]
    return join("runners.lr_sweep", study, options)


def lr_sweep_options(fix: str, run: Run, numbers: dict) -> list[str]:
    """Returns the options of `lr_sweep` that repeat a run with one factor changed."""
    record = run.record
    workload = str(record.get(schema.WORKLOAD))
    variant = dict(workload_options(run))
    if fix == "architecture" and workload in REPAIRED:
        name, value = REPAIRED[workload]
        variant[name] = value
    optimizer = str(numbers.get("optimizer") or record.get(schema.OPTIMIZER))
    options = ["--workload", workload]
    options += [part for name, value in sorted(variant.items()) for part in ("--variant", f"{name}={value}")]
    options += ["--optimizer", optimizer, *rate(numbers), "--seeds", "3"]
    options += ["--max-train-steps", str(record.get(schema.MAX_TRAIN_STEPS))]
    if fix == "clipping":
        options += ["--clip-threshold", number(numbers["clip_threshold"])]
    return [*options, "--resume"]


def workload_options(run: Run) -> dict[str, str]:
    """Returns the options of the workload that the record carries by their own name, as text."""
    known = {field.name for field in schema.RUN_FIELDS}
    return {name: str(run.record[name]) for name, _ in REPAIRED.values() if name in run.record and name not in known}


def choose_series(diagnosis: Diagnosis, run: Run) -> list[str]:
    """Returns the --variant options that tell a run's series from the other swept series of the study."""
    swept = [other.run for other in diagnosis.runs if not other.run.record.get(schema.PARENT_RUN)]
    keys = [dict(series_key(other)) for other in swept]
    own = dict(series_key(run))
    names = sorted({name for key in (own, *keys) for name in key})
    differing = [name for name in names if len({key.get(name) for key in (own, *keys)}) > 1]
    values = {name: json.loads(own[name]) if name in own else ABSENT for name in differing}
    return [part for name, value in values.items() for part in ("--variant", f"{name}={value}")]


def rate(numbers: dict) -> list[str]:
    """Returns --base-lr with the learning rate or rates of a fix, nothing where unknown."""
    value = numbers.get("base_lr")
    if not value:
        return []
    values = value if isinstance(value, list) else [value]
    return ["--base-lr", ",".join(number(each) for each in values)]


def join(module: str, *parts: list[str]) -> str:
    """Returns the command line, quoted for a shell."""
    return "python -m " + module + " " + " ".join(shlex.quote(part) for group in parts for part in group)
