"""The command that runs a suggested experiment, for runs of our runners and for imported ones."""

import itertools
import json
import shlex
from collections.abc import Mapping, Sequence

from analysis.lr_words import number
from analysis.results import Diagnosis, Fix
from analysis.runlog import Run, schema
from analysis.series import series_key

OWN_WORKLOAD = "my_package.my_module:my_workload"  # an imported log names no model that we could train
REPAIRED = {  # PLAYBOOK P6: the repaired twin of a built-in workload, option and value
    "stride_resnet": ("stride", "2x2"),
    "cifar_wrn": ("stride", "2x2"),
    "mlp": ("norm", "layer"),
    "charlm": ("norm", "res_post"),  # x + Norm(f(x))
    "deepres": ("norm", "pre"),  # normalisation where it is missing
}
RUNNER_SOURCE = "runner"
OPTIMIZER_OPTIONS = ("gamma", "rho", "beta1", "beta2", "eps")  # PLAYBOOK P9: the symbols of the update rules
CLIP_OPTION = "clip_"  # before the name of an option of an adaptive clip rule, as schema.CLIP_RULE says
CARRIED = {  # fields of a record by the option of `lr_sweep` that repeats them
    schema.SCHEDULE: "--schedule",
    schema.WARMUP_STEPS: "--warmup-steps",
    schema.UPDATE_CLIP_THRESHOLD: "--update-clip-threshold",
}
CLIPPING = {schema.CLIP_THRESHOLD: "--clip-threshold", schema.CLIP_RULE: "--clip-rule"}
PLAIN = (None, 0, "constant")  # values of them that need no option
EXPERIMENTS = {  # the command that tries a fix on a sweep; it finds its numbers in the study
    "warmup": "runners.warmup_sweep",
    "clipping": "runners.clip_sweep",
    "optimizer": "runners.optimizer_swap",
    "architecture": "runners.architecture_swap",
    "lower-lr": "runners.lower_lr",
}
LADDER = "runners.fix_sweep"
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
    if any(sweep.unstable_base_lr and run.run_id in {mark.run_id for mark in sweep.runs} for sweep in diagnosis.sweeps):
        return join(EXPERIMENTS[fix], study, choose_series(diagnosis, run))
    if not is_ours(run):
        return own_workload_command(fix, study, run, numbers)
    return join("runners.lr_sweep", study, lr_sweep_options(fix, diagnosis, run, numbers))


def is_ours(run: Run) -> bool:
    """Whether a runner trained a run and said with what, so that `lr_sweep` can repeat it."""
    told = (schema.WORKLOAD, schema.OPTIMIZER, schema.MAX_TRAIN_STEPS)
    return run.record.get(schema.SOURCE) == RUNNER_SOURCE and all(run.record.get(name) is not None for name in told)


def ladder_command(fixes: Sequence[Fix]) -> str:
    """Returns the command that tries fixes in their order until one holds; "" where none of our experiments does."""
    for fix in fixes:
        alone = f"python -m {EXPERIMENTS.get(fix.fix)} "
        if fix.command.startswith(alone):
            return fix.command.replace(alone, f"python -m {LADDER} ", 1)
    return ""


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


