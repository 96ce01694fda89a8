"""The mechanism behind tests of sentences: the numbers that a text names, and whether what it speaks of has them.

`STEADYSTEP_SENTENCES=FOLDER`, or several joined by ":", adds every folder in them as a study.
"""

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from analysis.findings import diagnose
from analysis.results import Diagnosis
from analysis.runlog import Study, read_paths, read_study
from tests import curves
from tests.studies import make_run, make_study, sweep

ROOT = Path(__file__).parents[1]
NUMBER = re.compile(r"(?<![\w.^])\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?%?(?![\w.]*[(=x])")


def known_studies() -> dict[str, Study]:
    """Returns studies by name: an edge beside a control, a steady sweep, single runs of every kind of rise."""
    mids = [
        make_run(curves.mid(400, seed, how).loss, run_id=how, base_lr=0.1, seed=seed)
        for seed, how in enumerate(("recovered", "diverged"))
    ]
    return {
        "edge": make_study(sweep(0.3, stride="1x1") + sweep(9.0, stride="2x2", seeds=2)),
        "steady": make_study(sweep(9.0)),
        "mid-training": make_study(mids),
        "never finite": make_study([make_run(np.full(50, np.nan), base_lr=0.1)]),
        "sample": read_study("sample_study", str(ROOT)),
    }


def given_folders() -> dict[str, Path]:
    """Returns the folders that the environment names."""
    given = filter(None, os.environ.get("STEADYSTEP_SENTENCES", "").split(os.pathsep))
    return {path.name: path for folder in given for path in sorted(Path(folder).iterdir()) if path.is_dir()}


def diagnose_named(name: str) -> Diagnosis:
    """Judges one of the known or of the given studies."""
    given = given_folders()
    return diagnose(read_paths([given[name]]) if name in given else known_studies()[name])


def numbers_in(node: object) -> Iterator[float]:
    """Yields the numbers of a piece of JSON, and how many things its lists hold."""
    if isinstance(node, dict):
        for value in node.values():
            yield from numbers_in(value)
    elif isinstance(node, list | tuple):
        yield len(node)
        for value in node:
            yield from numbers_in(value)
    elif isinstance(node, int | float) and not isinstance(node, bool):
        yield float(node)


def is_said_of(text: str, known: Iterable[float]) -> bool:
    """Whether a number as it is written is one of those known, rounded to its last digit."""
    digits, _, power = text.rstrip("%").replace(",", "").partition("e")
    scale = (0.01 if text.endswith("%") else 1.0) * 10.0 ** int(power or 0)
    decimals = len(digits.partition(".")[2])
    zeros = len(digits) - len(digits.rstrip("0"))
    last = 10.0**-decimals if decimals else 10.0 ** max(0, min(zeros, len(digits) - 2))  # two digits are said at least
    return any(abs(float(digits) * scale - abs(each)) <= 0.5001 * last * scale for each in known if np.isfinite(each))


def unsaid(text: str, known: Iterable[float]) -> list[str]:
    """Returns the numbers of a text that are none of those known."""
    known = set(known)
    return [number for number in NUMBER.findall(text) if not is_said_of(number, known)]


def said_in(text: str) -> set[float]:
    """Returns the numbers of a label, or of a sentence that has a test of its own."""
    return {float(number.rstrip("%").replace(",", "")) for number in NUMBER.findall(text)}
