"""What suggestions rest on: the series that instability limits, its unstable and its healthy runs."""

from dataclasses import dataclass

from analysis.results import Diagnosis, LrSweep, RunDiagnosis

EVENTS = ("early-instability", "mid-training-instability", "stuck-at-chance", "non-finite")


@dataclass(frozen=True)
class Case:
    """What the suggestions rest on.

    Attributes:
        sweep: The sweep whose edge limits the learning rate; None where only single runs are at hand.
        unstable: Runs with events in that series, lowest learning rate first.
        healthy: Its stable runs, lr_star first, then lower learning rates.
        members: All its runs, ascending in base_lr.
        because: Codes of the findings that ask for a fix.
        diagnosis: The whole.
    """

    sweep: LrSweep | None
    unstable: tuple[RunDiagnosis, ...]
    healthy: tuple[RunDiagnosis, ...]
    members: tuple[RunDiagnosis, ...]
    because: tuple[str, ...]
    diagnosis: Diagnosis

    @property
    def example(self) -> RunDiagnosis:
        """The run that commands and numbers are taken from."""
        return (self.unstable or self.healthy or self.members)[0]

    @property
    def unstable_base_lr(self) -> float | None:
        """Where the workload becomes unstable: of the sweep, else of the unstable run."""
        return self.sweep.unstable_base_lr if self.sweep else self.example.run.base_lr


def find_case(diagnosis: Diagnosis) -> Case | None:
    """Finds the series that a fix would help: one at the edge, else unstable runs that belong to no judged sweep."""
    because = tuple(
        finding.code for finding in diagnosis.findings if finding.outcome == "found" and finding.code in EVENTS
    )
    for sweep in diagnosis.sweeps:
        if sweep.at_edge:
            members = [judged for judged in diagnosis.runs if judged.series == sweep.series]
            return make_case(diagnosis, sweep, members, ("edge-of-instability", *because))
    judged_series = {sweep.series for sweep in diagnosis.sweeps if sweep.verdict != "not-enough-runs"}
    alone = [judged for judged in diagnosis.runs if judged.series not in judged_series]
    if any(judged.verdict == "unstable" for judged in alone):
        return make_case(diagnosis, None, alone, because)
    return None


def make_case(diagnosis: Diagnosis, sweep: LrSweep | None, members: list[RunDiagnosis], because) -> Case:
    """Sorts the runs of a series into unstable and healthy ones."""
    star = sweep.lr_star if sweep else None
    by_lr = sorted(members, key=lambda judged: (judged.run.base_lr or 0.0, judged.run.run_id))
    unstable = tuple(
        judged
        for judged in by_lr
        if judged.verdict == "unstable" and (star is None or (judged.run.base_lr or 0) > star)
    )
    stable = [
        judged for judged in by_lr if judged.verdict == "stable" and (star is None or (judged.run.base_lr or 0) <= star)
    ]
    return Case(sweep, unstable, tuple(reversed(stable)), tuple(by_lr), because, diagnosis)
