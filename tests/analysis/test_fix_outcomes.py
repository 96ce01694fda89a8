"""What counts as held, failed and inconclusive, on runs built in memory."""

import numpy as np
import pytest

from analysis.fix_outcomes import Setting, judge_fix
from analysis.judge import judge_one
from analysis.lr_sweep import find_lr_sweep
from analysis.observations import judge_check, judge_probe
from analysis.runlog import schema
from analysis.swap_outcome import judge_architecture, judge_optimizer
from analysis.warmup import hold_steps, search_shortest
from analysis.warmup_outcome import WarmupFound, judge_warmup
from runners.warmup_search import is_refuted
from tests import curves
from tests.studies import make_run, sweep_run

CHANCE = 2.303


def setting(losses, base_lr=0.1, label="x=1", **record):
    """Makes a setting of one seed a loss curve."""
    facts = {
        schema.BASE_LR: base_lr,
        schema.BASELINE_LOSS: CHANCE,
        schema.INIT_LOSS_MEAN: 2.4,
        schema.INIT_LOSS_SD: 0.05,
    }
    runs = [make_run(loss, run_id=f"{label}-{seed}", seed=seed, **facts | record) for seed, loss in enumerate(losses)]
    return Setting(label, tuple(judge_one(run, "all runs") for run in runs))


def learning(num=3, steps=300):
    return [curves.decline(steps, np.random.default_rng(seed)) for seed in range(num)]


def at_chance(num=3, steps=30):
    """Makes losses that fall to chance level without a rise, in too few steps to be called stuck there."""
    rng = np.random.default_rng(0)
    return [np.linspace(2.5, 2.23, steps) + 0.01 * rng.normal(size=steps) for _ in range(num)]


def breaking(num=3, seed=0):
    return [curves.mid(600, seed + index, "not-recovered").loss for index in range(num)]


def test_a_run_that_shows_no_rise_and_has_not_learned_does_not_hold():
    assert setting(learning()).verdict == "held"
    flat = setting(at_chance())
    assert [judged.verdict for judged in flat.runs] == ["stable"] * 3
    assert (flat.broke, flat.holds_so_far, flat.verdict) == (False, False, "inconclusive")
    outcome = judge_fix("clip_sweep", [flat], setting(learning(), label="before"))
    assert outcome.verdict == "inconclusive"
    assert "only 0 end below chance level" in outcome.sentence


def test_a_length_at_chance_is_no_end_of_the_warmup_search():
    tried = {10: setting(at_chance(1)), 100: setting(learning(1))}
    assert search_shortest((10, 100), tried, 3).lengths == (32,)


def test_a_hold_is_never_shorter_than_training_needs_to_show_something():
    assert [hold_steps(steps, 1000) for steps in (10, 49, 50, 100)] == [100, 100, 100, 200]


@pytest.mark.parametrize(
    ("rates", "answer"), [({0.1: True, 0.3: False}, True), ({0.1: True, 0.3: True}, False), ({0.1: False}, True)]
)
def test_a_warmup_is_refuted_where_full_training_breaks_at_every_rate_above_the_best(rates, answer):
    full = [setting(learning(1) if holds else breaking(1), base_lr=rate) for rate, holds in rates.items()]
    assert is_refuted(full, lr_star=0.1 if 0.3 in rates else 0.2) is answer


def test_a_warmup_that_none_learns_with_is_inconclusive_and_one_that_breaks_has_failed():
    found, baseline = WarmupFound(1.0, 0.1, None, None), setting(learning(), label="before")
    for losses, verdict in ((at_chance(), "inconclusive"), (breaking(), "failed")):
        outcome = judge_warmup(found, [setting(losses)], [], baseline, 1000)
        assert outcome.verdict == verdict
        assert outcome.sentence.startswith(f"{verdict.capitalize()}: no warmup up to 100 steps")


def test_the_probe_sees_excludes_or_asks_for_seeds():
    early = [curves.early(600, seed).loss for seed in range(3)]
    assert judge_probe([setting(early)]).verdict == "seen"
    assert judge_probe([setting(learning(steps=600))]).verdict == "excluded"
    assert judge_probe([setting(learning(1, 600))]).verdict == "inconclusive"


def test_the_double_check_asks_for_a_decline_before_the_rise():
    assert judge_check([setting(breaking(), base_lr=0.5)], lr_star=0.1).verdict == "seen"
    none = judge_check([setting(learning(), base_lr=0.5)], lr_star=0.1)
    assert (none.verdict, "5 times the best" in none.sentence) == ("excluded", True)
    assert judge_check([setting(learning(1), base_lr=0.5)], lr_star=0.1).verdict == "inconclusive"


def swept(edge, rates, seeds=3, **record):
    """Makes the settings of a sweep, and its axis."""
    settings = [
        Setting(f"{rate:g}", tuple(judge_one(sweep_run(rate, seed, edge, **record), "adam") for seed in range(seeds)))
        for rate in rates
    ]
    return find_lr_sweep("adam", [judged for each in settings for judged in each.runs]), settings


def test_another_optimizer_holds_inside_its_stable_range_and_fails_at_its_edge():
    rates, (_, before) = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0), swept(1e9, (0.1,))
    assert judge_optimizer(*swept(1e9, rates), before[0]).verdict == "held"
    assert judge_optimizer(*swept(0.3, rates), before[0]).verdict == "failed"
    assert judge_optimizer(*swept(1e9, rates, seeds=1), before[0]).verdict == "inconclusive"


def test_another_architecture_is_judged_where_the_one_before_broke():
    rates, (_, before) = (0.03, 0.1, 0.3), swept(1e9, (0.1,))
    held = judge_architecture(*swept(1e9, rates), before[0], 0.3)
    assert held.verdict == "held"
    assert held.sentence.endswith("no instability up to 0.3; before, unstable from 0.3.")
    assert judge_architecture(*swept(0.3, rates), before[0], 0.3).verdict == "failed"
