"""Single high points of the loss on its page: named and opened on a click, and never called a rise."""

import numpy as np

from app_pages.zoom import PARAMETER
from tests.app_pages.stores import add_study, text_of
from tests.studies import make_run


def spiky(steps):
    """Returns a falling loss of 3,000 noisy steps with high points at some of them."""
    loss = 2.0 * np.exp(-np.arange(3000) / 2000) + np.random.default_rng(0).normal(0, 0.02, 3000)
    loss[list(steps)] = [50.0 - 10 * place for place in range(len(steps))]
    return loss


def test_a_single_high_point_is_named_and_opened_and_is_no_rise(open_app, monkeypatch, tmp_path):
    add_study(tmp_path, "spiky", [make_run(spiky([1200, 2100]), run_id="a", base_lr=0.1)], tmp_path / "files")
    monkeypatch.setenv("STEADYSTEP_STORE", str(tmp_path))
    app = open_app("spiky", "loss")
    assert "No rise in 1 run" in text_of(app)
    assert "2 single high points, which are no rise" in text_of(app)
    buttons = [button for button in app.button if (button.key or "").startswith("high point")]
    labels = [button.label.replace("\u2060", "") for button in buttons]
    assert labels == ["Step 1,200 of a, loss 50", "Step 2,100 of a, loss 40"]
    app = buttons[1].click().run()
    assert app.query_params[PARAMETER] == "step 2075 to 2125"
    assert "Show all steps" in [button.label for button in app.button]


def test_a_run_without_high_points_says_nothing_of_them(open_app):
    assert "single high point" not in text_of(open_app("steady", "loss"))
