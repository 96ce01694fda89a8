"""Entry point: the fixes of a series in the playbook's order, each predicted, tried and judged, until one holds."""

import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import replace

from analysis.fix_outcomes import Outcome
from analysis.ledger import FIX_OF, VERDICTS
from analysis.runlog import RunLogError
from runners import architecture_swap, clip_sweep, lower_lr, optimizer_swap, warmup_sweep
from runners.command_line import add_common_options, command_text, make_parser, repeat_command, run_command
from runners.rounds import Round, run_rounds

MODULE = "runners.fix_sweep"
EXPERIMENTS = {
    FIX_OF[module.MODULE.removeprefix("runners.")]: module
    for module in (warmup_sweep, clip_sweep, optimizer_swap, architecture_swap, lower_lr)
}
SHARED = ("study", "store", "variant", "seeds", "log", "engine", "stack", "jobs", "resume", "dry_run")


def read_arguments(argv: Sequence[str]) -> Namespace:
    """Returns the values of the command line."""
    parser = make_parser(
        MODULE,
        "Tries the fixes of a series in the order of the evidence, says before each what it should change, and writes "
        "what it did change to the ledger of the study. Ends at the first that is confirmed.",
        "--study strides --variant stride=1x1",
    )
    parser.add_argument("--fixes", metavar="FIX[,FIX...]", help=f"only these: {', '.join(EXPERIMENTS)}")
    parser.add_argument("--all", action="store_true", help="go on after a fix is confirmed")
    add_common_options(parser, seeds=3, steps_help="as in the study")
    arguments = parser.parse_args(argv)
    arguments.fixes = arguments.fixes.split(",") if arguments.fixes else list(EXPERIMENTS)
    for name in arguments.fixes:
        if name not in EXPERIMENTS:
            raise RunLogError(f"--fixes {name} is no fix. Take some of {', '.join(EXPERIMENTS)}")
    return arguments


def propose(bench) -> Round | Outcome:
    """Proposes the next round of the first fix that is not decided, and after the last says what the ladder showed."""
    if bench.case is None:
        return Outcome("fix_sweep", "excluded", f"Nothing to fix: {bench.sweep.sentence}", ())
    rungs, left_out = [], {}
    for fix in (suggested.fix for suggested in bench.case.diagnosis.fixes if suggested.fix in bench.arguments.fixes):
        try:
            proposal = EXPERIMENTS[fix].propose(bench_of(bench, fix))
        except RunLogError as error:
            left_out[fix] = str(error)
            continue
        if isinstance(proposal, Round):
            return replace(proposal, why=f"[{fix}] {proposal.why}", concluded=tuple(rungs))
        rungs.append(proposal)
        if proposal.verdict == "held" and not bench.arguments.all:
            break
    return conclude(rungs, left_out)


def bench_of(bench, fix: str):
    """Returns the bench of one fix: its own experiment with its own defaults, on the same series."""
    module = EXPERIMENTS[fix]
    shared = {name: getattr(bench.arguments, name) for name in SHARED}
    defaults = vars(module.read_arguments(["--study", bench.study.name]))
    return replace(
        bench, arguments=Namespace(**defaults | shared), command=repeat_command(bench.arguments, module.MODULE)
    )


def conclude(rungs: Sequence[Outcome], left_out: Mapping[str, str]) -> Outcome:
    """Says which fix is confirmed, or that none is, and what could not be tried."""
    told = [f"{FIX_OF[rung.experiment]} {VERDICTS[rung.verdict]}" for rung in rungs]
    told += [f"{fix} not tried ({reason})" for fix, reason in left_out.items()]
    held = [rung for rung in rungs if rung.verdict == "held"]
    verdict = "held" if held else "inconclusive" if any(r.verdict == "inconclusive" for r in rungs) else "failed"
    fixed = say_fixed(FIX_OF[held[0].experiment]) if held else "No fix that was tried is confirmed"
    steps = sum(rung.num_steps for rung in rungs)
    said = f"{fixed}, {steps:,} steps spent: {'; '.join(told)}."
    return Outcome("fix_sweep", verdict, said, (), concluded=tuple(rungs))


def say_fixed(fix: str) -> str:
    """Names the fix that is confirmed; the last resort leaves the edge where it is."""
    return "No fix lifts the edge: only a lower learning rate holds" if fix == "lower-lr" else f"Fixed by {fix}"


def main(argv: Sequence[str]) -> None:
    """Runs the ladder that the command line asks for."""
    run_rounds(propose, read_arguments(argv), command_text(MODULE, argv))


if __name__ == "__main__":
    run_command(lambda: main(sys.argv[1:]))
