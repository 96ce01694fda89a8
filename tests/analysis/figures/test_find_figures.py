"""What holds of every figure: numbers, seeds, reasons, commands, and that captions are computed."""

import random
import re

import numpy as np
import pytest

from analysis.figures import TITLES
from analysis.findings import diagnose
from analysis.runlog import schema
from runners import lr_sweep, probe, warmup_sweep
from tests import curves
from tests.analysis.figures.known import (
    before_and_after_warmup,
    figures_of,
    norms,
    sudden_rises,
    variants,
    warmup_lengths,
)
from tests.studies import make_run, make_study, sweep

STUDIES = {
    "variants": variants,
    "warmup lengths": warmup_lengths,
    "before and after": before_and_after_warmup,
    "sudden rises": sudden_rises,
    "norms": lambda: [norms(base_lr=0.1)],
    "one run": lambda: [make_run(np.linspace(2.3, 0.5, 120), base_lr=0.1)],
    "no learning rate": lambda: [make_run(np.linspace(2.3, 0.5, 120), source="csv: run.csv")],
    "lost": lambda: [make_run(np.full(50, np.nan), base_lr=0.1)],
    "one step": lambda: [make_run([1.0])],
    "zero loss": lambda: [make_run(np.zeros(60), run_id=f"r{lr:g}", base_lr=lr) for lr in (0.01, 0.03, 0.1, 0.3)],
    "negative loss": lambda: [make_run(-np.arange(60.0), run_id=f"r{lr:g}", base_lr=lr) for lr in (0.01, 0.1)],
}
MODULES = {"runners.lr_sweep": lr_sweep, "runners.probe": probe, "runners.warmup_sweep": warmup_sweep}


@pytest.mark.parametrize("study", STUDIES)
def test_every_study_has_all_seven_figures_or_their_reason_and_command(study):
    figures = figures_of(STUDIES[study]())
    assert list(figures) == list(TITLES)
    for figure in figures.values():
        if figure.applies:
            assert figure.caption.count(". ") == 0, "one sentence"
            assert re.search(r"\((\d+ to )?\d+ seeds?\)\.$", figure.caption)
            assert figure.runs
            assert set(figure.series) == {judged.series for judged in figure.runs}
            assert 1 <= figure.seeds[0] <= figure.seeds[1]
        else:
            assert figure.caption == ""
            assert figure.result.reason.endswith(".")
            assert figure.result.command.startswith("python -m runners.")


@pytest.mark.parametrize("study", ["variants", "warmup lengths", "before and after", "sudden rises"])
def test_the_order_of_the_runs_changes_no_caption(study):
    runs = STUDIES[study]()
    shuffled = random.Random(1).sample(runs, len(runs))
    captions = [[f.caption for f in figures_of(each).values()] for each in (runs, shuffled)]
    assert captions[0] == captions[1]


def test_a_seed_that_is_not_on_record_is_counted_as_a_run():
    runs = [make_run(run.loss[1], **{**run.record, schema.SEED: None}) for run in sweep(0.3, seeds=2)]
    assert figures_of(runs)["7a"].seeds == (2, 2)


def test_runs_of_one_seed_are_not_counted_as_seeds():
    runs = sweep(0.3, seeds=2)
    again = [make_run(run.loss[1], **{**run.record, schema.RUN_ID: f"again-{run.run_id}"}) for run in runs]
    assert figures_of([*runs, *again])["7a"].seeds == (2, 2)


@pytest.mark.parametrize("source", ["runner", "csv: run.csv"])
@pytest.mark.parametrize("runs", [sweep(0.3, seeds=1), [make_run(curves.decline(200, np.random.default_rng(0)))]])
def test_commands_of_figures_that_do_not_apply_are_ones_that_the_runners_take(runs, source):
    runs = [make_run(run.loss[1], **{**run.record, schema.SOURCE: source}) for run in runs]
    asked = [figure.result.command.split() for figure in figures_of(runs).values() if not figure.applies]
    assert asked
    for _, _, module, *options in asked:
        if module in MODULES:
            MODULES[module].read_arguments(options)


def test_a_study_that_has_the_repaired_variant_is_sent_to_the_other_one():
    repaired = figures_of(sweep(9.0, stride="2x2", seeds=1))["4"].result.command
    assert "--variant stride=1x1" in repaired
    assert "--variant stride=2x2" in figures_of(sweep(0.3, stride="1x1", seeds=1))["4"].result.command


def test_a_run_that_is_still_training_is_in_no_figure():
    running = {schema.STATUS: "running"}
    runs = [make_run(run.loss[1], **{**run.record, **running}) for run in warmup_lengths() if "0.3" in run.run_id]
    calm = [run for run in runs if not diagnose(make_study([run])).runs[0].confirmed]
    assert not any(figure.applies for figure in figures_of(calm).values())
