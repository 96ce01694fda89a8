"""Kept diagnoses come back as they were, count only for what was judged, and may be lost at any time."""

import json

import numpy as np
import pytest

from analysis import judge, judged_file
from analysis.__main__ import main
from analysis.findings import diagnose
from analysis.judge import JudgedRuns, judge_one, keep_judged
from analysis.judged_file import from_text, kept_path, key_of_run, read_judged, to_text
from analysis.published import publish
from analysis.runlog import RunWriter, read_study
from tests import curves
from tests.app_pages.stores import write_csv
from tests.studies import make_run, sweep_run

NORM = 1 + 0.1 * np.random.default_rng(0).random(400)
KINDS = {
    "early": sweep_run(1.0, 0, edge=0.3),
    "steady": sweep_run(0.01, 0, edge=0.3),
    "clipped": make_run(
        curves.decline(400, np.random.default_rng(1)), columns={"grad_norm": NORM}, clip_threshold=1.05
    ),
    "recovered": make_run(curves.mid(400, 0).loss),
    "diverged": make_run(curves.mid(400, 1, "diverged").loss),
    "never finite": make_run(np.full(50, np.nan)),
    "stuck": make_run(np.full(300, 2.3) + 0.001 * np.random.default_rng(2).normal(size=300), baseline_loss=2.303),
}


@pytest.fixture
def judged_by_rules(monkeypatch):
    """The runs that the rules were asked about."""
    asked = []

    def ask(run, series):
        asked.append(run.run_id)
        return judge_one(run, series)

    monkeypatch.setattr(judge, "judge_one", ask)
    return asked


@pytest.mark.parametrize("kind", KINDS)
def test_a_diagnosis_comes_back_equal_in_every_field_and_type(kind):
    run = KINDS[kind]
    judged = judge_one(run, "a")
    kept = from_text(to_text(judged), run, "a")
    assert kept == judged
    assert all(type(mine) is type(its) for mine, its in zip(kept.events, judged.events, strict=True))
    assert type(kept.clipping) is type(judged.clipping)


def test_the_key_changes_with_the_record_the_rows_the_log_and_the_rules(monkeypatch):
    loss = curves.decline(50, np.random.default_rng(0))
    other = loss.copy()
    other[30] = np.nextafter(other[30], 9)
    runs = [make_run(loss), make_run(loss, base_lr=0.1), make_run(other), make_run(loss, every=2), make_run(loss[:49])]
    keys = [key_of_run(run) for run in runs]
    assert key_of_run(make_run(loss)) == keys[0]
    monkeypatch.setattr(judged_file, "RULES", "others")
    assert len({*keys, key_of_run(runs[0])}) == 6


def test_after_a_restart_nothing_is_judged_again_but_a_run_that_changed(tmp_path, judged_by_rules):
    path, runs = kept_path("s", tmp_path), [sweep_run(lr, 0, edge=0.3) for lr in (0.1, 1.0)]
    first = JudgedRuns(path)
    before = [first.judge(run, "a") for run in runs]
    first.keep()
    judged_by_rules.clear()
    again = JudgedRuns(path)
    runs = [sweep_run(0.1, 0, edge=0.3), sweep_run(1.0, 0, edge=0.3)]
    assert [again.judge(run, "a").events for run in runs] == [judged.events for judged in before]
    assert judged_by_rules == []
    assert again.judge(sweep_run(1.0, 0, edge=2.0), "a").verdict == "stable"
    assert judged_by_rules == [runs[1].run_id]


def test_a_running_run_is_never_kept(tmp_path, judged_by_rules):
    path = kept_path("s", tmp_path)
    known = JudgedRuns(path)
    known.judge(make_run(np.ones(30), status="running"), "a")
    known.keep()
    assert not path.exists()


def test_a_damaged_line_is_judged_again_and_the_others_are_not(tmp_path, judged_by_rules):
    path, runs = kept_path("s", tmp_path), [sweep_run(lr, 0, edge=0.3) for lr in (0.1, 1.0)]
    known = JudgedRuns(path)
    for run in runs:
        known.judge(run, "a")
    known.keep()
    judged_by_rules.clear()
    content = path.read_bytes()
    path.write_bytes(content[:-40] + b"9" + content[-39:])
    again = JudgedRuns(path)
    assert [again.judge(run, "a").verdict for run in runs] == ["stable", "unstable"]
    assert judged_by_rules == [runs[1].run_id]
    again.keep()
    assert len(read_judged(path)) == 2


def test_a_store_that_cannot_be_written_to_goes_without(tmp_path):
    (tmp_path / judged_file.KEPT_FOLDER).write_text("a file where the folder would be")
    known = JudgedRuns(kept_path("s", tmp_path))
    assert known.judge(KINDS["early"], "a").verdict == "unstable"
    known.keep()
    assert [path.name for path in tmp_path.iterdir()] == [judged_file.KEPT_FOLDER]


def test_only_runs_of_the_study_as_it_is_stay_in_the_file(tmp_path):
    path = kept_path("s", tmp_path)
    for run in (sweep_run(0.1, 0, edge=0.3), sweep_run(1.0, 0, edge=0.3)):
        known = JudgedRuns(path)
        known.judge(run, "a")
        known.keep()
    (text,) = read_judged(path).values()
    assert json.loads(text)["verdict"] == "unstable"


def write_run(store, run_id, loss, **record):
    with RunWriter("s", store=store, run_id=run_id, **record) as log:
        for step, value in enumerate(loss):
            log.step(step, train_loss=float(value), grad_norm=1.0 + value)


def test_runs_judged_when_they_were_sealed_are_not_judged_at_the_first_look(tmp_path, judged_by_rules):
    for run_id, loss in (("a", KINDS["recovered"].loss[1]), ("b", KINDS["never finite"].loss[1])):
        write_run(tmp_path, run_id, loss, base_lr=0.1)
        keep_judged("s", [run_id], tmp_path)
    assert judged_by_rules == ["a", "b"]
    judged_by_rules.clear()
    study = read_study("s", tmp_path)
    first_look = publish(diagnose(study, known=JudgedRuns(kept_path("s", tmp_path))))
    assert judged_by_rules == []
    assert first_look == publish(diagnose(study))


def test_runs_that_are_not_sealed_or_not_there_are_passed_over(tmp_path):
    log = RunWriter("s", store=tmp_path, run_id="open")
    log.step(0, train_loss=1.0)
    keep_judged("s", ["open", "missing"], tmp_path)
    log.finish("interrupted")
    assert not kept_path("s", tmp_path).exists()


def test_an_import_judges_what_it_writes(tmp_path, judged_by_rules, capsys):
    path = write_csv(KINDS["early"], tmp_path / "run.csv")
    assert main(["import", str(path), "--study", "s", "--store", str(tmp_path / "store")]) == 0
    assert len(judged_by_rules) == 1
    study = read_study("s", tmp_path / "store")
    diagnose(study, known=JudgedRuns(kept_path("s", tmp_path / "store")))
    assert len(judged_by_rules) == 1
