"""Checks of the learning-rate axis: the edge, the ends of the range, the double check, confounding."""

from analysis.lr_words import number
from analysis.results import Diagnosis, Finding, LrSweep
from analysis.runlog import schema
from analysis.schedule import read_schedule
from analysis.series import series_key, shorten_label

DOUBLE_CHECK = (4.0, 12.0)  # times lr_star: tested learning rates near the playbook's 5x and 10x
STEADY_DECLINE = 0.9  # of the start: the level before a rise that followed a decline (ours)


def judged_sweeps(diagnosis: Diagnosis) -> list[LrSweep]:
    """Returns the sweeps with enough learning rates to be judged."""
    return [sweep for sweep in diagnosis.sweeps if sweep.verdict != "not-enough-runs"]


def prefix(diagnosis: Diagnosis, sweep: LrSweep) -> str:
    """Names the series in front of a sentence where there are several."""
    others = [other.series for other in judged_sweeps(diagnosis) if other.series != sweep.series]
    return f"{shorten_label(sweep.series, others)}: " if others else ""


def check_edge(diagnosis: Diagnosis) -> Finding:
    """Asks whether lr_star is right at the edge of what is feasible (PLAYBOOK P5)."""
    code, sweeps = "edge-of-instability", judged_sweeps(diagnosis)
    if not sweeps:
        few = diagnosis.sweeps[0].sentence if diagnosis.sweeps else "No run has a learning rate in its record or log."
        return Finding(code, "not-checked", (), few, {})
    edges = [sweep for sweep in sweeps if sweep.at_edge]
    shown = edges or sweeps
    ids = tuple(run.run_id for sweep in shown for run in sweep.runs)
    sentence = " ".join(prefix(diagnosis, sweep) + sweep.sentence for sweep in shown[:3])
    if len(shown) > 3:
        sentence += f" And {len(shown) - 3} more series."
    evidence = {
        sweep.series: {"lr_star": sweep.lr_star, "unstable_base_lr": sweep.unstable_base_lr, "verdict": sweep.verdict}
        for sweep in shown
    }
    return Finding(code, "found" if edges else "clear", ids, sentence, evidence)


def check_range_end(diagnosis: Diagnosis) -> Finding:
    """Asks whether the best lies at the end of the searched range (PLAYBOOK P5)."""
    code, sweeps = "range-end", judged_sweeps(diagnosis)
    if not sweeps:
        return Finding(code, "not-checked", (), "No series has enough learning rates.", {})
    ends = [sweep for sweep in sweeps if sweep.at_range_end]
    ids = tuple(run.run_id for sweep in ends or sweeps for run in sweep.runs)
    if ends:
        sweep = ends[0]
        which = "largest" if sweep.at_range_end == "high" else "smallest"
        star = number(sweep.lr_star)
        sentence = (
            f"{prefix(diagnosis, sweep)}the best learning rate, {star}, is the {which} tried: the range is too small."
        )
        return Finding(
            code, "found", ids, sentence[0].upper() + sentence[1:], {"series": [sweep.series for sweep in ends]}
        )
    return Finding(code, "clear", ids, "The best learning rate lies inside the searched range.", {})


def check_double_check(diagnosis: Diagnosis) -> Finding:
    """Asks what runs at 5 or 10 times lr_star show: a sudden rise after a steady decline (PLAYBOOK P5, Figure 7b)."""
    code, sweeps = "double-check", judged_sweeps(diagnosis)
    if not sweeps:
        return Finding(code, "not-checked", (), "No series has enough learning rates to know the best.", {})
    by_id = {judged.run.run_id: judged for judged in diagnosis.runs}
    above, broken = [], []
    for sweep in sweeps:
        for mark in sweep.runs:
            ratio = mark.base_lr / sweep.lr_star
            if DOUBLE_CHECK[0] <= ratio <= DOUBLE_CHECK[1]:
                above.append(mark.run_id)
                if any(is_sudden_after_decline(by_id[mark.run_id], event) for event in by_id[mark.run_id].confirmed):
                    broken.append(mark.run_id)
    star = number(sweeps[0].lr_star)
    if not above:
        five, ten = number(5 * sweeps[0].lr_star), number(10 * sweeps[0].lr_star)
        return Finding(
            code, "not-checked", (), f"No run at 5 or 10 times the best, {star}: train one at {five} or {ten}.", {}
        )
    if broken:
        sentence = (
            f"{len(broken)} of {len(above)} runs at 5 to 10 times the best decline steadily, then rise suddenly: "
            "it is instability."
        )
        return Finding(code, "found", tuple(broken), sentence, {"runs": len(broken), "of": len(above)})
    sentence = f"None of {len(above)} runs at 5 to 10 times the best rises after a steady decline."
    return Finding(code, "clear", tuple(above), sentence, {"of": len(above)})


