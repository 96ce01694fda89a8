"""Entry point: the probe for very early instability, at twice the best learning rate of a study, logged every step."""

import sys
from argparse import Namespace
from collections.abc import Sequence

from analysis.runlog import RunLogError, read_study
from runners.command_line import (
    add_common_options,
    command_text,
    make_parser,
    read_base_lrs,
    read_variants,
    run_command,
)

MODULE = "runners.probe"
PROBE_STEPS = 500  # Deep Learning Tuning Playbook, FAQ, "How can optimization failures be debugged?"
PROBE_FACTOR = 2  # the same: lr = 2 x current best


def read_arguments(argv: Sequence[str]) -> Namespace:
    """Returns the values of the command line."""
    parser = make_parser(
        MODULE,
        f"Trains {PROBE_STEPS} steps at {PROBE_FACTOR} x lr_star of a study, logged every step. Judge the training "
        "loss: with batch normalisation the evaluation loss of the first steps lags behind the weights.",
        "--study strides --variant stride=1x1",
    )
    parser.add_argument("--base-lr", metavar="X", help=f"train at this rate (default: {PROBE_FACTOR} x lr_star)")
    add_common_options(parser, seeds=3, steps_help=str(PROBE_STEPS))
    return parser.parse_args(argv)


def main(argv: Sequence[str]) -> None:
    """Trains the probe that the command line asks for."""
    arguments = read_arguments(argv)
    variant = read_variants(arguments.variant)
    base_lrs = read_base_lrs(arguments.base_lr) if arguments.base_lr else None

    from runners.launch import launch
    from runners.series import choose_series, find_sweep, plan_variations

    study = read_study(arguments.study, arguments.store)
    series = choose_series(study, variant)
    if base_lrs is None:
        lr_star = find_sweep(study, series).lr_star
        if lr_star is None:
            raise RunLogError(f"study {study.name} has no feasible run, so no lr_star to double. Give --base-lr")
        base_lrs = (PROBE_FACTOR * lr_star,)
    changes = [{"base_lr": base_lr, "max_train_steps": PROBE_STEPS} for base_lr in base_lrs]
    command = command_text(MODULE, argv)
    launch(plan_variations(series, changes, arguments, changed="base_lr", command=command), arguments)


if __name__ == "__main__":
    run_command(lambda: main(sys.argv[1:]))
