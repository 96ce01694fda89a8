"""A study cut back to an earlier moment is the study of that moment."""

import json
from dataclasses import asdict

import numpy as np
import pyarrow as pa
import pytest

from analysis.as_it_was import cut_back
from analysis.findings import diagnose
from analysis.frozen import FrozenRun, digest_rows, freeze, freeze_published
from analysis.published import publish
from analysis.runlog import Run, RunWriter, read_study, schema
from tests.studies import make_run, make_study, sweep


def shorter(run: Run, num_rows: int) -> Run:
    """Returns a run as it was while it was being written."""
    return Run(dict(run.record) | {schema.STATUS: "running"}, run.steps.slice(0, num_rows), run.log)


def as_json(frozen) -> list[FrozenRun]:
    """Returns what was noted as a store gives it back."""
    return [FrozenRun(**entry) for entry in json.loads(json.dumps([asdict(each) for each in frozen]))]


@pytest.fixture(scope="module")
def grown():
    """A study while it is being trained, and the same study later."""
    *ended, running = sweep(0.3, seeds=1)
    late = [make_run(np.linspace(2.4, 1.0, 50), run_id=f"then-{place}", base_lr=0.1) for place in range(2)]
    return diagnose(make_study([*ended, shorter(running, 100)])), diagnose(make_study([*ended, running, *late]))


def test_later_runs_and_rows_are_left_out_and_counted_and_all_else_is_as_it_was(grown):
    then, now = grown
    found = cut_back(now, as_json(freeze(then.study)), "then")
    assert publish(found.diagnosis) == publish(then)
    assert publish(found.diagnosis) != publish(now)
    assert (found.num_new, found.num_longer, found.num_gone, found.num_changed) == (2, 1, 0, 0)
    assert found.diagnosis.study.fingerprint == "then"


def test_runs_that_have_not_changed_are_not_judged_again(grown):
    then, now = grown
    found = cut_back(now, freeze(then.study), "then")
    same = {id(judged.run) for judged in now.runs} & {id(judged.run) for judged in found.diagnosis.runs}
    assert len(same) == len(then.runs) - 1


def test_without_more_than_a_published_diagnosis_rows_are_cut_all_the_same(grown):
    then, now = grown
    found = cut_back(now, freeze_published(publish(then)["runs"]), "then")
    assert [judged.run.steps.num_rows for judged in found.diagnosis.runs] == [r.run.steps.num_rows for r in then.runs]
    assert (found.num_new, found.num_longer) == (2, 1)


def test_runs_that_are_gone_or_are_others_now_are_left_out_and_counted(grown):
    then, now = grown
    gone, other, *rest = now.study.runs
    again = make_run(np.linspace(2.0, 1.0, 300), run_id=other.run_id, base_lr=other.base_lr)
    found = cut_back(diagnose(make_study([again, *rest])), freeze(then.study), "then")
    assert (found.num_gone, found.num_changed, len(found.diagnosis.runs)) == (1, 1, len(then.runs) - 2)
    assert found.diagnosis.study.fingerprint.startswith("then without ")
    assert gone.run_id not in found.diagnosis.study.by_id


def test_a_run_with_fewer_rows_than_were_seen_is_another_one():
    run = make_run(np.linspace(2.0, 1.0, 50), base_lr=0.1)
    found = cut_back(diagnose(make_study([shorter(run, 20)])), freeze(make_study([run])), "then")
    assert (found.num_changed, found.diagnosis.runs) == (1, ())


def test_the_digest_is_of_what_was_logged_whatever_the_order_and_later_columns():
    steps = pa.table({"step": [0, 1], "train_loss": [2.0, np.nan], "grad_norm": pa.array([None, 1.0])})
    late = steps.append_column("eval_loss", pa.array([None, None], pa.float64()))
    assert digest_rows(late.select(late.column_names[::-1])) == digest_rows(steps)
    lost = steps.set_column(1, "train_loss", pa.array([2.0, None]))
    moved = steps.set_column(2, "grad_norm", pa.array([1.0, None]))
    other = steps.set_column(2, "grad_norm", pa.array([None, 1.0000001]))
    assert len({digest_rows(each) for each in (steps, lost, moved, other)}) == 4


def test_a_run_that_is_written_on_and_sealed_has_the_rows_that_were_seen(tmp_path):
    losses = np.linspace(2.0, 1.0, 60)
    with RunWriter(study="live", store=tmp_path, base_lr=0.1) as log:
        for step, loss in enumerate(losses):
            log.step(step, train_loss=loss)
            if step == 39:
                log.sync()
                then = read_study("live", tmp_path)
        log.step(60, train_loss=1.0, eval_loss=1.1)
    now = diagnose(read_study("live", tmp_path))
    found = cut_back(now, freeze(then), then.fingerprint)
    assert (found.num_longer, found.num_changed) == (1, 0)
    (judged,) = found.diagnosis.runs
    assert judged.run.record[schema.STATUS] == "running"
    assert judged.run.loss[1].tolist() == then.runs[0].loss[1].tolist()
