"""What an experiment showed: the seeds of each setting judged together, and the best checkpoint against the baseline.

One judgement for the commands that run experiments and for the states of the fixes. Source: PLAYBOOK P6, P7 and P8.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from analysis.checkpoints import find_best_checkpoints
from analysis.clipping import EXTREME_FRACTION
from analysis.lr_words import number
from analysis.phases import train_steps
from analysis.results import RunDiagnosis
from analysis.stuck import has_learned

SEEDS_AT_LEAST = 3  # fewer seeds are inconclusive (ours)


@dataclass(frozen=True)
class Setting:
    """Runs that differ in their seed only.

    Attributes:
        label: What was set, as people read it: "warmup_steps=32, base_lr=2".
        runs: The runs, judged.
        best_loss: Mean over seeds of the best checkpoint's evaluation loss; NaN where none was compared.
    """

    label: str
    runs: tuple[RunDiagnosis, ...]
    best_loss: float = math.nan

    @property
    def base_lr(self) -> float:
        """Its learning rate."""
        return self.runs[0].run.base_lr

    @property
    def steady(self) -> tuple[RunDiagnosis, ...]:
        """The runs without a confirmed rise."""
        return tuple(judged for judged in self.runs if judged.verdict == "stable")

    @property
    def broke(self) -> bool:
        """Whether a seed rose: then it cannot hold in all."""
        return any(judged.verdict == "unstable" for judged in self.runs)

    @property
    def holds_so_far(self) -> bool:
        """Whether every seed so far is steady and ends below chance level: a run at chance shows no rise either."""
        return all(judged.verdict == "stable" and has_learned(judged.run) for judged in self.runs)

    @property
    def clipped_fraction(self) -> float | None:
        """Share of updates clipped, the mean over seeds; None where nothing was clipped or it is not known."""
        shares = [judged.clipping.clipped_fraction for judged in self.runs if judged.clipping]
        return float(np.mean(shares)) if shares else None

    @property
    def is_extreme(self) -> bool:
        """Whether so much is clipped that it is a lower learning rate in disguise."""
        return (self.clipped_fraction or 0.0) > EXTREME_FRACTION

    @property
    def verdict(self) -> str:
        """`held`: no rise in 3 or more seeds that learn, without extreme clipping; `failed`; else `inconclusive`."""
        if len(self.runs) < SEEDS_AT_LEAST:
            return "inconclusive"
        if self.broke or self.is_extreme:
            return "failed"
        return "held" if self.holds_so_far else "inconclusive"

    @property
    def num_steps(self) -> int:
        """Steps that its runs took."""
        return sum(judged.run.steps.num_rows for judged in self.runs)

    @property
    def sentence(self) -> str:
        """What the seeds say, in one line."""
        clipped = "" if self.clipped_fraction is None else f", {self.clipped_fraction:.0%} of updates clipped"
        loss = "" if math.isnan(self.best_loss) else f", best checkpoint {number(self.best_loss)}"
        return f"{len(self.steady)} of {len(self.runs)} seeds steady, {self.num_steps:,} steps{clipped}{loss}"


@dataclass(frozen=True)
class Outcome:
    """What an experiment showed.

    Attributes:
        experiment: Name of the command: "check", "clip_sweep", ...
        verdict: "held", "failed" or "inconclusive" of a fix; "seen", "excluded" or "inconclusive" of an observation.
        sentence: The answer, in one line with its numbers.
        settings: What was tried, in order.
        baseline: The best learning rate without the change; None where the experiment compares with nothing.
        concluded: Outcomes of further experiments that it sums up.
    """

    experiment: str
    verdict: str
    sentence: str
    settings: tuple[Setting, ...]
    baseline: Setting | None = None
    concluded: "tuple[Outcome, ...]" = ()

    @property
    def outcomes(self) -> "tuple[Outcome, ...]":
        """All outcomes: what it sums up, and itself."""
        return (*self.concluded, self)

    @property
    def run_ids(self) -> tuple[str, ...]:
        """The runs it rests on."""
        return tuple(judged.run.run_id for setting in self.settings for judged in setting.runs)

    @property
    def lines(self) -> tuple[str, ...]:
        """What each setting and each further experiment showed, a line each; of a fix with its verdict."""
        said = tuple(
            f"{setting.label}: {f'{setting.verdict}, ' if self.baseline else ''}{setting.sentence}"
            for setting in self.settings
        )
        return said + tuple(f"{outcome.experiment}: {outcome.sentence}" for outcome in self.concluded)

    @property
    def num_steps(self) -> int:
        """Steps that the experiment took."""
        return sum(setting.num_steps for setting in self.settings)


def compare_checkpoints(baseline: Setting, settings: Sequence[Setting]) -> tuple[Setting, ...]:
    """Gives the baseline and each setting the mean over seeds of their best checkpoint's evaluation loss.

    Fair between runs of different length: each offers as many evaluations as the run with the fewest. Only steady
    settings that trained as long as the baseline are compared; the others keep NaN.

    Args:
        baseline: Runs at the best learning rate without the change.
        settings: Runs with the change.

    Returns:
        The baseline, then the settings in the order given.
    """
    full = [setting for setting in (baseline, *settings) if not setting.broke and is_full(setting, baseline)]
    runs = [judged.run for setting in full for judged in setting.runs]
    best = {checkpoint.run_id: checkpoint.eval_loss for checkpoint in find_best_checkpoints(runs)}
    return tuple(
        replace(setting, best_loss=mean_of(setting, best)) if setting in full else setting
        for setting in (baseline, *settings)
    )


def mean_of(setting: Setting, losses: Mapping[str, float]) -> float:
    """Returns the mean over the seeds that have a loss, NaN without any."""
    found = [losses[judged.run.run_id] for judged in setting.runs if judged.run.run_id in losses]
    return float(np.mean(found)) if found else math.nan


def is_full(setting: Setting, baseline: Setting) -> bool:
    """Whether the runs of a setting were planned as long as the baseline's."""
    return train_steps(setting.runs[0].run) >= train_steps(baseline.runs[0].run)


