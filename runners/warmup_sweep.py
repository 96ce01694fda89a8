"""Entry point: the search for the shortest warmup that reaches a base learning rate far above the unstable one."""

import sys
from argparse import Namespace
from collections.abc import Sequence

from analysis.fix_outcomes import Outcome, judge_fix
from analysis.warmup import HOLD_FACTOR, PEAK_FACTOR
from runners.command_line import (
    add_common_options,
    command_text,
    make_parser,
    read_base_lrs,
    read_warmup_steps,
    run_command,
)
from runners.rounds import Round, run_rounds

MODULE = "runners.warmup_sweep"


def read_arguments(argv: Sequence[str]) -> Namespace:
    """Returns the values of the command line."""
    parser = make_parser(
        MODULE,
        "Ramps the learning rate of a study's series from 0 to 10 times the unstable one, holds it for "
        f"{HOLD_FACTOR} x as many steps or more, and searches the shortest warmup that holds; then tries 100 times, "
        "and puts the warmup in front of full training. With --warmup-steps, trains just these lengths.",
        "--study strides --variant stride=1x1",
    )
    parser.add_argument("--base-lr", metavar="X", help=f"end of the ramp (default: {PEAK_FACTOR:g} x unstable_base_lr)")
    parser.add_argument("--warmup-steps", metavar="W[,W...]", help="train these lengths, search no others")
    add_common_options(parser, seeds=3, steps_help="as in the study", warmup=False)
    parser.set_defaults(on_rise="stop")
    arguments = parser.parse_args(argv)
    arguments.lengths = read_warmup_steps(arguments.warmup_steps) if arguments.warmup_steps else ()
    arguments.warmup_steps = None  # a list here, one number in the common options
    return arguments


def propose(bench) -> Round | Outcome:
    """Proposes the lengths asked for, or the next step of the search, and then says what they show."""
    from runners.warmup_search import peak_of, propose_search, ramp

    lengths, given = bench.arguments.lengths, bench.arguments.base_lr
    if not lengths:
        return propose_search(bench)
    peaks = read_base_lrs(given) if given else (peak_of(bench, PEAK_FACTOR),)
    changes = [ramp(bench, peak, length) for length in lengths for peak in peaks]
    if left := bench.plan(changes, changed="warmup_steps"):
        shown = " and ".join(f"{length:,}" for length in lengths)
        return Round(
            left, f"Warmup over {shown} steps, then held {HOLD_FACTOR} times as long or longer. Which lengths hold?", 0
        )
    settings = [bench.setting(change, warmup_steps=change["warmup_steps"]) for change in changes]
    return judge_fix("warmup_sweep", settings, bench.baseline)


def main(argv: Sequence[str]) -> None:
    """Runs the warmup sweep that the command line asks for."""
    run_rounds(propose, read_arguments(argv), command_text(MODULE, argv))


if __name__ == "__main__":
    run_command(lambda: main(sys.argv[1:]))
