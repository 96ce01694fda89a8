"""Entry point: another optimizer for a series of a study, with a learning-rate sweep of its own."""

import sys
from argparse import Namespace
from collections.abc import Sequence

from analysis.fix_outcomes import Outcome
from analysis.fixes import ADAM_RATES
from analysis.runlog import RunLogError
from analysis.swap_outcome import judge_optimizer
from runners.command_line import add_common_options, command_text, make_parser, read_base_lrs, run_command
from runners.rounds import Round, run_rounds

MODULE = "runners.optimizer_swap"
ADAPTIVE = ("rmsprop", "adam", "nadam")
RANGES = {
    True: ",".join(f"{rate:g}" for rate in ADAM_RATES),
    False: "1e-3:1:7",
}  # ours: of adaptive rules and of the others, half a decade a step


def read_arguments(argv: Sequence[str]) -> Namespace:
    """Returns the values of the command line."""
    parser = make_parser(
        MODULE,
        "Trains another optimizer with a learning-rate sweep of its own and as many steps as the study: one seed at "
        "every rate, then the others at the best.",
        "--study deep --optimizer adam",
    )
    parser.add_argument("--optimizer", default="adam", help="the optimizer to try (default: %(default)s)")
    parser.add_argument(
        "--base-lr", metavar="LO:HI:NUM|a,b,c", help=f"its learning rates (default: {RANGES[True]} or {RANGES[False]})"
    )
    add_common_options(parser, seeds=3, steps_help="as in the study")
    return parser.parse_args(argv)


def propose(bench) -> Round | Outcome:
    """Proposes the next round of the sweep, and then says what it showed."""
    from runners.swap import propose_sweep

    optimizer, given = bench.arguments.optimizer, bench.arguments.base_lr
    if optimizer == bench.config.optimizer:
        raise RunLogError(f"study {bench.study.name} uses {optimizer} already. Give another --optimizer")
    rates = read_base_lrs(given or RANGES[optimizer in ADAPTIVE])
    proposal = propose_sweep(bench, {"optimizer": optimizer, "optimizer_options": {}}, "optimizer", rates)
    return proposal if isinstance(proposal, Round) else judge_optimizer(*proposal, bench.baseline)


def main(argv: Sequence[str]) -> None:
    """Runs the experiment that the command line asks for."""
    run_rounds(propose, read_arguments(argv), command_text(MODULE, argv))


if __name__ == "__main__":
    run_command(lambda: main(sys.argv[1:]))
