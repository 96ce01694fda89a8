"""Entry point: the search for the loosest clip threshold that keeps training steady where it was unstable."""

import sys
from argparse import Namespace
from collections.abc import Sequence

from analysis.clipping import START_PERCENTILE, choose_clip_threshold
from analysis.fix_case import make_case
from analysis.fix_outcomes import Outcome, judge_fix
from analysis.fix_states import MOST_THRESHOLDS
from analysis.runlog import RunLogError
from runners.command_line import add_common_options, command_text, make_parser, read_base_lrs, run_command
from runners.rounds import Round, run_rounds

MODULE = "runners.clip_sweep"
TIGHTEN = 2.0  # ours: a lower percentile of norms that hardly differ hardly moves; half of a threshold always does


def read_arguments(argv: Sequence[str]) -> Namespace:
    """Returns the values of the command line."""
    parser = make_parser(
        MODULE,
        "Clips gradients at the 90th percentile of a healthy run's norms, at the learning rate where training was "
        "unstable, and halves the threshold until no seed rises or more than half of the updates are clipped. "
        "--clip-threshold is the first to try.",
        "--study deep",
    )
    parser.add_argument("--base-lr", metavar="X", help="train at this rate (default: unstable_base_lr)")
    add_common_options(parser, seeds=3, steps_help="as in the study")
    parser.set_defaults(on_rise="stop")
    return parser.parse_args(argv)


def propose(bench) -> Round | Outcome:
    """Proposes the next threshold, until one holds or clips more than half of the updates."""
    given = bench.arguments.base_lr
    base_lr = read_base_lrs(given)[0] if given else bench.unstable_base_lr
    first = bench.arguments.clip_threshold or find_threshold(bench)
    settings = []
    for index in range(MOST_THRESHOLDS):
        threshold = float(f"{first / TIGHTEN**index:.2g}")
        change = {"base_lr": base_lr, "clip_threshold": threshold, "clip_rule": "global_norm", "clip_options": {}}
        if left := bench.plan([change], changed="clip_threshold"):
            why = f"Clip at {threshold:g}, {say_threshold(index, bench)}, at learning rate {base_lr:g}. Does it hold?"
            return Round(left, why, (MOST_THRESHOLDS - 1 - index) * bench.count_steps(change))
        setting = bench.setting(change, clip_threshold=threshold)
        settings.append(setting)
        if setting.verdict == "held" or setting.is_extreme or not setting.broke:
            break
    return judge_fix("clip_sweep", settings, bench.baseline)


def find_threshold(bench) -> float:
    """Returns the 90th percentile of the norms of a healthy run of the series.

    Raises:
        RunLogError: Where no run has enough healthy norms.
    """
    case = make_case(bench.diagnosis, bench.sweep, list(bench.swept), ())
    proposal = choose_clip_threshold([*case.healthy, *case.unstable])
    if proposal is None:
        raise RunLogError(
            f"study {bench.study.name} has no run with enough healthy gradient norms to choose a threshold from. "
            "Give --clip-threshold"
        )
    return proposal.clip_threshold


def say_threshold(index: int, bench) -> str:
    """Says where a threshold comes from."""
    if index:
        return "half of the last"
    return "as given" if bench.arguments.clip_threshold else f"percentile {START_PERCENTILE:.0f} of the healthy steps"


def main(argv: Sequence[str]) -> None:
    """Runs the clip sweep that the command line asks for."""
    run_rounds(propose, read_arguments(argv), command_text(MODULE, argv))


if __name__ == "__main__":
    run_command(lambda: main(sys.argv[1:]))
