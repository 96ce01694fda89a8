"""What diagnosis returns: one frozen record a question, and the whole. Field names are those of the published JSON."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from analysis.phases import PhaseShares
from analysis.runlog import Run, Study


@dataclass(frozen=True)
class Event:
    """One period in which the loss went up, not down; or a run that never left chance level.

    Attributes:
        kind: "early" or "mid-training".
        onset_step: First step of the rise (for a run that never learns: its first step).
        peak_step: Step of the highest loss; None for a run that never learns.
        recovery_step: First step back at the level before the rise; None if it never comes back.
        outcome: "recovered", "not-recovered" or "diverged" (non-finite to the end).
        rise: Highest finite loss minus level before, in units of loss; None for a run that never learns, or one
            that turned non-finite within one step.
        level_before: Level of the loss just before the rise; None for a run that never learns.
        cost_steps: Steps from onset to recovery, or to the end of the run.
        grade: "confirmed" or "suspected"; only confirmed events count.
        preceded_by: "grad_norm" or "update_norm" where that norm had an outlier just before the onset.
        rule: The rule that saw it: "sustained", "sudden", "early", "slow", "non-finite", "stuck".
        note: Why a rise does not count: a planned change, a damped oscillation; "" otherwise.
    """

    kind: str
    onset_step: int
    peak_step: int | None
    recovery_step: int | None
    outcome: str
    rise: float | None
    level_before: float | None
    cost_steps: int
    grade: str
    preceded_by: str | None
    rule: str
    note: str = ""


@dataclass(frozen=True)
class GradNorm:
    """Percentiles of the gradient norm over all logged steps of a run."""

    p50: float
    p90: float
    p99: float
    max: float
    num_non_finite: int


@dataclass(frozen=True)
class Clipping:
    """What clipping did to a run's updates; no threshold where a rule chose one at every step."""

    clip_threshold: float | None
    clipped_fraction: float
    effective_lr_multiplier: float
    extreme: bool
    clipped_fraction_by_phase: PhaseShares | None = None


@dataclass(frozen=True)
class RunDiagnosis:
    """One run, judged.

    Attributes:
        run: The run.
        series: Label of the series it belongs to.
        verdict: "stable", "unstable" or "cannot-tell".
        early: Early instability "seen", "excluded" or "cannot-tell".
        events: Confirmed and suspected events, by onset.
        blips: Steps of single high points that a person may want to look at; never in the verdict.
        grad_norm: Percentiles, None where no norm was logged.
        clipping: Clipped share, None where no threshold or no norm is known.
    """

    run: Run
    series: str
    verdict: str
    early: str
    events: tuple[Event, ...]
    blips: tuple[int, ...]
    grad_norm: GradNorm | None
    clipping: Clipping | None

    @property
    def confirmed(self) -> tuple[Event, ...]:
        """The events that count."""
        return tuple(event for event in self.events if event.grade == "confirmed")


@dataclass(frozen=True)
class SweepRun:
    """One mark of the learning-rate axis.

    Attributes:
        run_id: The run.
        base_lr: Its base learning rate.
        objective: Final loss as `LrSweep.objective` names it; NaN or inf where the run ended non-finite.
        state: "feasible", "rose" (feasible, but the loss rose first) or "infeasible".
        reason: Why it is not plainly feasible, a few words; "" for a feasible run.
    """

    run_id: str
    base_lr: float
    objective: float
    state: str
    reason: str


@dataclass(frozen=True)
class EdgeNoise:
    """How noisy the late loss is at one learning rate of a series.

    Attributes:
        base_lr: The learning rate.
        factor: By which the late loss typically changes from one logged point to the next, median over runs; 1.1 is
            a tenth.
        times: Its logarithm over that of the next lower learning rate: how many times as noisy. None for the lowest,
            and above one whose loss does not change.
    """

    base_lr: float
    factor: float
    times: float | None


