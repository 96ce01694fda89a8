"""Every number in a sentence of a diagnosis is one of what the sentence speaks of, to its last digit.

The sentences of the sample study, of known curves, and of the folders that `tests.sentences` is given.
"""

from collections import Counter
from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from analysis.grad_norm import OUTLIER_RATIO
from analysis.headline import write_headline
from analysis.lr_sweep import LRS_AT_LEAST
from analysis.published import publish
from tests.sentences import diagnose_named, given_folders, known_studies, numbers_in, unsaid

OF_ALL_RUNS = ("edge-of-instability", "evaluation-gap", "extreme-clipping")  # name counts of more than their runs
CONSTANTS = {  # numbers of rules that sentences name
    "edge-of-instability": {LRS_AT_LEAST},
    "sweep": {LRS_AT_LEAST},
    "gradient-outliers": {OUTLIER_RATIO},
    "double-check": {5, 10},
    "early-instability": {500},  # the playbook's probe
    "headline": {500, LRS_AT_LEAST},
    "fixes": {90, 0, 1},  # the percentile of the playbook; branches that start at 0, one seed
}


def facts_of(runs):
    """Returns the numbers that can be said of runs: theirs, and how many are alike."""
    found = {float(len(runs))}
    for run in runs:
        found |= set(
            numbers_in({name: run[name] for name in ("base_lr", "num_steps", "events", "grad_norm", "clipping")})
        )
    rates = Counter((run["series"], run["base_lr"]) for run in runs)
    unstable = Counter((run["series"], run["base_lr"]) for run in runs if run["verdict"] == "unstable")
    outcomes = Counter(event["outcome"] for run in runs for event in run["events"])
    outcomes["clipped"] = sum(run["clipping"] is not None for run in runs)
    outcomes["early"] = sum(run["early"] == "seen" for run in runs)
    return (
        found
        | {float(n) for counts in (rates, unstable, outcomes) for n in counts.values()}
        | {float(unstable.total())}
    )


def seen_in_runs(diagnosis):
    """Returns what the runs themselves show and their JSON leaves out: levels and peaks of rises, chance, lost rows."""
    found = set()
    for judged in diagnosis.runs:
        for event in judged.events:
            if event.level_before is not None and event.rise is not None:
                peak = event.level_before + event.rise
                found |= {event.level_before, peak, peak / event.level_before}
        found.add(float(judged.run.record.get("baseline_loss") or 0))
        steps, loss = judged.run.loss
        found |= {float(steps[-1]), float(steps[-1] - np.isfinite(loss).sum())} if len(steps) else set()
    return found


def blind_spots_of(runs):
    """Returns what a log hides: its spacing, the longest rise and the highest single step that leave no trace."""
    found = set()
    for run in runs:
        spacing, averaged = run["log"]["stride"], run["log"]["averaged_over"] or 1
        found |= {float(each) for each in (spacing, spacing - 1, run["log"]["first_step"], averaged, averaged + 1)}
    return found


def times_of(diagnosis):
    """Returns how many times the loss of one learning rate is that of another, in every pair of a sweep."""
    found = set()
    for swept in diagnosis.sweeps:
        by_lr = {}
        for run in swept.runs:
            by_lr.setdefault(run.base_lr, []).append(run.objective)
        medians = [float(np.median(values)) for values in by_lr.values()]
        found |= {one / other for one, other in permutations(medians, 2) if other}
    return found


def sentences_of(diagnosis):
    """Yields (what it is, sentence, numbers it may name)."""
    told = publish(diagnosis)
    of_study = set(numbers_in([{**each, "sentence": ""} for each in told["study"]["sweeps"]]))
    seen = seen_in_runs(diagnosis)
    everything, by_id = facts_of(told["runs"]) | seen, {run["run_id"]: run for run in told["runs"]}
    for finding in told["findings"]:
        named = facts_of([by_id[run_id] for run_id in finding["run_ids"]])
        own = set(numbers_in(finding["evidence"])) | seen | CONSTANTS.get(finding["code"], set())
        counts = {float(len(told["runs"]))} | (everything if finding["code"] in OF_ALL_RUNS else set())
        if finding["code"] == "early-instability":
            own |= blind_spots_of([by_id[run_id] for run_id in finding["run_ids"]] or told["runs"])
        if finding["code"] == "warmup-budget":
            own |= {one + other for one, other in permutations(named | own, 2)}
        if finding["code"] == "double-check":
            own |= {times * swept.lr_star for times in (5, 10) for swept in diagnosis.sweeps if swept.lr_star}
        yield finding["code"], finding["sentence"], named | own | counts | of_study
    for swept in told["study"]["sweeps"]:
        yield "sweep", swept["sentence"], of_study | everything | CONSTANTS["sweep"]
    for fix in told["fixes"]:
        yield fix["fix"], fix["sentence"], set(numbers_in(fix["numbers"])) | of_study | everything | CONSTANTS["fixes"]
    headline = write_headline(diagnosis)
    evidence = {number for finding in told["findings"] for number in numbers_in(finding["evidence"])}
    known = everything | of_study | evidence | times_of(diagnosis) | blind_spots_of(told["runs"])
    for text in (headline.title, headline.evidence, *(chip.text for chip in headline.chips)):
        yield "headline", text, known | CONSTANTS["headline"]


def unfounded(diagnosis):
    """Returns the sentences that name a number of nothing they speak of, with that number."""
    return [
        (kind, number, sentence)
        for kind, sentence, known in sentences_of(diagnosis)
        for number in unsaid(sentence, known)
    ]


@pytest.mark.parametrize("name", [*known_studies(), *given_folders()])
def test_every_number_in_a_sentence_is_one_of_what_it_speaks_of(name):
    assert unfounded(diagnose_named(name)) == []


@pytest.mark.parametrize(
    ("code", "said", "wrong"),
    [
        ("edge-of-instability", "at 0.2", "at 0.25"),
        ("early-instability", "In 6 of", "In 17 of"),
        ("mid-training-instability", "4,800", "4,900"),
        ("evaluation-gap", "step 12", "step 13"),
        ("gradient-outliers", "80", "81"),
    ],
)
def test_a_wrong_number_is_seen(code, said, wrong):
    diagnosis = diagnose_named("sample")
    assert any(said in each.sentence for each in diagnosis.findings if each.code == code)
    findings = tuple(
        replace(each, sentence=each.sentence.replace(said, wrong)) if each.code == code else each
        for each in diagnosis.findings
    )
    assert [kind for kind, _, _ in unfounded(replace(diagnosis, findings=findings))] == [code]
