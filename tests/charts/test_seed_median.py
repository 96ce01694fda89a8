"""The median of seeds counts at every step the seeds that logged it, and a loss that is not finite as the highest."""

import numpy as np
import pandas as pd
import pytest

from analysis.curves import cut_curves, line_keys
from analysis.findings import diagnose
from tests.studies import make_run, make_study


@pytest.mark.parametrize("num_seeds", [2, 3, 4, 5])
def test_the_median_is_that_of_the_seeds_that_logged_the_step(num_seeds):
    draw = np.random.default_rng(num_seeds)
    losses = []
    for seed in range(num_seeds):
        loss = 2 + draw.random(30 - 4 * seed)
        loss[draw.integers(len(loss))] = np.nan
        losses.append(loss)
    runs = [make_run(loss, base_lr=0.1, seed=seed) for seed, loss in enumerate(losses)]
    judged = diagnose(make_study(runs)).runs
    points = cut_curves(judged, line_keys(judged, None)).points
    drawn = points[points["is_median"]].set_index("step")["value"]
    highest = [pd.Series(np.where(np.isnan(loss), np.inf, loss)) for loss in losses]
    expected = pd.concat(highest, axis=1).median(axis=1).replace(np.inf, np.nan)
    np.testing.assert_array_equal(drawn.to_numpy(), expected.to_numpy())
    assert drawn.index.tolist() == expected.index.tolist()
