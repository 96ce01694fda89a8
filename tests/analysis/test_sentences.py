"""Every number in a sentence is one of what the sentence speaks of, to its last digit.

The sentences of the sample study and of known curves. `STEADYSTEP_SENTENCES=FOLDER` adds every folder in it as a study.
"""

import os
import re
from collections import Counter
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest

from analysis.findings import diagnose
from analysis.grad_norm import OUTLIER_RATIO
from analysis.headline import write_headline
from analysis.published import publish
from analysis.runlog import read_paths, read_study
from tests import curves
from tests.studies import make_run, make_study, sweep

ROOT = Path(__file__).parents[2]
NUMBER = re.compile(r"(?<![\w.^])\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?%?(?![\w.]*[(=x])")
OF_ALL_RUNS = ("edge-of-instability", "evaluation-gap", "extreme-clipping")  # name counts of more than their runs
CONSTANTS = {  # numbers of rules that sentences name
    "gradient-outliers": {OUTLIER_RATIO},
    "double-check": {5, 10},
    "early-instability": {500},  # the playbook's probe
    "headline": {500},
    "fixes": {90, 0, 1},  # the percentile of the playbook; branches that start at 0, one seed
}


def known_studies():
    """Returns studies by name: an edge beside a control, a steady sweep, single runs of every kind of rise."""
    mids = [
        make_run(curves.mid(400, seed, how).loss, base_lr=0.1, seed=seed)
        for seed, how in enumerate(("recovered", "diverged"))
    ]
    return {
        "edge": make_study(sweep(0.3, stride="1x1") + sweep(9.0, stride="2x2", seeds=2)),
        "steady": make_study(sweep(9.0)),
        "mid-training": make_study(mids),
        "never finite": make_study([make_run(np.full(50, np.nan), base_lr=0.1)]),
        "sample": read_study("sample_study", str(ROOT)),
    }


def given_folders():
    """Returns the folders that the environment names."""
    given = os.environ.get("STEADYSTEP_SENTENCES")
    return {} if not given else {path.name: path for path in sorted(Path(given).iterdir()) if path.is_dir()}


def numbers_in(node):
    """Yields the numbers of a piece of JSON, and how many things its lists hold."""
    if isinstance(node, dict):
        for value in node.values():
            yield from numbers_in(value)
    elif isinstance(node, list):
        yield len(node)
        for value in node:
            yield from numbers_in(value)
    elif isinstance(node, int | float) and not isinstance(node, bool):
        yield float(node)


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


def is_said_of(text, known):
    """Whether a number as it is written is one of those known, rounded to its last digit."""
    digits, _, power = text.rstrip("%").replace(",", "").partition("e")
    scale = (0.01 if text.endswith("%") else 1.0) * 10.0 ** int(power or 0)
    decimals = len(digits.partition(".")[2])
    zeros = len(digits) - len(digits.rstrip("0"))
    last = 10.0**-decimals if decimals else 10.0 ** max(0, min(zeros, len(digits) - 2))  # two digits are said at least
    return any(abs(float(digits) * scale - abs(each)) <= 0.5001 * last * scale for each in known if np.isfinite(each))


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
        if finding["code"] == "warmup-budget":
            own |= {one + other for one, other in permutations(named | own, 2)}
        if finding["code"] == "double-check":
            own |= {times * swept.lr_star for times in (5, 10) for swept in diagnosis.sweeps if swept.lr_star}
        yield finding["code"], finding["sentence"], named | own | counts | of_study
    for swept in told["study"]["sweeps"]:
        yield "sweep", swept["sentence"], of_study | everything
    for fix in told["fixes"]:
        yield fix["fix"], fix["sentence"], set(numbers_in(fix["numbers"])) | of_study | everything | CONSTANTS["fixes"]
    headline = write_headline(diagnosis)
    evidence = {number for finding in told["findings"] for number in numbers_in(finding["evidence"])}
    for text in (headline.title, headline.evidence, *(chip.text for chip in headline.chips)):
        yield (
            "headline",
            text,
            everything
            | of_study
            | evidence
            | times_of(diagnosis)
            | CONSTANTS["headline"]
            | {float(run["log"]["stride"]) for run in told["runs"]},
        )


def unfounded(diagnosis):
    """Returns the sentences that name a number of nothing they speak of, with that number."""
    return [
        (kind, number, sentence)
        for kind, sentence, known in sentences_of(diagnosis)
        for number in NUMBER.findall(sentence)
        if not is_said_of(number, known)
    ]


@pytest.mark.parametrize("name", [*known_studies(), *given_folders()])
def test_every_number_in_a_sentence_is_one_of_what_it_speaks_of(name):
    given = given_folders()
    study = read_paths([given[name]]) if name in given else known_studies()[name]
    assert unfounded(diagnose(study)) == []


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
    diagnosis = diagnose(known_studies()["sample"])
    assert any(said in each.sentence for each in diagnosis.findings if each.code == code)
    findings = tuple(
        replace(each, sentence=each.sentence.replace(said, wrong)) if each.code == code else each
        for each in diagnosis.findings
    )
    assert [kind for kind, _, _ in unfounded(replace(diagnosis, findings=findings))] == [code]
