import json
import math

import numpy as np
import pytest

from analysis.findings import diagnose
from analysis.grad_norm import find_skipped
from analysis.headline import write_headline
from analysis.published import publish
from analysis.runlog import schema
from tests import curves
from tests.studies import make_run, make_study, sweep, sweep_run

CODES = {
    "edge-of-instability",
    "early-instability",
    "mid-training-instability",
    "stuck-at-chance",
    "non-finite",
    "evaluation-gap",
    "gradient-outliers",
    "extreme-clipping",
    "range-end",
    "double-check",
    "batch-size",
    "warmup-budget",
}


def test_every_check_answers_and_found_comes_first():
    findings = diagnose(make_study(sweep(edge=0.3))).findings
    assert {finding.code for finding in findings} == CODES
    outcomes = [finding.outcome for finding in findings]
    assert outcomes == sorted(outcomes, key=["found", "clear", "not-checked"].index)
    assert all(finding.sentence.endswith(".") for finding in findings)


def test_a_sweep_at_the_edge_suggests_warmup_first_with_numbers_and_command():
    diagnosis = diagnose(make_study(sweep(edge=0.3, stride="1x1") + sweep(edge=1e9, stride="2x2"), "strides"))
    assert [fix.fix for fix in diagnosis.fixes] == ["warmup", "clipping", "optimizer", "architecture", "lower-lr"]
    warmup = diagnosis.fixes[0]
    assert warmup.numbers["base_lr"] == 3.0
    assert warmup.numbers["warmup_steps"] == [10, 30]
    assert warmup.command == "python -m runners.warmup_sweep --study strides --variant stride=1x1"
    headline = write_headline(diagnosis)
    assert headline.title.startswith("Above learning rate 0.1, training breaks in its first")
    assert "Warmup is the first fix to try." in headline.evidence


def test_a_best_rate_that_is_itself_unstable_is_no_border_above_which_training_breaks():
    runs = []
    for run in sweep(edge=0.3):
        loss = run.series(schema.TRAIN_LOSS)[1].copy()
        if run.base_lr == 0.1:
            loss[150:170] *= 10  # comes back, and ends best
        runs.append(make_run(loss, **run.record))
    diagnosis = diagnose(make_study(runs))
    assert (diagnosis.sweeps[0].lr_star, diagnosis.sweeps[0].unstable_base_lr) == (0.1, 0.1)
    assert write_headline(diagnosis).title.startswith("From learning rate 0.1 on, the loss climbs from step 15")


def test_a_steady_sweep_gets_no_advice():
    diagnosis = diagnose(make_study(sweep(edge=1e9)))
    assert diagnosis.fixes == ()
    assert write_headline(diagnosis).title == "Nothing unstable up to learning rate 1"


def test_a_sparse_log_asks_for_the_probe_and_nothing_else():
    loss = curves.decline(3000, np.random.default_rng(0))[99::100]
    diagnosis = diagnose(make_study([make_run(loss, every=100, first_step=99, base_lr=0.1)]))
    assert [fix.fix for fix in diagnosis.fixes] == ["probe"]
    assert diagnosis.fixes[0].numbers == {"max_train_steps": 500, "base_lr": 0.2, "cost_steps": 1500}
    assert "cannot tell" in write_headline(diagnosis).title
    assert diagnosis.finding("early-instability").outcome == "not-checked"


def test_a_break_in_mid_training_suggests_clipping_first():
    run = make_run(curves.mid(600, 0, "not-recovered").loss, base_lr=0.1, optimizer="momentum")
    healthy = make_run(
        curves.decline(600, np.random.default_rng(1)),
        run_id="healthy",
        base_lr=0.03,
        columns={schema.GRAD_NORM: np.linspace(1, 2, 600)},
    )
    fixes = diagnose(make_study([run, healthy])).fixes
    assert fixes[0].fix == "clipping"
    assert fixes[0].numbers["clip_threshold"] == pytest.approx(1.9, abs=0.05)


def test_extreme_clipping_suggests_a_lower_learning_rate_first():
    answer = curves.mid(600, 0, "not-recovered")
    columns = {schema.GRAD_NORM: np.full(600, 10.0)}
    diagnosis = diagnose(make_study([make_run(answer.loss, base_lr=0.1, clip_threshold=1.0, columns=columns)]))
    assert diagnosis.finding("extreme-clipping").outcome == "found"
    assert diagnosis.fixes[0].fix == "lower-lr"


def test_batch_size_is_never_a_fix_and_comparing_across_it_is_confounded():
    big = make_run(np.linspace(2, 1, 300), run_id="big", base_lr=0.1, batch_size=512, **facts_of(sweep(0.3)[0]))
    runs = [*sweep(edge=0.3), big]
    diagnosis = diagnose(make_study(runs))
    assert diagnosis.finding("batch-size").outcome == "found"
    assert all(schema.BATCH_SIZE not in fix.numbers and "batch" not in fix.sentence for fix in diagnosis.fixes)


def facts_of(run) -> dict:
    """Returns the metaparameters of a run without rate, seed and batch size."""
    left_out = (*schema.FACTS, schema.BASE_LR, schema.SEED, schema.BATCH_SIZE)
    return {name: value for name, value in run.record.items() if name not in left_out}


def test_the_published_json_is_strict_and_names_every_part():
    loss = curves.mid(600, 0, "diverged").loss
    published = publish(diagnose(make_study([*sweep(edge=0.3), make_run(loss, run_id="lost", base_lr=0.5)])))
    text = json.dumps(published, allow_nan=False)
    assert json.loads(text)["schema"] == "steadystep.diagnosis/1"
    assert set(published) == {"schema", "study", "runs", "findings", "fixes", "skipped"}
    assert set(published["study"]["sweeps"][0]) >= {
        "series",
        "lr_star",
        "tie_band",
        "unstable_base_lr",
        "unstable_bracket",
        "verdict",
        "at_range_end",
        "infeasible",
        "sentence",
    }


