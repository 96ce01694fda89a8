"""A study as it was at an earlier moment: cut back to the runs and rows of then, and judged."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from analysis.findings import diagnose
from analysis.frozen import MAY_CHANGE, FrozenRun, changing_part, digest_rows
from analysis.judge import JudgedRuns
from analysis.results import Diagnosis, RunDiagnosis
from analysis.runlog import Run, Study
from analysis.runlog.describe import describe_log


@dataclass(frozen=True)
class AsItWas:
    """A study cut back to an earlier moment, and what became of it since.

    Attributes:
        diagnosis: The study as it was, judged.
        num_new: Runs that have come since; left out.
        num_longer: Runs that have gone on since; their later rows are left out.
        num_gone: Runs that are not in the study any more.
        num_changed: Runs whose rows of then are others now; left out.
    """

    diagnosis: Diagnosis
    num_new: int = 0
    num_longer: int = 0
    num_gone: int = 0
    num_changed: int = 0


def cut_back(now: Diagnosis, frozen: Iterable[FrozenRun], fingerprint: str) -> AsItWas:
    """Returns a study as it was.

    Args:
        now: The study as it is, judged; runs that have not changed keep their judgment.
        frozen: What was noted of its runs.
        fingerprint: Of the study as it was.

    Returns:
        The study with the runs and rows that were noted, judged by today's rules.
    """
    noted, by_id = {each.run_id: each for each in frozen}, now.study.by_id
    cut = {run_id: cut_run(by_id[run_id], noted[run_id]) for run_id in noted if run_id in by_id}
    kept = {run_id: run for run_id, run in cut.items() if run is not None}
    if lost := sorted(noted.keys() - kept.keys()):
        fingerprint += f" without {hashlib.sha256(repr(lost).encode()).hexdigest()}"
    study = Study(now.study.name, tuple(kept[run_id] for run_id in sorted(kept)), fingerprint)
    return AsItWas(
        diagnose(study, known=_Known(now.runs)),
        num_new=len(by_id.keys() - noted.keys()),
        num_longer=sum(by_id[run_id].steps.num_rows > run.steps.num_rows for run_id, run in kept.items()),
        num_gone=len(noted.keys() - by_id.keys()),
        num_changed=len(cut) - len(kept),
    )


def cut_run(run: Run, noted: FrozenRun) -> Run | None:
    """Returns a run with the rows that it had; the run itself if it had all; None if they were others."""
    steps = run.steps.slice(0, noted.num_rows)
    if steps.num_rows < noted.num_rows or not noted.num_rows:
        return None
    if noted.digest and digest_rows(steps) != noted.digest:
        return None
    has_grown = run.steps.num_rows > noted.num_rows
    if not has_grown and (noted.record is None or dict(noted.record) == changing_part(run)):
        return run
    record = dict(run.record)
    if noted.record is not None:
        record = {name: value for name, value in record.items() if name not in MAY_CHANGE} | dict(noted.record)
    return Run(record, steps, describe_log(steps, record, run.log.notes, run.log.non_finite))


class _Known(JudgedRuns):
    """Judgments of runs that have not changed."""

    def __init__(self, judged: Sequence[RunDiagnosis]):
        super().__init__(most=2 * len(judged) + 1)  # none of them is forgotten
        self._known = {id(each.run): each for each in judged}
