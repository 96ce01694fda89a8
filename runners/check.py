"""Entry point: the double check of the edge of instability, at 5 and 10 times the best learning rate of a study."""

import sys
from argparse import Namespace
from collections.abc import Sequence

from analysis.fix_outcomes import Outcome
from analysis.observations import judge_check
from runners.command_line import add_common_options, command_text, make_parser, run_command
from runners.rounds import Round, run_rounds

MODULE = "runners.check"
CHECK_FACTORS = (5, 10)  # Deep Learning Tuning Playbook, FAQ: "we double check this" at 5x or 10x the best


def read_arguments(argv: Sequence[str]) -> Namespace:
    """Returns the values of the command line."""
    parser = make_parser(
        MODULE,
        "Trains at 5 x lr_star of a study, and at 10 x where that shows no sudden rise after a steady decline.",
        "--study strides --variant stride=1x1",
    )
    add_common_options(parser, seeds=3, steps_help="as in the study")
    return parser.parse_args(argv)


def propose(bench) -> Round | Outcome:
    """Proposes the next factor, until a sudden rise after a steady decline is seen or none is left."""
    changes = [{"base_lr": float(f"{factor * bench.lr_star:.6g}")} for factor in CHECK_FACTORS]
    settings = []
    for index, (factor, change) in enumerate(zip(CHECK_FACTORS, changes, strict=True)):
        if left := bench.plan([change], changed="base_lr"):
            why = (
                f"Double check: learning rate {change['base_lr']:g}, {factor} times the best, {bench.lr_star:g}. "
                "Does the loss rise suddenly after a steady decline?"
            )
            return Round(left, why, sum(bench.count_steps(later) for later in changes[index + 1 :]))
        settings.append(bench.setting(change))
        outcome = judge_check(settings, bench.lr_star)
        if outcome.verdict == "seen":
            break
    return outcome


def main(argv: Sequence[str]) -> None:
    """Runs the double check that the command line asks for."""
    run_rounds(propose, read_arguments(argv), command_text(MODULE, argv))


if __name__ == "__main__":
    run_command(lambda: main(sys.argv[1:]))
