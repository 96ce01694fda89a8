"""CHECKS: one question each about a judged study. A check that cannot be asked says why."""

from collections import Counter
from collections.abc import Iterable

import numpy as np

from analysis.checks_of_lr import check_batch_size, check_double_check, check_edge, check_range_end, check_warmup_budget
from analysis.checks_of_norm import check_extreme_clipping, check_gradient_outliers
from analysis.eval_gaps import blind_reason, first_evaluation
from analysis.judge import curve_of
from analysis.lr_words import number
from analysis.results import Diagnosis, Event, Finding, RunDiagnosis
from analysis.runlog import schema


def pairs(diagnosis: Diagnosis, kind: str) -> list[tuple[RunDiagnosis, Event]]:
    """Returns (run, first confirmed event of that kind) of every run that has one and does rise."""
    found = []
    for judged in diagnosis.runs:
        events = [event for event in judged.confirmed if event.kind == kind and event.rule != "stuck"]
        if events:
            found.append((judged, events[0]))
    return found


def where(runs: Iterable[RunDiagnosis]) -> str:
    """Says at which learning rates runs lie: " at learning rate 0.3 and 1", or "" where unknown."""
    lrs = sorted({judged.run.base_lr for judged in runs if judged.run.base_lr is not None})
    if not lrs:
        return ""
    shown = [number(lr) for lr in lrs]
    if len(shown) > 3:
        return f" at learning rates from {shown[0]} to {shown[-1]}"
    return f" at learning rate {' and '.join([', '.join(shown[:-1]), shown[-1]] if shown[:-1] else shown)}"


def span_of(values: list[int]) -> str:
    """Returns "step 3", or "steps 1 to 8"."""
    low, high = min(values), max(values)
    return f"step {low:,}" if low == high else f"steps {low:,} to {high:,}"


def check_early(diagnosis: Diagnosis) -> Finding:
    """Asks whether the loss rose at initialisation or in the first steps (PLAYBOOK P2)."""
    code, hits = "early-instability", pairs(diagnosis, "early")
    total = len(diagnosis.runs)
    if hits:
        ids = tuple(judged.run.run_id for judged, _ in hits)
        lost = sum(event.outcome != "recovered" for _, event in hits)
        tail = f"; {lost} of them never came back" if lost else "; all of them came back"
        sentence = (
            f"In {len(hits)} of {total} runs{where(judged for judged, _ in hits)} the loss rose early, "
            f"starting at {span_of([event.onset_step for _, event in hits])}{tail}."
        )
        return Finding(code, "found", ids, sentence, {"runs": len(hits), "lost": lost})
    blind = [judged for judged in diagnosis.runs if judged.early == "cannot-tell"]
    if blind:
        ids = tuple(judged.run.run_id for judged in blind)
        sentence = f"Cannot tell for {len(blind)} of {total} runs: {say_reasons(blind)}. The 500-step probe shows it."
        return Finding(code, "not-checked", ids, sentence, {"runs": len(blind)})
    ids = tuple(judged.run.run_id for judged in diagnosis.runs)
    return Finding(
        code, "clear", ids, f"No rise in the first steps of any of {total} runs, logged every step.", {"runs": total}
    )


def say_reasons(blind: Iterable[RunDiagnosis]) -> str:
    """Says why first steps cannot be seen: the reason of all, or the most frequent two with their numbers of runs."""
    (reason, num), *others = Counter(map(reason_of, blind)).most_common()
    if not others:
        return reason
    (second, num_second), *rest = others
    num_rest = sum(times for _, times in rest)
    tail = f", in {num_rest} for other reasons" if rest else ""
    return f"in {num} {reason}, in {num_second} {second}{tail}"


def reason_of(judged: RunDiagnosis) -> str:
    """Says why a run's first steps cannot be seen."""
    curve = curve_of(judged.run)
    if curve is None:
        return "no finite loss was logged"
    return blind_reason(judged.run, curve) or "a small early rise cannot be told from noise"


def check_mid_training(diagnosis: Diagnosis) -> Finding:
    """Asks whether the loss rose after a steady decline (PLAYBOOK P2)."""
    code, hits = "mid-training-instability", pairs(diagnosis, "mid-training")
    total = len(diagnosis.runs)
    ids = tuple(judged.run.run_id for judged, _ in hits)
    if hits:
        lost = sum(event.outcome != "recovered" for _, event in hits)
        first = min(hits, key=lambda hit: hit[1].onset_step)[1]
        level = "" if first.level_before is None else f", from a loss of {number(first.level_before)}"
        sentence = (
            f"In {len(hits)} of {total} runs{where(judged for judged, _ in hits)} the loss rose mid-training, "
            f"the first at step {first.onset_step:,}{level}; {lost} did not come back."
        )
        return Finding(
            code, "found", ids, sentence, {"runs": len(hits), "lost": lost, "first_onset_step": first.onset_step}
        )
    points = [len(judged.run.loss[0]) for judged in diagnosis.runs]
    if not points or max(points) < 14:
        return Finding(
            code, "not-checked", (), f"Too few losses were logged: {max(points, default=0)} in the longest run.", {}
        )
    ids = tuple(judged.run.run_id for judged in diagnosis.runs)
    sentence = f"No rise after a decline in {total} runs, as far as {sum(points):,} logged losses can show."
    return Finding(code, "clear", ids, sentence, {"runs": total, "points": sum(points)})