def lr_sweep_options(fix: str, diagnosis: Diagnosis, run: Run, numbers: dict) -> list[str]:
    """Returns the options of `lr_sweep` that repeat a run with one factor changed."""
    record = run.record
    workload, optimizer = str(record.get(schema.WORKLOAD)), str(record.get(schema.OPTIMIZER))
    variant = workload_options(diagnosis, run)
    if fix == "architecture" and workload in REPAIRED:
        name, value = REPAIRED[workload]
        variant[name] = value
    options = ["--workload", workload, *pairs("--variant", variant)]
    if fix == "optimizer":
        options += ["--optimizer", str(numbers["optimizer"])]
    else:
        rule = {name: record[name] for name in OPTIMIZER_OPTIONS if name in record}
        options += ["--optimizer", optimizer, *pairs("--optimizer-option", rule)]
    options += [*rate(numbers), "--seeds", "3", "--max-train-steps", str(record.get(schema.MAX_TRAIN_STEPS))]
    if fix == "clipping":
        return [*options, *carry(record, CARRIED), "--clip-threshold", number(numbers["clip_threshold"]), "--resume"]
    rule = {name.removeprefix(CLIP_OPTION): record[name] for name in own_names(record) if is_clip_option(name)}
    options += [*carry(record, CARRIED | CLIPPING), *pairs("--clip-option", rule)]
    if fix == "warmup":
        options += ["--warmup-steps", str(numbers["warmup_steps"][-1])]
    return [*options, "--resume"]


def workload_options(diagnosis: Diagnosis, run: Run) -> dict[str, object]:
    """Returns the options of the workload, which a record of our runners carries by their own names.

    They are what is left of a record without the fields of the run log, the metaparameters of the optimizer and those
    of the clip rule. The batch size is on record whether or not it is an option: it is one where a command gave it.
    """
    record = run.record
    names = [name for name in own_names(record) if name not in OPTIMIZER_OPTIONS and not is_clip_option(name)]
    commands = [
        str(other.run.record.get(schema.COMMAND))
        for other in diagnosis.runs
        if other.run.record.get(schema.WORKLOAD) == record.get(schema.WORKLOAD)
    ]
    if any(f"{schema.BATCH_SIZE}=" in command for command in commands):
        names.append(schema.BATCH_SIZE)
    return {name: record[name] for name in names}


def own_names(record: Mapping[str, object]) -> list[str]:
    """Returns the names of the metaparameters that are no field of the run log."""
    known = {field.name for field in schema.RUN_FIELDS}
    return [name for name, value in record.items() if name not in known and value is not None]


def is_clip_option(name: str) -> bool:
    """Whether a field holds an option of an adaptive clip rule."""
    return name.startswith(CLIP_OPTION)


def carry(record: Mapping[str, object], flags: Mapping[str, str]) -> list[str]:
    """Returns the options that repeat fields of a record."""
    given = {flag: record.get(name) for name, flag in flags.items() if record.get(name) not in PLAIN}
    return [part for flag, value in given.items() for part in (flag, str(value))]


def pairs(flag: str, values: Mapping[str, object]) -> list[str]:
    """Returns `flag name=value` for each value, sorted by name."""
    return [part for name, value in sorted(values.items()) for part in (flag, f"{name}={value}")]


def choose_series(diagnosis: Diagnosis, run: Run) -> list[str]:
    """Returns the fewest --variant options that tell a run's series from the other swept series of the study.

    Of as many, those that the run has and that come first in the run log: `optimizer=momentum` rather than `rho=none`.
    """
    swept = [other.run for other in diagnosis.runs if is_swept(other.run)]
    own = dict(series_key(run))
    others = [key for key in (dict(series_key(other)) for other in swept) if key != own]
    order = [field.name for field in schema.RUN_FIELDS]
    names = sorted(
        {name for key in others for name in own.keys() | key.keys() if own.get(name) != key.get(name)},
        key=lambda name: (name not in own, order.index(name) if name in order else len(order), name),
    )
    choices = itertools.chain.from_iterable(itertools.combinations(names, size) for size in range(len(names) + 1))
    fewest = next(
        chosen for chosen in choices if all(any(own.get(name) != key.get(name) for name in chosen) for key in others)
    )
    return pairs("--variant", {name: json.loads(own[name]) if name in own else ABSENT for name in fewest})


def is_swept(run: Run) -> bool:
    """Whether a run is one of a sweep of our runners, and of no experiment."""
    return run.record.get(schema.SOURCE) == RUNNER_SOURCE and not run.record.get(schema.PARENT_RUN)


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
