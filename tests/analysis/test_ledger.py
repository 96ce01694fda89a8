"""Predictions and the ledger: what a fix should change, beside what it did change."""

import pytest

from analysis.findings import diagnose
from analysis.fix_case import find_case
from analysis.fix_outcomes import Setting, judge_fix
from analysis.ledger import judge_row, row_of_entry
from analysis.predictions import SENTENCES, predict
from analysis.runlog import RunLogError
from tests.studies import make_run, make_study, sweep, sweep_run

CLIPPED = [sweep_run(0.3, seed, edge=9.0, clip_threshold=2.0) for seed in range(3)]


@pytest.fixture(scope="module")
def diagnosis():
    return diagnose(make_study([*sweep(0.3), *CLIPPED]))


def setting(diagnosis, clipped, lr):
    runs = [judged for judged in diagnosis.runs if ("clip_threshold" in judged.run.record) is clipped]
    return Setting(f"base_lr={lr:g}", tuple(judged for judged in runs if judged.run.base_lr == lr))


def test_every_fix_is_predicted_with_the_numbers_of_the_series():
    case = find_case(diagnose(make_study(sweep(0.3))))
    for fix in SENTENCES:
        prediction = predict(fix, case)
        assert (prediction.unstable_base_lr, prediction.lr_star) == (0.3, 0.1)
        assert "0.3" in prediction.sentence or "0.1" in prediction.sentence


def test_warmup_is_predicted_to_help_where_training_breaks_early_and_not_where_it_breaks_late():
    early = predict("warmup", find_case(diagnose(make_study(sweep(0.3)))))
    assert "helps most" in early.sentence
    late = []
    for run in sweep(9.0):
        loss = run.loss[1].copy()
        if run.base_lr >= 0.3:
            loss[150:] = 2.0 + 0.01 * loss[150:]
        late.append(make_run(loss, **dict(run.record)))
    assert "should still break" in predict("warmup", find_case(diagnose(make_study(late)))).sentence


@pytest.mark.parametrize(("base_lr", "clipped", "verdict"), [(0.3, True, "confirmed"), (0.3, False, "refuted")])
def test_a_row_sets_the_outcome_beside_the_prediction(diagnosis, base_lr, clipped, verdict):
    prediction = predict("clipping", find_case(diagnose(make_study(sweep(0.3)))))
    outcome = judge_fix("clip_sweep", [setting(diagnosis, clipped, base_lr)], setting(diagnosis, False, 0.1))
    row = judge_row(prediction, outcome, "all runs", "python -m runners.clip_sweep --study study")
    assert (row.verdict, row.prediction, row.sentence) == (verdict, prediction.sentence, outcome.sentence)
    assert row.after["base_lr"] == (0.3 if clipped else None)
    assert len(row.run_ids) == len(row.baseline_ids) == 3
    assert row.num_steps == 900
    assert row_of_entry(row.to_entry()) == row


def test_an_entry_of_a_later_version_is_refused_in_one_line(diagnosis):
    prediction = predict("clipping", find_case(diagnose(make_study(sweep(0.3)))))
    outcome = judge_fix("clip_sweep", [setting(diagnosis, True, 0.3)], setting(diagnosis, False, 0.1))
    entry = judge_row(prediction, outcome, "all runs", "").to_entry()
    with pytest.raises(RunLogError, match="A later version wrote it: update"):
        row_of_entry(entry | {"mood": "good"})
