"""What the runners' command lines share: options, how values are read, how errors are shown. Imports no torch."""

import argparse
import math
import os
import shlex
import signal
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from analysis.clip_rules import GLOBAL_NORM
from analysis.runlog import RunLogError
from runners.clip_rules import CLIP_RULES

ENGINES = ("local", "ray")
ON_RISE = ("ignore", "warn", "stop")
LOGS = ("parquet", "wandb", "both")
STACK = ("auto", "on", "compile", "off")


class OneLineParser(argparse.ArgumentParser):
    """An argument parser that refuses in one line, as every command does."""

    def error(self, message: str) -> NoReturn:
        """Prints the line and exits with 2."""
        self.exit(2, f"{self.prog}: {message}. See {self.prog} --help\n")


def make_parser(module: str, description: str, example: str) -> OneLineParser:
    """Returns a parser for `python -m module`, with an example in its help."""
    return OneLineParser(
        prog=f"python -m {module}",
        description=description,
        epilog=f"Example: python -m {module} {example}",
        allow_abbrev=False,
    )


def add_common_options(parser: argparse.ArgumentParser, seeds: int, steps_help: str, warmup: bool = True) -> None:
    """Adds the options of every runner.

    Args:
        parser: Where to add them.
        seeds: Default number of seeds.
        steps_help: Default of --max-train-steps, in words.
        warmup: Whether --warmup-steps is one number here; a warmup sweep takes a list of its own.
    """
    parser.add_argument("--study", required=True, help="name of the study")
    parser.add_argument("--store", help="folder or URL of the store (default: $STEADYSTEP_STORE, else ./studies)")
    parser.add_argument(
        "--variant", action="append", default=[], metavar="K=V[,V...]", help="option of the workload; may be repeated"
    )
    parser.add_argument(
        "--seeds", type=_count, default=seeds, metavar="N", help="seeds 0 to N-1 (default: %(default)s)"
    )
    parser.add_argument(
        "--max-train-steps", type=_count, metavar="N", help=f"steps without warmup (default: {steps_help})"
    )
    parser.add_argument("--schedule", help="constant, linear or cosine (default: constant, or as in the study)")
    if warmup:
        parser.add_argument("--warmup-steps", type=int, metavar="N", help="steps of linear warmup, added in front")
    add_clip_options(parser)
    add_training_options(parser)
    parser.add_argument(
        "--resume", action="store_true", help="skip the runs that are done, continue the interrupted ones"
    )
    parser.add_argument("--dry-run", action="store_true", help="print the plan and the estimated time, train nothing")


def add_training_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options of where and how runs are trained, which change none of their metaparameters."""
    parser.add_argument(
        "--log",
        choices=LOGS,
        default="parquet",
        help="wandb and both: W&B gets the rows too; the store always keeps them",
    )
    parser.add_argument(
        "--on-rise",
        choices=ON_RISE,
        default="ignore",
        help="while training, when the loss rises: warn in one line, or stop the run for good (default: %(default)s)",
    )
    parser.add_argument("--engine", choices=ENGINES, default="local", help="where runs are trained (default: local)")
    parser.add_argument(
        "--ray-address", metavar="HOST:PORT", help="cluster of --engine ray (default: $RAY_ADDRESS, else auto)"
    )
    parser.add_argument(
        "--jobs",
        type=_count,
        default=count_cores(),
        metavar="N",
        help="runs at a time (default: all cores); for --engine ray, the CPUs to divide the plan for",
    )
    parser.add_argument(
        "--stack",
        choices=STACK,
        default="auto",
        help="train runs that differ only in seed, learning rate, its schedule and clipping in one program: auto where "
        "a short timing says that it is faster, on wherever possible, compile with passes compiled by g++; never with "
        "--log wandb (default: %(default)s)",
    )


def add_clip_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options of clipping, which `read_clipping` reads."""
    parser.add_argument("--clip-threshold", type=float, metavar="LAMBDA", help="clip gradients to this global norm")
    parser.add_argument(
        "--clip-rule",
        choices=("none", *CLIP_RULES),
        help="clip gradients by an adaptive rule in place of one threshold; none: do not clip",
    )
    parser.add_argument(
        "--clip-option",
        action="append",
        default=[],
        metavar="K=V",
        help="percentile of autoclip; alpha, z_thres or warmup of zclip; sigma or window of skip_sigma",
    )
    parser.add_argument("--update-clip-threshold", type=float, metavar="X", help="scale updates down to this norm")