def is_sudden_after_decline(judged, event) -> bool:
    """Whether an event is a rise from a level well below the start."""
    _, loss = judged.run.loss
    if event.kind != "mid-training" or event.level_before is None or not len(loss):
        return False
    start = judged.run.record.get(schema.INIT_LOSS_MEAN) or float(loss[0])
    return event.level_before <= STEADY_DECLINE * start


def check_batch_size(diagnosis: Diagnosis) -> Finding:
    """Asks whether runs are compared across batch sizes without a re-tuned learning rate (PLAYBOOK P10)."""
    code = "batch-size"
    sizes: dict[tuple, dict[object, set]] = {}
    for judged in diagnosis.runs:
        size = judged.run.record.get(schema.BATCH_SIZE)
        if size is not None:
            rest = tuple(
                item for item in series_key(judged.run) if item[0] not in (schema.BATCH_SIZE, schema.MAX_TRAIN_STEPS)
            )
            sizes.setdefault(rest, {}).setdefault(size, set()).add(judged.run.base_lr)
    if not sizes:
        return Finding(code, "not-checked", (), "No run names its batch size.", {})
    confounded = [by_size for by_size in sizes.values() if len(by_size) > 1 and min(map(len, by_size.values())) < 4]
    if confounded:
        values = ", ".join(str(size) for size in sorted(confounded[0]))
        sentence = (
            f"Batch sizes {values} are compared without a learning-rate sweep for each: the comparison is confounded. "
            "Batch size is not a fix for instability."
        )
        return Finding(code, "found", (), sentence, {"batch_sizes": sorted(confounded[0])})
    return Finding(
        code, "clear", (), "No runs are compared across batch sizes without their own learning-rate sweep.", {}
    )


def check_warmup_budget(diagnosis: Diagnosis) -> Finding:
    """Asks whether warmup was prepended to training or taken out of it (PLAYBOOK P7)."""
    code = "warmup-budget"
    ended = [judged for judged in diagnosis.runs if judged.run.record.get(schema.STATUS) in (None, "finished")]
    schedules = [(judged.run, read_schedule(judged.run)) for judged in ended]
    warmed = [(run, found) for run, found in schedules if found is not None and found.warmup_steps]
    if not warmed:
        sentence = "No finished run has a warmup in its logged learning rate."
        return Finding(code, "clear" if any(found for _, found in schedules) else "not-checked", (), sentence, {})
    taken = [(run, found) for run, found in warmed if found.warmup_from == "taken-from-training"]
    if taken:
        _, found = taken[0]
        sentence = (
            f"{len(taken)} of {len(warmed)} warmups were taken out of training: {found.warmup_steps:,} of "
            f"{found.total_steps:,} steps. Prepend them: {found.total_steps + found.warmup_steps:,} steps in all."
        )
        ids = tuple(run.run_id for run, _ in taken)
        return Finding(
            code, "found", ids, sentence, {"warmup_steps": found.warmup_steps, "total_steps": found.total_steps}
        )
    ids = tuple(run.run_id for run, _ in warmed)
    if all(found.warmup_from == "unknown" for _, found in warmed):
        return Finding(code, "not-checked", ids, "No run with warmup names its max_train_steps.", {})
    return Finding(
        code, "clear", ids, f"{len(warmed)} runs have their warmup in front of all their training steps.", {}
    )
