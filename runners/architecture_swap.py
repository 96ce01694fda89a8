"""Entry point: another architecture for a series of a study, by default the repaired twin of a built-in workload."""

import sys
from argparse import Namespace
from collections.abc import Sequence

from analysis.fix_commands import REPAIRED
from analysis.fix_outcomes import Outcome
from analysis.runlog import RunLogError
from analysis.swap_outcome import judge_architecture
from runners.command_line import add_common_options, command_text, make_parser, read_variants, run_command
from runners.rounds import Round, run_rounds

MODULE = "runners.architecture_swap"


def read_arguments(argv: Sequence[str]) -> Namespace:
    """Returns the values of the command line."""
    parser = make_parser(
        MODULE,
        "Trains another architecture at the learning rates of a series, and repeats the best one and the one that was "
        "unstable before. --variant chooses the series; --to is the option to change.",
        "--study lm --variant norm=post --to norm=pre",
    )
    parser.add_argument("--to", metavar="K=V", help="the architecture to try (default: the workload's repaired twin)")
    add_common_options(parser, seeds=3, steps_help="as in the study")
    return parser.parse_args(argv)


def propose(bench) -> Round | Outcome:
    """Proposes the next round of the sweep, and then says what it showed."""
    from runners.swap import propose_sweep

    name, value = find_change(bench)
    rates = sorted({judged.run.base_lr for judged in bench.swept})
    unstable = bench.unstable_base_lr
    proposal = propose_sweep(bench, {"variant": {name: value}}, name, rates, repeated=[unstable])
    return proposal if isinstance(proposal, Round) else judge_architecture(*proposal, bench.baseline, unstable)


def find_change(bench) -> tuple[str, str]:
    """Returns the option of the workload to change and its new value.

    Raises:
        RunLogError: Where neither --to nor the workload's repaired twin tells, or where the series has that value.
    """
    asked = read_variants([bench.arguments.to] if bench.arguments.to else [], "--to")
    known = REPAIRED.get(bench.config.workload)
    if not asked and known is None:
        raise RunLogError(f"workload {bench.config.workload} has no repaired twin on record. Give --to K=V")
    name, value = next(((name, values[0]) for name, values in asked.items()), known)
    if str(bench.config.variant.get(name)) == value:
        raise RunLogError(f"the series has {name}={value} already. Give another value with --to, or choose the series")
    return name, value


def main(argv: Sequence[str]) -> None:
    """Runs the experiment that the command line asks for."""
    run_rounds(propose, read_arguments(argv), command_text(MODULE, argv))


if __name__ == "__main__":
    run_command(lambda: main(sys.argv[1:]))