def read_clipping(arguments: argparse.Namespace) -> dict[str, object]:
    """Returns the gradient clipping that the command line asks for, as fields of RunConfig; empty where it does not.

    Rule, threshold and options replace those of a study together: a threshold alone means clipping by global norm.

    Raises:
        RunLogError: For a rule and a threshold that do not belong together, or an option with several values.
    """
    threshold, options = arguments.clip_threshold, read_variants(arguments.clip_option, "--clip-option")
    if threshold is None and arguments.clip_rule is None and not options:
        return {}
    rule = arguments.clip_rule or GLOBAL_NORM
    if (rule == GLOBAL_NORM) != (threshold is not None):
        word = "needs" if threshold is None else "takes no"
        raise RunLogError(f"clip rule {rule} {word} --clip-threshold. Give a threshold, or an adaptive --clip-rule")
    several = [name for name, values in options.items() if len(values) > 1]
    if several:
        raise RunLogError(f"--clip-option {several[0]} has several values. Give one, and run the command for each")
    return {
        "clip_rule": GLOBAL_NORM if rule == "none" else rule,
        "clip_threshold": threshold,
        "clip_options": {name: values[0] for name, values in options.items()},
    }


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def count_cores() -> int:
    """Returns the number of cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def read_base_lrs(text: str) -> tuple[float, ...]:
    """Returns the learning rates of `LO:HI:NUM` (log-spaced, ends included) or of a comma list, ascending.

    Raises:
        RunLogError: For anything else.

    >>> read_base_lrs("0.001:1:4")
    (0.001, 0.01, 0.1, 1.0)
    """
    try:
        if ":" in text:
            low, high, number = text.split(":")
            return _space(float(low), float(high), int(number))
        rates = tuple(sorted({float(part) for part in text.split(",")}))
    except ValueError as error:
        raise RunLogError(
            f"--base-lr {text} is neither LO:HI:NUM nor a comma list, such as 1e-3:1:7 or 0.01,0.1"
        ) from error
    if not all(0 < rate < math.inf for rate in rates):
        raise RunLogError(f"--base-lr {text} holds a rate that is not positive. Give positive numbers")
    return rates


def _space(low: float, high: float, number: int) -> tuple[float, ...]:
    if not (0 < low < high < math.inf and number >= 2):
        raise ValueError
    ratio = math.log(high / low) / (number - 1)
    inner = (float(f"{low * math.exp(ratio * index):.6g}") for index in range(1, number - 1))
    return (low, *inner, high)


def read_warmup_steps(text: str) -> tuple[int, ...]:
    """Returns the lengths of a comma list, ascending.

    Raises:
        RunLogError: For anything but whole numbers above 0.
    """
    if not all(part.isdecimal() and int(part) > 0 for part in text.split(",")):
        raise RunLogError(f"--warmup-steps {text} is not a comma list of whole numbers above 0, such as 10,100")
    return tuple(sorted({int(part) for part in text.split(",")}))


def read_variants(options: Sequence[str], flag: str = "--variant") -> dict[str, list[str]]:
    """Returns the values of each key, from `K=V`, `K=V,V` and repetitions of both; `flag` is named in errors.

    Raises:
        RunLogError: For an option without `=` or without a value.

    >>> read_variants(["stride=1x1,2x2", "batch_size=32"])
    {'stride': ['1x1', '2x2'], 'batch_size': ['32']}
    """
    values: dict[str, list[str]] = {}
    for option in options:
        key, _, text = option.partition("=")
        if not key or not all(text.split(",")):
            raise RunLogError(f"{flag} {option} is not K=V. Write it as in {flag} stride=1x1, or stride=1x1,2x2")
        known = values.setdefault(key, [])
        known.extend(value for value in dict.fromkeys(text.split(",")) if value not in known)
    return values


def run_command(main: Callable[[], None]) -> None:
    """Runs a command; bad input becomes one line on standard error and exit code 2.

    A request to terminate is taken as Ctrl-C: running trainings stop after their step and leave valid logs.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        main()
    except RunLogError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("interrupted; the same command with --resume continues", file=sys.stderr)
        sys.exit(130)


def command_text(module: str, arguments: Sequence[str]) -> str:
    """Returns the command line as a person would type it."""
    return shlex.join(["python", "-m", module, *arguments])


def repeat_command(arguments: argparse.Namespace, module: str) -> str:
    """Returns the command that runs one experiment on the series and the seeds that a command line chose."""
    variant = [part for pair in arguments.variant for part in ("--variant", pair)]
    return command_text(module, ["--study", arguments.study, *variant, "--seeds", str(arguments.seeds)])
