"""Entry point: the highest learning rate of a series that holds in every seed; the last resort."""

import sys
from argparse import Namespace
from collections.abc import Sequence

from analysis.fix_outcomes import Outcome, judge_fix
from analysis.fix_states import lower_rate
from analysis.fixes import MOST_BELOW
from runners.command_line import add_common_options, command_text, make_parser, read_base_lrs, run_command
from runners.rounds import Round, run_rounds

MODULE = "runners.lower_lr"
LOWER = 10**0.5  # ours: half a decade, the usual step of a sweep


def read_arguments(argv: Sequence[str]) -> Namespace:
    """Returns the values of the command line."""
    parser = make_parser(
        MODULE,
        "Repeats the highest stable learning rate of a series with every seed, and goes lower while one of them rises.",
        "--study strides --variant stride=1x1",
    )
    parser.add_argument("--base-lr", metavar="X", help="start at this rate (default: the highest stable one)")
    add_common_options(parser, seeds=3, steps_help="as in the study")
    return parser.parse_args(argv)


def propose(bench) -> Round | Outcome:
    """Proposes the seeds that the highest stable rate lacks, or the next lower rate."""
    rates, settings = find_rates(bench), []
    for index, rate in enumerate(rates):
        change = {"base_lr": rate}
        if left := bench.plan([change], changed="base_lr"):
            why = (
                f"Learning rate {rate:g}, {'lower still' if index else 'the highest'} that may be stable: does it hold?"
            )
            return Round(left, why, (len(rates) - 1 - index) * bench.count_steps(change))
        settings.append(bench.setting(change))
        if not settings[-1].broke:
            break
    return judge_fix("lower_lr", settings, bench.baseline)


def find_rates(bench) -> list[float]:
    """Returns the rates to try, highest first: those of the sweep from the highest stable one down, then lower ones."""
    given = bench.arguments.base_lr
    below = sorted({judged.run.base_lr for judged in bench.swept if judged.run.base_lr < bench.unstable_base_lr})
    first = read_base_lrs(given) if given else (lower_rate(bench.sweep),)
    lowest = min(*below, *first, bench.lr_star)
    tried = {*first, *(rate for rate in below if rate < first[-1])}
    tried |= {float(f"{lowest / LOWER**index:.6g}") for index in range(1, MOST_BELOW + 1)}
    return sorted(tried, reverse=True)


def main(argv: Sequence[str]) -> None:
    """Runs the experiment that the command line asks for."""
    run_rounds(propose, read_arguments(argv), command_text(MODULE, argv))


if __name__ == "__main__":
    run_command(lambda: main(sys.argv[1:]))
