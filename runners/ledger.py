"""Keeps the outcomes of fixes in the ledger of their study, each beside its prediction."""

from collections.abc import Sequence

from analysis.fix_outcomes import Outcome
from analysis.ledger import FIX_OF, judge_row, row_of_entry
from analysis.predictions import predict
from analysis.runlog import ledger
from runners.bench import Bench
from runners.command_line import repeat_command


def keep_outcomes(bench: Bench, outcomes: Sequence[Outcome]) -> None:
    """Writes the outcomes of fixes to the ledger, except those that are there already.

    A fix of a series that instability does not limit has no prediction, and no row.
    """
    told = [outcome for outcome in outcomes if outcome.experiment in FIX_OF]
    if not told or bench.case is None:
        return
    study, store = bench.study.name, bench.arguments.store
    kept = {row_of_entry(entry).says for entry in ledger.read_entries(study, store)}
    for outcome in told:
        module = f"runners.{outcome.experiment}"
        command = bench.command if f" {module} " in bench.command else repeat_command(bench.arguments, module)
        row = judge_row(predict(FIX_OF[outcome.experiment], bench.case), outcome, bench.case.sweep.series, command)
        if row.says not in kept:
            ledger.add_entry(study, row.to_entry(), store)
