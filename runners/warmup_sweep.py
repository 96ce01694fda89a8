"""Entry point: the search for the shortest warmup that reaches a base learning rate far above the unstable one."""

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
    read_warmup_steps,
    run_command,
)

MODULE = "runners.warmup_sweep"
PEAK_FACTOR = 10  # Deep Learning Tuning Playbook, FAQ, "Learning rate warmup": base_lr = 10 x unstable_base_lr
HOLD_FACTOR = 2  # the same: post_warmup_steps = 2 x warmup_steps


def read_arguments(argv: Sequence[str]) -> Namespace:
    """Returns the values of the command line."""
    parser = make_parser(
        MODULE,
        "Ramps the learning rate of a study's series from 0 to a base rate far above where training was unstable, over "
        f"each number of warmup steps, and holds it for {HOLD_FACTOR} x as many.",
        "--study strides --variant stride=1x1 --base-lr 2 --warmup-steps 10,100",
    )
    parser.add_argument("--base-lr", metavar="X", help=f"end of the ramp (default: {PEAK_FACTOR} x unstable_base_lr)")
    parser.add_argument("--warmup-steps", required=True, metavar="W[,W...]", help="lengths to try")
    add_common_options(parser, seeds=3, steps_help=f"{HOLD_FACTOR} x the warmup", warmup=False)
    return parser.parse_args(argv)


def main(argv: Sequence[str]) -> None:
    """Trains the warmup sweep that the command line asks for."""
    arguments = read_arguments(argv)
    variant, lengths = read_variants(arguments.variant), read_warmup_steps(arguments.warmup_steps)
    base_lrs = read_base_lrs(arguments.base_lr) if arguments.base_lr else None
    arguments.warmup_steps = None  # a list here, one number in the common options

    from runners.launch import launch
    from runners.series import choose_series, find_sweep, plan_variations

    study = read_study(arguments.study, arguments.store)
    series = choose_series(study, variant)
    if base_lrs is None:
        unstable_base_lr = find_sweep(study, series).unstable_base_lr
        if unstable_base_lr is None:
            raise RunLogError(f"study {study.name} shows no instability to warm up for. Give --base-lr")
        base_lrs = (PEAK_FACTOR * unstable_base_lr,)
    changes = [
        {"base_lr": base_lr, "warmup_steps": length, "max_train_steps": HOLD_FACTOR * length, "schedule": "constant"}
        for length in lengths
        for base_lr in base_lrs
    ]
    command = command_text(MODULE, argv)
    launch(plan_variations(series, changes, arguments, changed="warmup_steps", command=command), arguments)


if __name__ == "__main__":
    run_command(lambda: main(sys.argv[1:]))
