"""The one sentence that matters, its evidence, and what kind of thing it is. Every word is computed.

Pattern: where, what happens, when; then the evidence; then the first fix.
"""

from dataclasses import dataclass

import numpy as np

from analysis.lr_words import number, say_times
from analysis.results import Diagnosis, Event, LrSweep, RunDiagnosis
from analysis.series import shorten_label

FIX_WORDS = {
    "probe": "Run the 500-step probe first.",
    "warmup": "Warmup is the first fix to try.",
    "clipping": "Gradient clipping is the first fix to try.",
    "optimizer": "Another optimizer is the first fix to try.",
    "architecture": "The architecture is the first thing to look at.",
    "lower-lr": "Lower the learning rate.",
}


CONFIRMED_WORDS = {"warmup": "warmup", "clipping": "gradient clipping"}  # another architecture is named as the control


@dataclass(frozen=True)
class Chip:
    """A short label: kind is "found" (colored), "unseen" (about what the log can show) or "strength"."""

    text: str
    kind: str


@dataclass(frozen=True)
class Headline:
    """What a person reads first.

    Attributes:
        title: At most about 66 characters.
        evidence: One to three sentences.
        chips: At most four.
    """

    title: str
    evidence: str
    chips: tuple[Chip, ...]


def write_headline(diagnosis: Diagnosis) -> Headline:
    """Writes the verdict of a study."""
    edge = next((sweep for sweep in diagnosis.sweeps if sweep.at_edge), None)
    if edge is not None:
        return headline_of_edge(diagnosis, edge)
    judged = next((sweep for sweep in diagnosis.sweeps if sweep.verdict != "not-enough-runs"), None)
    if judged is not None:
        return headline_of_no_edge(diagnosis, judged)
    return headline_of_runs(diagnosis)


def first_fix(diagnosis: Diagnosis) -> str:
    """Names the fix that holds, or the first to try, in a sentence; "" without one."""
    fix = diagnosis.confirmed_fix
    if fix is not None and fix.fix in CONFIRMED_WORDS:
        return f"Verified by experiment: {CONFIRMED_WORDS[fix.fix]} holds it steady."
    return FIX_WORDS[diagnosis.next_fix.fix] if diagnosis.next_fix else ""


def main_event(runs: list[RunDiagnosis]) -> tuple[RunDiagnosis, Event] | None:
    """Returns the event that says most: the first confirmed one of the lowest unstable learning rate."""
    for judged in sorted(runs, key=lambda judged: judged.run.base_lr or 0.0):
        rising = [event for event in judged.confirmed if event.rule != "stuck"]
        if rising or judged.confirmed:
            return judged, (rising or list(judged.confirmed))[0]
    return None


def what_happens(events: list[Event]) -> str:
    """Says what training does in events of one kind: "training breaks in its first 5 steps"."""
    first = events[0]
    if first.rule == "stuck":
        return "training stays at chance level"
    if first.kind == "early":
        # one that comes back is over soon after its peak; the peak of one that stays up may come at any time
        last = max(event.peak_step if event.outcome == "recovered" else event.onset_step for event in events)
        return f"training breaks in its first {last + 1:,} steps"
    onset = min(event.onset_step for event in events)
    return f"the loss climbs from step {onset:,}" + ("" if first.outcome == "recovered" else " and stays up")


def headline_of_edge(diagnosis: Diagnosis, sweep: LrSweep) -> Headline:
    """Writes the headline of a series whose best learning rate sits at the edge."""
    members = [judged for judged in diagnosis.runs if judged.series == sweep.series and judged.run.base_lr is not None]
    above = [judged for judged in members if judged.run.base_lr >= sweep.unstable_base_lr]
    hit = main_event(above)
    if hit is None:
        title = f"{past_edge(sweep)}, training ends at a high loss"
        return Headline(title, f"{sweep.sentence} {first_fix(diagnosis)}".strip(), (Chip("Best at the edge", "found"),))
    judged, event = hit
    same = [
        e for j in above for e in j.confirmed[:1] if (e.kind, e.rule == "stuck") == (event.kind, event.rule == "stuck")
    ]
    title = f"{past_edge(sweep)}, {what_happens([event, *same])}"
    evidence = " ".join(
        part for part in (at_rate(sweep, members, judged), control(diagnosis, sweep), first_fix(diagnosis)) if part
    )
    return Headline(title, evidence, chips_of(diagnosis, event, sweep))


