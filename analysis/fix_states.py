"""What the study's own runs already say of a fix: suggested, tried, failed or confirmed."""

from analysis.fix_commands import REPAIRED
from analysis.results import Diagnosis, LrSweep, RunDiagnosis
from analysis.runlog import schema
from analysis.series import series_key

CHANGES = {"warmup": schema.WARMUP_STEPS, "clipping": schema.CLIP_THRESHOLD}
SEEDS_AT_LEAST = 3  # fewer seeds are inconclusive (ours)


def state_of(diagnosis: Diagnosis, sweep: LrSweep | None, fix: str) -> str:
    """Judges a fix by runs of the study that change its factor alone, at learning rates that were unstable without.

    Confirmed: one setting held in every seed, 3 or more. Failed: no setting held in any seed, 3 or more seeds.
    Tried: anything between. An optimizer needs a learning-rate sweep of its own: never judged at another's rates.
    """
    if sweep is None or sweep.unstable_base_lr is None:
        return "suggested"
    member = next(judged for judged in diagnosis.runs if judged.series == sweep.series)
    workload = str(member.run.record.get(schema.WORKLOAD))
    factor = REPAIRED[workload][0] if fix == "architecture" and workload in REPAIRED else CHANGES.get(fix)
    if factor is None:
        return "suggested"
    settings: dict[tuple, list[RunDiagnosis]] = {}
    for judged in runs_with(diagnosis, sweep, member, factor):
        settings.setdefault((judged.series, judged.run.base_lr), []).append(judged)
    if not settings:
        return "suggested"
    enough = [group for group in settings.values() if len(group) >= SEEDS_AT_LEAST]
    if any(all(judged.verdict == "stable" for judged in group) for group in enough):
        return "confirmed"
    if enough and not any(judged.verdict == "stable" for group in settings.values() for judged in group):
        return "failed"
    return "tried"


def runs_with(diagnosis: Diagnosis, sweep: LrSweep, member: RunDiagnosis, factor: str) -> list[RunDiagnosis]:
    """Returns the runs that differ from the sweep's series in one factor (and in length), at unstable rates."""
    ignored = (factor, schema.MAX_TRAIN_STEPS)

    def rest(judged: RunDiagnosis) -> tuple:
        return tuple(item for item in series_key(judged.run) if item[0] not in ignored)

    return [
        judged
        for judged in diagnosis.runs
        if judged.series != sweep.series
        and rest(judged) == rest(member)
        and judged.run.record.get(factor)
        and (judged.run.base_lr or 0) >= sweep.unstable_base_lr
    ]
