import numpy as np
import pytest

from analysis.clip_rules import ADAPTIVE_RULES, AutoClip, GlobalNorm, SkipSigma, ZClip
from analysis.runlog import RunLogError


def norms(seed=0, steps=400):
    """Makes heavy-tailed norms with ties and a few huge ones."""
    rng = np.random.default_rng(seed)
    norm = np.round(rng.lognormal(0, 0.5, steps), 2)
    norm[rng.integers(100, steps, 5)] *= 100
    return norm


def test_global_norm_scales_to_the_threshold_and_leaves_smaller_norms_alone():
    rule = GlobalNorm(2.0)
    assert [rule.multiplier(norm) for norm in (0.0, 1.0, 2.0, 8.0)] == [1.0, 1.0, 1.0, 0.25]


@pytest.mark.parametrize("percentile", [0.5, 10.0, 29.0, 50.0, 90.0, 100.0])
def test_autoclip_is_the_percentile_of_all_norms_so_far(percentile):
    rule, norm = AutoClip(percentile), norms()
    expected = [np.percentile(norm[: step + 1], percentile) for step in range(len(norm))]
    assert [rule.threshold(value) for value in norm.tolist()] == pytest.approx(expected, rel=1e-12)


def test_autoclip_at_its_published_percentile_clips_nine_updates_in_ten():
    rule = AutoClip()
    assert np.mean([rule.multiplier(value) < 1 for value in norms(steps=4000).tolist()]) == pytest.approx(0.9, abs=0.02)


def zclip_by_numpy(norm, alpha=0.97, z_thres=2.5, warmup=25):
    """Returns the norms after clipping, from the formulas of the paper."""
    clipped = norm.copy()
    mean, variance = np.mean(norm[:warmup]), np.var(norm[:warmup])
    for step in range(warmup, len(norm)):
        z = (norm[step] - mean) / (np.sqrt(variance) + 1e-6)
        if z > z_thres:
            clipped[step] = mean + z_thres**2 / z * np.sqrt(variance)
        mean = alpha * mean + (1 - alpha) * clipped[step]
        variance = alpha * variance + (1 - alpha) * (clipped[step] - mean) ** 2
    return clipped


@pytest.mark.parametrize("options", [{}, {"alpha": 0.9, "z_thres": 1.5, "warmup": 10}])
def test_zclip_clips_to_what_the_formulas_of_the_paper_give(options):
    rule, norm = ZClip(**options), norms()
    clipped = np.array([value * rule.multiplier(value) for value in norm.tolist()])
    expected = zclip_by_numpy(norm, **options)
    assert (expected < norm).sum() > 5
    np.testing.assert_allclose(clipped, expected, rtol=1e-10)


def test_zclip_clips_nothing_in_its_warmup():
    rule = ZClip(warmup=25)
    assert {rule.multiplier(value) for value in [*[1.0] * 24, 50.0]} == {1.0}


def test_zclip_clips_a_worse_outlier_harder_but_never_below_the_mean():
    mild, bad = ZClip(warmup=20), ZClip(warmup=20)
    for value in [0.9, 1.1] * 10:
        assert mild.multiplier(value) == bad.multiplier(value) == 1.0
    assert mild.threshold(10.0) > bad.threshold(100.0) > 1.0


def test_skip_sigma_skips_what_stands_six_standard_deviations_above_the_last_128():
    rule, norm = SkipSigma(), norms()
    limit = [
        np.mean(last) + 6 * np.std(last, ddof=1) if len(last) >= 63 else np.inf
        for last in (norm[max(0, step - 128) : step] for step in range(len(norm)))
    ]
    multiplier = [rule.multiplier(value) for value in norm.tolist()]
    assert multiplier == [0.0 if value > most else 1.0 for value, most in zip(norm, limit, strict=True)]
    assert 0.0 in multiplier


def test_skip_sigma_forgets_a_huge_norm_once_it_has_left_the_window():
    rule = SkipSigma(window=20)
    for value in [*[1.0, 2.0] * 15, 1e15, *[1.0, 2.0] * 10]:
        rule.multiplier(value)
    assert rule.threshold(1.0) == pytest.approx(1.5 + 6 * np.std([1.0, 2.0] * 10, ddof=1), rel=1e-12)


@pytest.mark.parametrize("name", ADAPTIVE_RULES)
def test_a_rule_does_not_depend_on_the_unit_of_the_loss(name):
    norm = norms()
    plain, scaled = ADAPTIVE_RULES[name](), ADAPTIVE_RULES[name]()
    multiplier = [plain.multiplier(value) for value in norm.tolist()]
    assert [scaled.multiplier(1024 * value) for value in norm.tolist()] == pytest.approx(multiplier, rel=1e-3)


@pytest.mark.parametrize("name", ADAPTIVE_RULES)
def test_norms_of_zero_are_never_clipped(name):
    rule = ADAPTIVE_RULES[name]()
    assert {rule.multiplier(0.0) for _ in range(300)} == {1.0}


@pytest.mark.parametrize(
    ("rule", "options"),
    [
        (AutoClip, {"percentile": 0.0}),
        (AutoClip, {"percentile": 101.0}),
        (ZClip, {"alpha": 1.5}),
        (ZClip, {"z_thres": float("nan")}),
        (ZClip, {"warmup": 0}),
        (SkipSigma, {"sigma": -1.0}),
        (SkipSigma, {"window": 5}),
    ],
)
def test_an_option_out_of_range_is_refused_by_name(rule, options):
    with pytest.raises(RunLogError, match=f"{next(iter(options))} is .* Give a number above"):
        rule(**options)