def past_edge(sweep: LrSweep) -> str:
    """Says where training is unstable; no rate above the best is stable where the best itself is not."""
    if sweep.unstable_bracket is not None:
        return f"Above learning rate {number(sweep.unstable_bracket[0])}"
    return f"From learning rate {number(sweep.unstable_base_lr)} on"


def at_rate(sweep: LrSweep, members: list[RunDiagnosis], judged: RunDiagnosis) -> str:
    """Says how far the loss rose at a learning rate, in how many seeds, and how it ended against the best."""
    base_lr = judged.run.base_lr
    here = [j for j in members if j.run.base_lr == base_lr]
    rose = [(j, e) for j in here for e in j.confirmed[:1] if e.rule != "stuck"]
    if not rose:
        return sweep.sentence
    ratios = [(e.level_before + e.rise) / e.level_before for _, e in rose if e.rise is not None and e.level_before]
    lost = all(e.outcome == "diverged" for _, e in rose)
    far = (
        "the loss rises until it is no longer finite"
        if lost or not ratios
        else f"the loss rises to {say_times(max(ratios))} times its level before"
    )
    ends = {mark.base_lr: [] for mark in sweep.runs}
    for mark in sweep.runs:
        ends[mark.base_lr].append(mark.objective)
    there, best = np.median(ends.get(base_lr, [np.nan])), np.median(ends[sweep.lr_star])
    worse = there / best if best > 0 else np.nan
    tail = (
        f", and ends {say_times(worse)} times higher than at {number(sweep.lr_star)}"
        if np.isfinite(worse) and worse >= 1.5
        else ""
    )
    seeds = f"in {len(rose)} of {len(here)} seeds" if len(here) > 1 else "in the one run there"
    return f"At {number(base_lr)} {far}, {seeds}{tail}."


def control(diagnosis: Diagnosis, edge: LrSweep) -> str:
    """Says that another judged series is steady where this one breaks, "" without one."""
    for sweep in diagnosis.sweeps:
        if sweep.series == edge.series or sweep.verdict == "not-enough-runs":
            continue
        limit = sweep.unstable_base_lr or np.inf
        reach = max(mark.base_lr for mark in sweep.runs)
        if limit > edge.unstable_base_lr and reach >= edge.unstable_base_lr:
            return f"With {shorten_label(sweep.series, [edge.series])} it stays steady there."
    return ""


def chips_of(diagnosis: Diagnosis, event: Event, sweep: LrSweep | None) -> tuple[Chip, ...]:
    """Writes the chips: kind, strength, and what the evaluations could not see."""
    kind = (
        "Stuck at chance"
        if event.rule == "stuck"
        else "Early instability"
        if event.kind == "early"
        else "Breaks mid-training"
    )
    chips = [Chip(kind, "found")]
    if sweep is not None:
        at = [mark for mark in sweep.runs if mark.base_lr == sweep.unstable_base_lr]
        hit = sum(mark.state != "feasible" for mark in at)
        chips.append(Chip(f"{hit} of {len(at)} seeds" if len(at) > 1 else "1 seed only", "strength"))
    if any(finding.code == "evaluation-gap" and finding.outcome == "found" for finding in diagnosis.findings):
        chips.append(Chip("Over before the first evaluation", "unseen"))
    stride = max((judged.run.log.stride for judged in diagnosis.runs), default=1)
    if stride > 1:
        chips.append(Chip(f"Logged every {stride:,} steps", "unseen"))
    return tuple(chips[:4])


