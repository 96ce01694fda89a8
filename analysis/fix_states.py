"""What the study's own runs already say of a fix: suggested, tried, failed or confirmed."""

from collections.abc import Sequence

from analysis.fix_commands import OPTIMIZER_OPTIONS, REPAIRED, is_clip_option, own_names
from analysis.fix_outcomes import Setting, compare_checkpoints, is_full
from analysis.results import Diagnosis, LrSweep, RunDiagnosis
from analysis.runlog import schema
from analysis.series import series_key
from analysis.swap_outcome import judge_optimizer

LENGTH = {schema.MAX_TRAIN_STEPS, schema.SCHEDULE}  # a search may be shorter than training, and hold its peak
MOST_THRESHOLDS = 6  # ours: halved that often, a threshold is 1/32; more than half is clipped long before
STATES = {"held": "confirmed", "failed": "failed", "inconclusive": "tried"}


def state_of(diagnosis: Diagnosis, sweep: LrSweep | None, fix: str) -> str:
    """Judges a fix by runs of the study that change its factor alone.

    Confirmed: a setting of full length held where training was unstable without, or ended better. Failed: a setting
    failed, none held, and of thresholds none is left to try. Tried: anything between. Another optimizer is judged at
    its own best learning rate, by its own sweep; a lower learning rate by the runs at it, whoever asked for them.
    """
    if sweep is None or sweep.lr_star is None or sweep.unstable_base_lr is None:
        return "suggested"
    members = [judged for judged in diagnosis.runs if judged.series == sweep.series]
    baseline = Setting(sweep.series, tuple(judged for judged in members if judged.run.base_lr == sweep.lr_star))
    settings = find_settings(diagnosis, members[0], fix)
    if fix == "optimizer":
        return state_of_optimizer(diagnosis, settings, baseline)
    if fix == "lower-lr":
        lower = lower_rate(sweep)
        return next((STATES[setting.verdict] for setting in settings if setting.base_lr == lower), "suggested")
    baseline, *settings = compare_checkpoints(baseline, settings)
    told = [
        setting
        for setting in settings
        if setting.base_lr >= sweep.unstable_base_lr or setting.best_loss < baseline.best_loss
    ]
    if not told:
        return "suggested"
    if any(setting.verdict == "held" and is_full(setting, baseline) for setting in told):
        return "confirmed"
    verdicts = {setting.verdict for setting in told}
    is_failed = "failed" in verdicts and "held" not in verdicts and (fix != "clipping" or is_spent(told))
    return "failed" if is_failed else "tried"


def lower_rate(sweep: LrSweep) -> float:
    """Returns the learning rate to stay at: the highest stable one, unless the best are all below it."""
    if sweep.unstable_bracket is None:
        return sweep.unstable_base_lr / 2
    return min(sweep.unstable_bracket[0], sweep.tie_band[1])


def is_spent(told: Sequence[Setting]) -> bool:
    """Whether no tighter threshold is left to try: more than half of the updates are clipped, or the search ended."""
    return any(setting.is_extreme for setting in told) or len(told) >= MOST_THRESHOLDS


def find_settings(diagnosis: Diagnosis, member: RunDiagnosis, fix: str) -> list[Setting]:
    """Returns the settings that differ from a series in the factor of a fix alone, in order of their label."""
    groups: dict[tuple, list[RunDiagnosis]] = {}
    for judged in diagnosis.runs:
        if judged.run.base_lr is not None and changes(fix, member, judged):
            groups.setdefault((judged.series, judged.run.base_lr), []).append(judged)
    return [Setting(f"{series}, base_lr={rate:g}", tuple(runs)) for (series, rate), runs in sorted(groups.items())]


def changes(fix: str, member: RunDiagnosis, judged: RunDiagnosis) -> bool:
    """Whether a run differs from a member of the series in the factor of a fix, and in no other."""
    before, after = dict(series_key(member.run)), dict(series_key(judged.run))
    differing = {name for name in before | after if before.get(name) != after.get(name)} - LENGTH
    record, workload = judged.run.record, str(member.run.record.get(schema.WORKLOAD))
    if fix == "warmup":
        return differing == {schema.WARMUP_STEPS} and bool(record.get(schema.WARMUP_STEPS))
    if fix == "clipping":
        on = {schema.CLIP_THRESHOLD, schema.CLIP_RULE} & after.keys()
        return bool(differing and on) and all(name in on or is_clip_option(name) for name in differing)
    if fix == "optimizer":
        return schema.OPTIMIZER in differing and differing <= {schema.OPTIMIZER, *OPTIMIZER_OPTIONS}
    if fix == "architecture":
        known = {REPAIRED[workload][0]} if workload in REPAIRED else set()
        tried = {record.get(schema.CHANGED)} & {name for name in own_names(record) if not is_clip_option(name)}
        return len(differing) == 1 and differing <= known | tried - set(OPTIMIZER_OPTIONS)
    return not differing and judged.series == member.series


def state_of_optimizer(diagnosis: Diagnosis, settings: Sequence[Setting], baseline: Setting) -> str:
    """Judges the sweep of each other optimizer; the best of their verdicts counts."""
    states = set()
    for sweep in diagnosis.sweeps:
        own = [setting for setting in settings if setting.runs[0].series == sweep.series]
        if own:
            states.add(STATES[judge_optimizer(sweep, own, baseline).verdict])
    return next((state for state in ("confirmed", "tried", "failed") if state in states), "suggested")
