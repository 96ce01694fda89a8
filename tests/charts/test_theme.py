"""Colors: contrast with the page, and distance between marks as color-blind people see them."""

import itertools

import numpy as np
import pytest

from analysis.charts.theme import DARK, LIGHT

# Machado, Oliveira, Fernandes 2009, severity 1.0, on linear RGB.
SEEN_AS = {
    "normal": np.eye(3),
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
both = pytest.mark.parametrize("colors", [LIGHT, DARK], ids=["light", "dark"])


def linear(color: str) -> np.ndarray:
    rgb = np.array([int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    low, high = sorted(float(linear(color) @ TO_XYZ[1]) for color in (one, other))
    return (high + 0.05) / (low + 0.05)


def lab(color: str, seen_as: str) -> np.ndarray:
    xyz = TO_XYZ @ np.clip(np.array(SEEN_AS[seen_as]) @ linear(color), 0, 1) / np.array([0.9505, 1, 1.089])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def closest(colors: list[str], seen_as: str) -> float:
    pairs = itertools.combinations(colors, 2)
    return min(float(np.linalg.norm(lab(one, seen_as) - lab(other, seen_as))) for one, other in pairs)


def blend(over: str, page: str, opacity: float) -> str:
    pair = [[int(color[i : i + 2], 16) for i in (1, 3, 5)] for color in (over, page)]
    return "#" + "".join(f"{round(opacity * a + (1 - opacity) * b):02X}" for a, b in zip(*pair, strict=True))


@both
def test_words_have_a_contrast_of_4_5_with_the_page_and_marks_of_3(colors):
    for color in (colors.ink, colors.muted, colors.feasible, colors.infeasible, colors.star):
        assert contrast(color, colors.page) >= 4.5, color
    for color in (colors.control, *colors.below, *colors.above):
        assert contrast(color, colors.page) >= 3.0, color
    assert contrast(colors.star, blend(colors.band, colors.page, colors.band_opacity)) >= 4.5


@both
@pytest.mark.parametrize("seen_as", SEEN_AS)
def test_no_two_marks_look_alike_to_anyone(colors, seen_as):
    assert closest([colors.feasible, colors.infeasible, colors.ink, colors.control], seen_as) >= 20
    assert closest(list(colors.series), seen_as) >= 25


@both
@pytest.mark.parametrize("seen_as", SEEN_AS)
def test_learning_rates_above_never_look_like_those_below_or_at_the_best(colors, seen_as):
    for above in colors.above[:2]:
        for steady in (colors.feasible, *colors.below[:2]):
            assert closest([above, steady], seen_as) >= 15, (above, steady)


def test_the_check_itself_can_fail():
    assert closest(["#7A4FBF", "#2E6FB0"], "deutan") < 20
    assert contrast("#AAAAAA", "#FFFFFF") < 3