def check_stuck(diagnosis: Diagnosis) -> Finding:
    """Asks whether runs ended at chance level without any rise (PLAYBOOK P5)."""
    code = "stuck-at-chance"
    known = [judged for judged in diagnosis.runs if judged.run.record.get(schema.BASELINE_LOSS) is not None]
    if not known:
        return Finding(code, "not-checked", (), "No run names its baseline_loss, the loss of a constant predictor.", {})
    stuck = [judged for judged in known if any(event.rule == "stuck" for event in judged.confirmed)]
    ids = tuple(judged.run.run_id for judged in stuck or known)
    if stuck:
        level = number(float(stuck[0].run.record[schema.BASELINE_LOSS]))
        verb = "ends" if len(stuck) == 1 else "end"
        sentence = f"{len(stuck)} of {len(known)} runs{where(stuck)} {verb} at chance level, a loss of {level}."
        return Finding(code, "found", ids, sentence, {"runs": len(stuck)})
    return Finding(code, "clear", ids, f"None of {len(known)} runs is stuck at chance level.", {"runs": len(known)})


def check_non_finite(diagnosis: Diagnosis) -> Finding:
    """Asks whether runs ended in NaN or infinity (PLAYBOOK P2)."""
    code = "non-finite"
    lost = [
        judged
        for judged in diagnosis.runs
        if any(event.outcome == "diverged" for event in judged.confirmed)
        or (len(judged.run.loss[1]) and not np.isfinite(judged.run.loss[1]).any())
    ]
    ids = tuple(judged.run.run_id for judged in lost or diagnosis.runs)
    if lost:
        sentence = f"{len(lost)} of {len(diagnosis.runs)} runs{where(lost)} end in a loss that is not finite."
        return Finding(code, "found", ids, sentence, {"runs": len(lost)})
    hidden = [judged for judged in diagnosis.runs if judged.run.log.non_finite not in ("kept", "unknown")]
    if hidden:
        return Finding(code, "not-checked", ids, f"The log lost them: {hidden[0].run.log.non_finite}.", {})
    return Finding(code, "clear", ids, f"All losses at the end of {len(diagnosis.runs)} runs are finite.", {})


def check_evaluation_gap(diagnosis: Diagnosis) -> Finding:
    """Asks whether the evaluation schedule would have hidden an early rise (PLAYBOOK P4, Figure 5)."""
    code, hits = "evaluation-gap", pairs(diagnosis, "early")
    if not hits:
        blind = any(judged.early == "cannot-tell" for judged in diagnosis.runs)
        if blind:
            return Finding(code, "not-checked", (), "The first steps cannot be seen in this log; run the probe.", {})
        return Finding(code, "clear", (), "There is no early rise that evaluations could have hidden.", {})
    hidden = []
    for judged, event in hits:
        evaluation = first_evaluation(judged.run)
        if evaluation is not None and event.recovery_step is not None and event.recovery_step <= evaluation:
            hidden.append((judged, event, evaluation))
    ids = tuple(judged.run.run_id for judged, _, _ in hidden)
    if hidden:
        last = max(event.recovery_step for _, event, _ in hidden)
        first = min(evaluation for _, _, evaluation in hidden)
        sentence = (
            f"In {len(hidden)} of {len(hits)} runs the early rise is over by step {last:,}, before the first "
            f"evaluation at step {first:,}: only the loss of every step shows it."
        )
        return Finding(
            code, "found", ids, sentence, {"runs": len(hidden), "recovery_step": last, "first_evaluation": first}
        )
    if all(first_evaluation(judged.run) is None for judged, _ in hits):
        return Finding(code, "not-checked", (), "No evaluations were logged.", {})
    return Finding(
        code, "clear", (), f"The {len(hits)} early rises last beyond the first evaluation.", {"runs": len(hits)}
    )


CHECKS = (
    check_edge,
    check_early,
    check_mid_training,
    check_stuck,
    check_non_finite,
    check_evaluation_gap,
    check_gradient_outliers,
    check_extreme_clipping,
    check_range_end,
    check_double_check,
    check_batch_size,
    check_warmup_budget,
)