def not_checked(diagnosis: Diagnosis) -> str:
    """Names what could not be seen: an all-clear always does."""
    names = [finding.code.replace("-", " ") for finding in diagnosis.findings if finding.outcome == "not-checked"]
    return f"Not checked: {', '.join(names)}." if names else "Every check could be made."


def headline_of_no_edge(diagnosis: Diagnosis, sweep: LrSweep) -> Headline:
    """Writes the headline of a study whose learning rate is not limited by instability."""
    top = max(mark.base_lr for mark in sweep.runs)
    hit = main_event([judged for judged in diagnosis.runs if judged.series == sweep.series])
    if sweep.verdict == "no-instability-seen" and hit is not None:
        num = sum(judged.verdict == "unstable" for judged in diagnosis.runs)
        title = f"{num} of {len(diagnosis.runs)} runs break{'s' * (num == 1)}, at no learning rate in most seeds"
        said = (event_sentence(hit[1]), sweep.sentence, first_fix(diagnosis))
        return Headline(title, " ".join(part for part in said if part), chips_of(diagnosis, hit[1], None))
    low, high = (number(base_lr) for base_lr in sweep.tie_band)
    titles = {
        "no-instability-seen": f"Nothing unstable up to learning rate {number(top)}",
        "interior": f"Instability does not limit the best learning rate, {number(sweep.lr_star)}",
        "plateau": f"Instability does not limit you: {low} to {high} do equally well",
    }
    chips = (Chip("Range too small", "found"),) if sweep.at_range_end else ()
    return Headline(titles[sweep.verdict], f"{sweep.sentence} {not_checked(diagnosis)}", chips)


def headline_of_runs(diagnosis: Diagnosis) -> Headline:
    """Writes the headline of runs without a learning-rate axis."""
    runs = list(diagnosis.runs)
    if not runs:
        return Headline("No runs yet", "Read your logs, or train a sweep.", ())
    unstable = [judged for judged in runs if judged.verdict == "unstable"]
    hit = main_event(unstable)
    few = diagnosis.sweeps[0].sentence if diagnosis.sweeps else ""
    if hit is not None:
        _, event = hit
        many = f"In {len(unstable)} of {len(runs)} runs " if len(runs) > 1 else ""
        words = what_happens([event])
        title = (many + words) if many else words[0].upper() + words[1:]
        return Headline(
            title,
            " ".join(part for part in (event_sentence(event), first_fix(diagnosis), few) if part),
            chips_of(diagnosis, event, None),
        )
    if unstable:
        return Headline(
            "No finite loss was logged",
            "Training was lost before its first logged step.",
            (Chip("Not finite", "found"),),
        )
    blind = [judged for judged in runs if judged.early == "cannot-tell"]
    points = sum(len(judged.run.loss[0]) for judged in runs)
    if blind:
        reason = next(finding.sentence for finding in diagnosis.findings if finding.code == "early-instability")
        return Headline(
            "Early instability: this log cannot tell", f"{reason} {few}".strip(), (Chip("Cannot tell", "unseen"),)
        )
    title = "No rise in this run" if len(runs) == 1 else f"No rise in any of {len(runs)} runs"
    return Headline(title, f"As far as {points:,} logged losses can show. {few} {not_checked(diagnosis)}", ())


def event_sentence(event: Event) -> str:
    """Says what one event did, with its numbers."""
    if event.rule == "stuck":
        return f"From step {event.onset_step:,} on the loss stays at chance level."
    level = number(event.level_before)
    if event.outcome == "diverged":
        return f"From step {event.onset_step:,} the loss rises from {level} until it is no longer finite."
    peak = number(event.level_before + event.rise)
    end = f"is back by step {event.recovery_step:,}" if event.recovery_step is not None else "does not come back"
    return f"The loss rises from {level} to {peak} at step {event.peak_step:,} and {end}: {event.cost_steps:,} steps."
