"""Entry point: train one workload at several base learning rates and seeds."""

import itertools
import sys
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import replace

from runners.command_line import (
    add_common_options,
    command_text,
    make_parser,
    read_base_lrs,
    read_clipping,
    read_variants,
    run_command,
)
from runners.workloads.workload import BUILT_IN

MODULE = "runners.lr_sweep"
EXAMPLE = "--workload stride_resnet --variant stride=1x1,2x2 --base-lr 0.003:1:6 --seeds 3 --study strides"


def read_arguments(argv: Sequence[str]) -> Namespace:
    """Returns the values of the command line."""
    parser = make_parser(MODULE, "Trains one workload at several base learning rates and seeds.", EXAMPLE)
    parser.add_argument(
        "--workload", required=True, help=f"{', '.join(BUILT_IN)}, or package.module:function for your own"
    )
    parser.add_argument("--optimizer", help="sgd, momentum, nesterov, rmsprop, adam or nadam (default: the workload's)")
    parser.add_argument(
        "--optimizer-option", action="append", default=[], metavar="K=V", help="gamma, rho, beta1, beta2 or eps"
    )
    parser.add_argument(
        "--base-lr", required=True, metavar="LO:HI:NUM|a,b,c", help="log-spaced, ends included, or a list"
    )
    parser.add_argument(
        "--adaptive",
        action="store_true",
        help="train only those rates of the grid that show its edge and its best, and repeat these with every seed",
    )
    add_common_options(parser, seeds=1, steps_help="the workload's")
    return parser.parse_args(argv)


def main(argv: Sequence[str]) -> None:
    """Trains the sweep that the command line asks for."""
    arguments = read_arguments(argv)
    grid, command = read_base_lrs(arguments.base_lr), command_text(MODULE, argv)
    series = make_series(arguments)
    if not arguments.adaptive:
        from runners.launch import launch
        from runners.plan import plan_runs

        runs = itertools.product(range(arguments.seeds), series, grid)
        launch(
            plan_runs([replace(each, base_lr=rate, seed=seed) for seed, each, rate in runs], command=command), arguments
        )
        return
    from runners.adaptive import propose_adaptive
    from runners.rounds import run_rounds

    for config in series:
        run_rounds(propose_adaptive(config, grid), arguments, command, begins_empty=True)


def make_series(arguments: Namespace) -> list:
    """Returns one configuration for each combination of workload and optimizer options; rate and seed are to come."""
    from runners.config import RunConfig
    from runners.workloads import make_workload

    variants = read_variants(arguments.variant)
    options = read_variants(arguments.optimizer_option, "--optimizer-option")
    configs = []
    for values in itertools.product(*(variants | options).values()):
        chosen = dict(zip(variants | options, values, strict=True))
        variant = {name: chosen[name] for name in variants}
        workload = make_workload(arguments.workload, variant)
        optimizer = arguments.optimizer or workload.optimizer
        defaults = workload.optimizer_options if optimizer == workload.optimizer else {}
        configs.append(
            RunConfig(
                workload=arguments.workload,
                variant=variant,
                optimizer=optimizer,
                optimizer_options=defaults | {name: chosen[name] for name in options},
                base_lr=1.0,
                schedule=arguments.schedule or "constant",
                warmup_steps=arguments.warmup_steps or 0,
                update_clip_threshold=arguments.update_clip_threshold,
                **read_clipping(arguments),
                max_train_steps=arguments.max_train_steps or workload.max_train_steps,
            )
        )
    return configs


if __name__ == "__main__":
    run_command(lambda: main(sys.argv[1:]))