def test_no_run_is_stable_and_unstable_by_its_name_alone():
    runs = sweep(edge=0.3)
    ids = {judged.run.run_id: judged.verdict for judged in diagnose(make_study(runs)).runs}
    assert all(
        verdict == ("unstable" if float(run_id.split("-")[1]) >= 0.3 else "stable") for run_id, verdict in ids.items()
    )


def test_a_warmup_taken_out_of_training_is_found_and_a_prepended_one_is_clear():
    ramp = np.linspace(0, 0.1, 31)[:-1]
    taken = {schema.LR: np.concatenate([ramp, np.full(270, 0.1)])}
    prepended = {schema.LR: np.concatenate([ramp, np.full(300, 0.1)])}
    assert warmup_finding(taken).outcome == "found"
    assert "330 steps in all" in warmup_finding(taken).sentence
    assert warmup_finding(prepended).outcome == "clear"


def warmup_finding(columns):
    """Returns the warmup finding of a run with these learning rates and 300 planned steps."""
    loss = curves.decline(len(columns[schema.LR]), np.random.default_rng(0))
    return diagnose(make_study([make_run(loss, columns=columns, max_train_steps=300)])).finding("warmup-budget")


def states(runs):
    """Returns the state of each fix of a study."""
    return {fix.fix: fix.state for fix in diagnose(make_study(runs)).fixes}


def test_a_fix_is_confirmed_by_three_steady_seeds_that_change_it_alone():
    runs = sweep(edge=0.3, stride="1x1", warmup_steps=0)
    control = sweep(edge=1e9, stride="2x2", warmup_steps=0)
    held = [sweep_run(0.3, seed, 1e9, stride="1x1", warmup_steps=30) for seed in range(3)]
    broke = [sweep_run(0.3, seed, 0.3, stride="1x1", warmup_steps=10) for seed in range(3)]
    assert states(runs)["warmup"] == states(runs)["architecture"] == "suggested"
    assert states(runs + held)["warmup"] == "confirmed"
    assert "warmup holds it steady" in write_headline(diagnose(make_study(runs + held))).evidence
    assert states(runs + held[:2])["warmup"] == "tried"
    assert states(runs + broke)["warmup"] == "failed"
    assert states(runs + control)["architecture"] == "confirmed"


def test_runs_that_hide_their_first_steps_get_the_probe_behind_the_fixes_of_those_that_show_them():
    hidden = make_run(curves.early(600, 0).loss[9::10], run_id="hidden", every=10, first_step=9, base_lr=0.3, name="x")
    fixes = diagnose(make_study([*sweep(edge=0.3), hidden])).fixes
    assert (fixes[0].fix, fixes[-1].fix) == ("warmup", "probe")


def norm_finding(norm, loss=None):
    """Returns the finding on gradient outliers of a run with these norms."""
    loss = curves.decline(len(norm), np.random.default_rng(0)) if loss is None else loss
    return diagnose(make_study([make_run(loss, columns={schema.GRAD_NORM: norm})])).finding("gradient-outliers")


def test_steps_that_mixed_precision_skipped_are_no_outliers_and_a_diverging_norm_is():
    skipped, diverging = np.ones(300), np.ones(300)
    skipped[[50, 120]] = np.inf
    diverging[299] = np.inf
    assert norm_finding(skipped).outcome == "clear"
    assert norm_finding(diverging).outcome == "found"


def test_a_step_that_a_clip_rule_skipped_stays_an_outlier_and_is_no_artefact_of_mixed_precision():
    norm, multiplier = np.ones(300), np.ones(300)
    norm[50], multiplier[50] = 400.0, 0.0
    columns = {schema.GRAD_NORM: norm, schema.CLIP_MULTIPLIER: multiplier}
    run = make_run(curves.decline(300, np.random.default_rng(0)), columns=columns, clip_rule="skip_sigma")
    assert find_skipped(run).tolist() == []
    finding = diagnose(make_study([run])).finding("gradient-outliers")
    assert (finding.outcome, finding.evidence["largest_ratio"]) == ("found", 400)


def test_norms_that_are_all_zero_are_no_measurement():
    assert norm_finding(np.zeros(300)).outcome == "not-checked"


def test_every_fix_says_what_it_costs_in_steps():
    fixes = {fix.fix: fix.numbers["cost_steps"] for fix in diagnose(make_study(sweep(edge=0.3))).fixes}
    lengths = [math.ceil(30 / 10 ** (space / 8)) for space in range(5)]
    search = sum(length + max(2 * length, 30) for length in lengths)
    assert fixes["warmup"] == 3 * (2 * search + 4 * (300 + 10 + 300 + 30))
    assert fixes["clipping"] == 3 * 6 * 300
    assert fixes["optimizer"] == 3 * (7 + 4) * 300
    assert fixes["architecture"] == 3 * (6 + 4) * 300
    assert fixes["lower-lr"] == 3 * (4 + 3) * 300


def test_runs_that_hide_their_first_steps_for_different_reasons_are_told_apart():
    decline = curves.decline(300, np.random.default_rng(0))
    runs = [make_run(decline, run_id=run_id, first_step=50) for run_id in ("late", "later")]
    runs.append(make_run(np.linspace(2, 1, 8), run_id="short"))
    (early,) = [found for found in diagnose(make_study(runs)).findings if found.code == "early-instability"]
    assert early.sentence.startswith("Cannot tell for 3 of 3 runs: in 2 the first logged step is 50, in 1 ")