def say_losses(setting: Setting, baseline: Setting) -> str:
    """Returns the best checkpoints of a setting and of the baseline as a clause; "" where they were not compared."""
    if math.isnan(setting.best_loss) or math.isnan(baseline.best_loss):
        return ""
    return (
        f"; best checkpoint {number(setting.best_loss)}, "
        f"against {number(baseline.best_loss)} at {number(baseline.base_lr)} without"
    )


def judge_fix(experiment: str, settings: Sequence[Setting], baseline: Setting) -> Outcome:
    """Judges a fix by all that was tried.

    Args:
        experiment: Name of the command.
        settings: What was tried, in order; at least one.
        baseline: Runs at the best learning rate without the change.

    Returns:
        "held" where a setting held; "failed" where one failed and none held; else "inconclusive". Of several that
        held, the sentence tells of the one with the best checkpoint.
    """
    baseline, *compared = compare_checkpoints(baseline, settings)
    held = [setting for setting in compared if setting.verdict == "held"]
    failed = [setting for setting in compared if setting.verdict == "failed"]
    if held:
        verdict, told = "held", min(held, key=lambda setting: (math.isnan(setting.best_loss), setting.best_loss))
    else:
        verdict, told = ("failed", failed[-1]) if failed else ("inconclusive", compared[-1])
    return Outcome(experiment, verdict, say_fix(told, baseline), tuple(compared), baseline)


def say_fix(setting: Setting, baseline: Setting) -> str:
    """Returns what a setting showed of a fix, in one sentence."""
    seeds, share = len(setting.runs), setting.clipped_fraction
    clipped = "" if share is None else f", with {share:.0%} of the updates clipped"
    if setting.verdict == "held":
        losses = say_losses(setting, baseline)
        return f"Held: {setting.label} shows no rise in {seeds} of {seeds} seeds{clipped}{losses}."
    if setting.is_extreme:
        return (
            f"Failed: {setting.label} clips {share:.0%} of the updates, which is a strange way of "
            "lowering the learning rate. Lower it instead, with python -m runners.lower_lr."
        )
    if setting.verdict == "failed":
        rising = seeds - len(setting.steady)
        return f"Failed: nothing that was tried holds; {setting.label} rises in {rising} of {seeds} seeds{clipped}."
    said = f"Inconclusive: {setting.label} shows no rise in {len(setting.steady)} of {seeds} seeds"
    if seeds < SEEDS_AT_LEAST:
        return f"{said}; at least {SEEDS_AT_LEAST} decide. Add seeds with --seeds {SEEDS_AT_LEAST} --resume."
    learned = sum(has_learned(judged.run) for judged in setting.runs)
    return f"{said}, but only {learned} end below chance level. Train longer with --max-train-steps."
