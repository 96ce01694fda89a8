"""What the pictures of clip thresholds draw, read from their Vega-Lite form."""

import numpy as np
import pytest

from analysis.charts.clipping import replay_curves, threshold_curve
from analysis.charts.grad_norm import norm_bars, norm_curve, norm_domain
from analysis.charts.theme import DARK, LIGHT
from analysis.clip_curve import span_thresholds, trace_thresholds
from analysis.clip_replay import cut_replays, replay_rules
from analysis.clipping import find_extreme_below
from analysis.curves import cut_curves, line_keys
from analysis.judge import judge_one
from analysis.norm_histogram import count_norms
from analysis.phases import split_phases
from analysis.runlog import schema
from tests.charts.drawn import layers_of, values_of, words_of
from tests.studies import make_run

NORM = np.geomspace(1.0, 8.0, 100)
NAMES = {"global_norm": "fixed", "autoclip": "AutoClip", "zclip": "ZClip", "skip_sigma": "6-sigma skip"}


def draw_thresholds(threshold=4.0, colors=LIGHT):
    trace = trace_thresholds(NORM, *span_thresholds(NORM, threshold))
    return threshold_curve(trace, threshold, find_extreme_below(NORM), colors)


def draw_replays(norm, colors=LIGHT):
    steps = np.arange(len(norm))
    replays = replay_rules(norm, split_phases(steps, len(norm)), 4.0)
    points, _ = cut_replays(replays, steps, norm)
    return replay_curves(points, NAMES, norm_domain(norm, 4.0), colors)


def test_the_curve_holds_share_and_multiplier_of_every_threshold_and_shades_the_extreme_ones():
    chart = draw_thresholds()
    line = values_of(chart, "line", "clipped_fraction")
    assert line["clipped_fraction"].max() == 1.0
    assert line["clipped_fraction"].min() == 0.0
    (zone,) = values_of(chart, "rect", "low").to_dict("records")
    assert zone["high"] == pytest.approx(find_extreme_below(NORM))
    share = line.set_index("clip_threshold")["clipped_fraction"]
    assert (share[share.index < zone["high"]] > 0.5).all()
    assert (share[share.index >= zone["high"]] <= 0.5).all()
    assert values_of(chart, "rule", "at")["at"].tolist() == [4.0]
    assert {"more than half clipped", "threshold 4", "clipped", "multiplier"} <= words_of(chart)


def test_the_colors_of_the_page_are_taken():
    for chart in (draw_thresholds(colors=DARK), draw_replays(NORM, DARK)):
        assert DARK.muted in str(chart.to_dict()["config"])


def test_each_rule_has_a_line_in_its_own_color_and_its_name_at_the_end():
    norm = 1.0 + 0.1 * np.random.default_rng(0).random(300)
    chart = draw_replays(norm)
    rules = values_of(chart, "line", "line")
    assert set(rules["line"]) == {"norm", *NAMES}
    assert words_of(chart) == set(NAMES.values())
    (scale,) = [
        layer["encoding"]["color"]["scale"]
        for layer, _ in layers_of(chart)
        if layer["encoding"].get("color", {}).get("field") == "line"
    ]
    assert scale == {"domain": list(NAMES), "range": list(LIGHT.series[:4])}
    first = rules[rules["value"].notna()].groupby("line")["step"].min()
    assert first[["global_norm", "autoclip", "zclip", "skip_sigma"]].tolist() == [0, 0, 25, 63]


def test_a_rule_that_never_sets_a_limit_has_no_name_in_the_picture():
    assert words_of(draw_replays(1.0 + 0.1 * np.random.default_rng(0).random(20))) == {"fixed", "AutoClip"}


def test_the_thresholds_that_clip_more_than_half_are_shaded_through_both_pictures_of_the_norm():
    one = judge_one(make_run(np.linspace(2, 1, 100), columns={schema.GRAD_NORM: NORM}), "all runs")
    curves, below = cut_curves([one], line_keys([one], None), schema.GRAD_NORM), find_extreme_below(NORM)
    domain = norm_domain(NORM, 4.0)
    left = norm_curve(curves, [], 4.0, domain, LIGHT, extreme_below=below)
    right = norm_bars(count_norms(NORM), 4.0, domain, LIGHT, extreme_below=below)
    for chart in (left, right):
        assert values_of(chart, "rect", "low").to_dict("records") == [{"low": domain[0], "high": below}]
    assert "a threshold in here clips more than half" in words_of(left)
    assert not len(values_of(norm_curve(curves, [], 4.0, domain, LIGHT), "rect", "low"))
