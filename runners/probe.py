"""Entry point: the probe for very early instability, at twice the best learning rate of a study, logged every step."""

import sys
from argparse import Namespace
from collections.abc import Sequence

from analysis.fix_outcomes import Outcome
from analysis.fixes import PROBE_FACTOR, PROBE_STEPS
from analysis.observations import judge_probe
from runners.command_line import add_common_options, command_text, make_parser, read_base_lrs, run_command
from runners.rounds import Round, run_rounds

MODULE = "runners.probe"


def read_arguments(argv: Sequence[str]) -> Namespace:
    """Returns the values of the command line."""
    parser = make_parser(
        MODULE,
        f"Trains {PROBE_STEPS} steps at {PROBE_FACTOR:g} x lr_star of a study, logged every step. Judge the training "
        "loss: with batch normalisation the evaluation loss of the first steps lags behind the weights.",
        "--study strides --variant stride=1x1",
    )
    parser.add_argument("--base-lr", metavar="X", help=f"train at this rate (default: {PROBE_FACTOR:g} x lr_star)")
    add_common_options(parser, seeds=3, steps_help=str(PROBE_STEPS))
    return parser.parse_args(argv)


def propose(bench) -> Round | Outcome:
    """Proposes the probe's runs, and then says what they show."""
    given, steps = bench.arguments.base_lr, bench.arguments.max_train_steps or PROBE_STEPS
    base_lrs = read_base_lrs(given) if given else (float(f"{PROBE_FACTOR * bench.lr_star:.6g}"),)
    changes = [{"base_lr": base_lr, "max_train_steps": steps} for base_lr in base_lrs]
    if left := bench.plan(changes, changed="base_lr"):
        return Round(left, f"Probe: {steps} steps at learning rate {base_lrs[0]:g}, with the loss of every step.", 0)
    return judge_probe([bench.setting(change) for change in changes])


def main(argv: Sequence[str]) -> None:
    """Runs the probe that the command line asks for."""
    run_rounds(propose, read_arguments(argv), command_text(MODULE, argv))


if __name__ == "__main__":
    run_command(lambda: main(sys.argv[1:]))