@dataclass(frozen=True)
class LrSweep:
    """The learning-rate axis of one series.

    Attributes:
        series: Label of the series.
        objective: What the y-axis shows: "final evaluation loss" or "final training loss".
        runs: One mark a run, ascending in base_lr.
        lr_star: base_lr of the best feasible runs (mean over seeds), None without any.
        tie_band: Lowest and highest base_lr that cannot be told from lr_star.
        unstable_base_lr: Lowest base_lr at which at least half the seeds are unstable or infeasible.
        unstable_bracket: (highest stable, lowest unstable) base_lr; None where no instability was seen.
        verdict: "edge", "plateau", "interior", "no-instability-seen" or "not-enough-runs".
        at_range_end: "low" or "high" where the best lies at the end of the searched range.
        sentence: The verdict with its evidence.
        sensitivity: Share of the achievable progress that is lost on average over the searched range of log10
            base_lr; None where the start is unknown or the learning rates are too few.
        edge_noise: Noise of the late loss by learning rate, ascending; in no verdict.
    """

    series: str
    objective: str
    runs: tuple[SweepRun, ...]
    lr_star: float | None
    tie_band: tuple[float, float] | None
    unstable_base_lr: float | None
    unstable_bracket: tuple[float, float] | None
    verdict: str
    at_range_end: str | None
    sentence: str
    sensitivity: float | None = None
    edge_noise: tuple[EdgeNoise, ...] = ()

    @property
    def infeasible(self) -> tuple[str, ...]:
        """run_ids of the infeasible runs."""
        return tuple(run.run_id for run in self.runs if run.state == "infeasible")

    @property
    def headroom_decades(self) -> float | None:
        """Decades from lr_star to unstable_base_lr; None where either is unknown."""
        if self.lr_star is None or self.unstable_base_lr is None:
            return None
        return math.log10(self.unstable_base_lr / self.lr_star)

    @property
    def at_edge(self) -> bool:
        """Whether lr_star is right at the edge of what is feasible."""
        return self.verdict == "edge"


@dataclass(frozen=True)
class Finding:
    """The answer of one check.

    Attributes:
        code: Stable name of the check; docs/findings.md has a section of that name.
        outcome: "found", "clear" or "not-checked".
        run_ids: Runs the answer rests on.
        sentence: What was found, or why it was not checked, with its numbers.
        evidence: The numbers of the sentence, by name.
    """

    code: str
    outcome: str
    run_ids: tuple[str, ...]
    sentence: str
    evidence: Mapping[str, object]

    @property
    def docs(self) -> str:
        """Section that explains the check."""
        return f"docs/findings.md#{self.code}"


@dataclass(frozen=True)
class Fix:
    """One experiment to try, in the playbook's order.

    Attributes:
        rank: 1 is the first to try.
        fix: "probe", "warmup", "clipping", "optimizer", "architecture" or "lower-lr".
        state: "suggested", "tried", "failed" or "confirmed".
        because: Codes of the findings it rests on.
        sentence: What to do and why, numbers filled in.
        numbers: The numbers, by name (base_lr, warmup_steps, clip_threshold, ...).
        command: The command that runs it.
        fixed_when: What must be seen to call it fixed.
    """

    rank: int
    fix: str
    state: str
    because: tuple[str, ...]
    sentence: str
    numbers: Mapping[str, object]
    command: str
    fixed_when: str


@dataclass(frozen=True)
class Diagnosis:
    """A study, judged: what `diagnose` returns and every page shows."""

    study: Study
    sweeps: tuple[LrSweep, ...]
    runs: tuple[RunDiagnosis, ...]
    findings: tuple[Finding, ...]
    fixes: tuple[Fix, ...]

    @property
    def next_fix(self) -> Fix | None:
        """The first fix that the study's own runs have neither confirmed nor refuted."""
        return next((fix for fix in self.fixes if fix.state not in ("confirmed", "failed")), None)

    @property
    def confirmed_fix(self) -> Fix | None:
        """The first fix that the study's own runs have confirmed."""
        return next((fix for fix in self.fixes if fix.state == "confirmed"), None)

    def finding(self, code: str) -> Finding:
        """Returns the finding of a check by its code."""
        return next(finding for finding in self.findings if finding.code == code)
