"""Figure 5: the same run logged every step and every k steps."""

import numpy as np
import pytest

from analysis.figures.sparse_log import look_every, rise_of, say_sparse, thin_run
from analysis.judge import judge_one
from analysis.runlog import schema
from tests import curves
from tests.analysis.figures.known import figures_of
from tests.studies import make_run, sweep, sweep_run

FACTS = {schema.INIT_LOSS_MEAN: 2.4, schema.INIT_LOSS_SD: 0.05}


def early_runs(lasts=5, seeds=3):
    """Makes runs whose loss rises for `lasts` steps from step 1 on."""
    return [
        make_run(curves.early(400, seed, lasts=lasts).loss, run_id=f"r{seed}", base_lr=0.3, seed=seed, **FACTS)
        for seed in range(seeds)
    ]


def test_a_thinned_run_has_every_k_th_step_and_a_description_that_says_so():
    thinned = thin_run(sweep_run(0.1, 0, 0.3), 7)
    steps, loss = thinned.loss
    assert steps.tolist() == list(range(0, 300, 7))
    assert loss.tolist() == sweep_run(0.1, 0, 0.3).loss[1][::7].tolist()
    assert thinned.log.stride == 7


def test_every_first_step_is_the_run_itself():
    runs = [judge_one(run, "s") for run in early_runs()]
    look = look_every(runs, 1)
    assert (look.num_seen, look.num_unstable) == (3, 3)
    assert [judged.events for judged in look.runs] == [judged.events for judged in runs]


@pytest.mark.parametrize("every", [2, 10, 40])
def test_a_look_is_what_the_detector_says_of_the_thinned_log(every):
    runs = [judge_one(run, "s") for run in early_runs()]
    look = look_every(runs, every)
    again = [judge_one(thin_run(run, every), "s") for run in early_runs()]
    assert look.num_unstable == sum(judged.verdict == "unstable" for judged in again)
    assert look.num_stable == sum(judged.verdict == "stable" for judged in again)


def test_the_caption_says_that_a_sparse_log_hides_an_early_rise_of_five_steps():
    figure = figures_of(early_runs())["5"]
    log = figure.result
    hidden = next(look for look in log.looks if look.num_seen < 3)
    assert log.chosen == hidden.every
    rises = [rise_of(judged) for judged in figure.runs]
    ratio = max((rise.level_before + rise.rise) / rise.level_before for rise in rises)
    assert figure.caption.startswith(
        f"Logged every step, the loss at learning rate 0.3 rises to {ratio:.1f} times its level from step 1 "
        f"and is over by step {max(rise.recovery_step for rise in rises)}; logged every {hidden.every} steps, "
        "that rise is seen in "
    )
    assert figure.caption.endswith("(3 seeds).")


def test_a_rise_of_forty_steps_is_seen_by_logs_of_every_two_steps_and_the_sentence_says_it():
    figure = figures_of(early_runs(lasts=40))["5"]
    look = look_every(figure.runs, 2)
    assert look.num_seen == 3
    assert say_sparse(figure.result, look).endswith("logged every 2 steps, that rise is still seen in 3 of 3 runs")
    assert figure.result.seen_up_to >= 2


def test_the_spacing_of_the_evaluations_is_shown_first():
    evaluations = np.full(400, np.nan)
    evaluations[24::25] = 1.0
    runs = [make_run(run.loss[1], columns={schema.EVAL_LOSS: evaluations}, **run.record) for run in early_runs()]
    figure = figures_of(runs)["5"]
    assert (figure.result.chosen, figure.result.is_evaluation) == (25, True)
    assert "logged every 25 steps, as the evaluations come, that rise is seen in none of 3 runs" in figure.caption


def test_an_early_rise_is_preferred_to_a_later_one():
    later = [make_run(curves.mid(400, 7).loss, run_id="later", base_lr=0.1, **FACTS)]
    assert {judged.run.run_id for judged in figures_of([*early_runs(), *later])["5"].runs} == {"r0", "r1", "r2"}
    assert [judged.run.run_id for judged in figures_of(later)["5"].runs] == ["later"]


def test_a_rise_that_never_comes_back_says_so():
    runs = [make_run(curves.early(400, 0, recovers=False).loss, base_lr=0.3, **FACTS)]
    assert "from step 1 and does not come back; logged every" in figures_of(runs)["5"].caption


def test_the_sparsest_log_that_can_be_asked_for_has_ten_points():
    assert figures_of(early_runs())["5"].result.most_every == 40


@pytest.mark.parametrize(
    "runs",
    [
        sweep(9.0, seeds=1),
        [make_run(curves.mid(400, 0).loss, every=10, base_lr=0.1)],
        [make_run(curves.mid(400, 0).loss, averaged_over=10, base_lr=0.1)],
        [make_run(curves.mid(400, 0).loss, base_lr=0.1, step_unit="epochs")],
    ],
    ids=["no rise", "sparse", "averaged", "epochs"],
)
def test_without_a_rise_in_a_log_of_every_step_it_asks_for_the_probe(runs):
    figure = figures_of(runs)["5"]
    assert not figure.applies
    assert figure.result.command.startswith("python -m runners.probe --study study")
