"""The ledger of a study: what each fix was predicted to change, beside what its experiment showed."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from analysis.fix_commands import EXPERIMENTS
from analysis.fix_outcomes import Outcome, Setting
from analysis.predictions import Prediction
from analysis.runlog import RunLogError

FIX_OF = {module.removeprefix("runners."): fix for fix, module in EXPERIMENTS.items()}  # by name of the experiment
VERDICTS = {"held": "confirmed", "failed": "refuted", "inconclusive": "inconclusive"}


@dataclass(frozen=True)
class LedgerRow:
    """One fix, tried.

    Attributes:
        fix: Name of the fix.
        series: Label of the series it was tried on.
        prediction: What should have been seen, said from the runs before the experiment alone.
        verdict: "confirmed", "refuted", or "inconclusive" with fewer than three seeds.
        sentence: What was seen, with its numbers.
        before: lr_star, unstable_base_lr and best_loss without the fix.
        after: base_lr of the best setting that holds and its best_loss; None where none holds or none was compared.
        baseline_ids: Runs at the best learning rate of the series, without the fix.
        run_ids: The runs of the experiment.
        num_steps: Steps they took.
        command: The command that repeats it.
        written_at: When it ended, ISO 8601 in UTC; "" before it is kept.
    """

    fix: str
    series: str
    prediction: str
    verdict: str
    sentence: str
    before: Mapping[str, float | None]
    after: Mapping[str, float | None]
    baseline_ids: tuple[str, ...]
    run_ids: tuple[str, ...]
    num_steps: int
    command: str
    written_at: str = ""

    @property
    def says(self) -> tuple[object, ...]:
        """What two rows have in common that are about the same runs, with the same result."""
        return self.fix, self.series, self.verdict, self.sentence, self.run_ids

    def to_entry(self) -> dict[str, object]:
        """Returns the row as plain values."""
        return asdict(self)


def row_of_entry(entry: dict[str, object]) -> LedgerRow:
    """Returns the row that an entry of the store holds.

    Raises:
        RunLogError: The entry has other fields: a later version wrote it.
    """
    try:
        return LedgerRow(**entry | {name: tuple(entry[name]) for name in ("baseline_ids", "run_ids")})
    except (TypeError, KeyError) as error:
        raise RunLogError(f"a ledger entry cannot be read ({error}). A later version wrote it: update") from error


def judge_row(prediction: Prediction, outcome: Outcome, series: str, command: str) -> LedgerRow:
    """Sets the outcome of an experiment beside its prediction.

    Args:
        prediction: What was predicted.
        outcome: What the experiment of that fix showed, with its baseline.
        series: Label of the series.
        command: The command of the experiment.
    """
    best, baseline = best_held(outcome), outcome.baseline
    before = {"lr_star": prediction.lr_star, "unstable_base_lr": prediction.unstable_base_lr}
    return LedgerRow(
        prediction.fix,
        series,
        prediction.sentence,
        VERDICTS[outcome.verdict],
        outcome.sentence,
        before | {"best_loss": known(baseline.best_loss)},
        {"base_lr": best.base_lr if best else None, "best_loss": known(best.best_loss) if best else None},
        tuple(judged.run.run_id for judged in baseline.runs),
        tuple(dict.fromkeys(outcome.run_ids)),
        outcome.num_steps,
        command,
    )


def best_held(outcome: Outcome) -> Setting | None:
    """Returns the setting that held with the best checkpoint, the last of equals without one; None without any."""
    held = [setting for setting in outcome.settings if setting.verdict == "held"]
    return min(reversed(held), key=lambda each: (math.isnan(each.best_loss), each.best_loss), default=None)


def known(loss: float) -> float | None:
    """Returns a finite loss, None otherwise."""
    return loss if math.isfinite(loss) else None
