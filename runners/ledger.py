"""Keeps the outcomes of fixes in the ledger of their study, each beside its prediction."""

from typing import TYPE_CHECKING

from analysis.fix_outcomes import Outcome
from analysis.ledger import FIX_OF, judge_row, row_of_entry
from analysis.predictions import predict
from analysis.runlog import ledger
from runners.command_line import command_text

if TYPE_CHECKING:  # rounds keep their outcomes here
    from runners.bench import Bench
    from runners.rounds import Round


def keep_outcomes(bench: "Bench", proposal: "Round | Outcome") -> None:
    """Writes the outcomes of a proposal to the ledger, except those that are there already.

    A fix of a series that instability does not limit has no prediction, and no row.
    """
    own = (proposal,) if isinstance(proposal, Outcome) and proposal.experiment in FIX_OF else ()
    outcomes = (*proposal.concluded, *own)
    if not outcomes or bench.case is None:
        return
    study, store = bench.study.name, bench.arguments.store
    kept = {row_of_entry(entry).says for entry in ledger.read_entries(study, store)}
    for outcome in outcomes:
        command = bench.command if outcome is proposal else repeat_command(bench, f"runners.{outcome.experiment}")
        prediction = predict(FIX_OF[outcome.experiment], bench.case)
        row = judge_row(prediction, outcome, bench.case.sweep.series, command)
        if row.says not in kept:
            ledger.add_entry(study, row.to_entry(), store)


def repeat_command(bench: "Bench", module: str) -> str:
    """Returns the command that runs one experiment alone on the series of a bench."""
    variant = [part for pair in bench.arguments.variant for part in ("--variant", pair)]
    return command_text(module, ["--study", bench.study.name, *variant, "--seeds", str(bench.arguments.seeds)])
