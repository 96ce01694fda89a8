import numpy as np
import pytest
import torch

from analysis.clip_rules import ADAPTIVE_RULES
from analysis.runlog import RunLogError, schema
from runners.command_line import add_clip_options, make_parser, read_clipping
from runners.config import RunConfig, config_from_record
from runners.plan import MemoryWriter
from runners.train import ClippedUpdates, train


def config(**clipping):
    """Makes the configuration of a short training."""
    return RunConfig("mlp", **{"optimizer": "momentum", "base_lr": 0.01, "max_train_steps": 90} | clipping)


def rows_of(**clipping):
    """Trains and returns the columns of the run log."""
    writer = MemoryWriter()
    train(config(**clipping), writer)
    return {name: np.array([row[name] for row in writer.rows]) for name in writer.rows[1]}


def read(*argv):
    """Reads clipping options of a command line."""
    parser = make_parser("test", "", "")
    add_clip_options(parser)
    return read_clipping(parser.parse_args(argv))


@pytest.mark.parametrize("name", ADAPTIVE_RULES)
def test_training_logs_the_multiplier_that_the_rule_gives_for_its_norms(name):
    options = {"skip_sigma": {"sigma": 1.0, "window": 20}, "zclip": {"alpha": 0.5, "z_thres": 0.5}, "autoclip": {}}[
        name
    ]
    rows, rule = rows_of(clip_rule=name, clip_options=options), ADAPTIVE_RULES[name](**options)
    expected = [rule.multiplier(norm) for norm in rows[schema.GRAD_NORM].tolist()]
    assert rows[schema.CLIP_MULTIPLIER].tolist() == expected
    assert min(expected) < 1 == max(expected)


def test_the_update_of_plain_descent_is_the_rate_times_the_clipped_norm():
    rows = rows_of(optimizer="sgd", clip_rule="autoclip")
    moved = rows[schema.LR] * rows[schema.GRAD_NORM] * rows[schema.CLIP_MULTIPLIER]
    np.testing.assert_allclose(rows[schema.UPDATE_NORM], moved, rtol=1e-4)


def test_a_skipped_step_moves_nothing_and_leaves_the_momentum_as_it_was():
    skipping, free = (
        ClippedUpdates(config(clip_rule=rule, clip_options=options), torch.zeros(2))
        for rule, options in (("skip_sigma", {"window": 20}), ("global_norm", {}))
    )
    for norm in [1.0, 2.0] * 15:
        delta, columns = skipping.next(torch.tensor([norm, 0.0]), norm, lr=0.1)
        assert torch.equal(delta, free.next(torch.tensor([norm, 0.0]), norm, lr=0.1)[0])
        assert columns[schema.CLIP_MULTIPLIER] == 1
    delta, columns = skipping.next(torch.tensor([0.0, 50.0]), 50.0, lr=0.1)
    assert columns == {schema.CLIP_MULTIPLIER: 0, schema.UPDATE_NORM: 0}
    assert delta.tolist() == [0, 0]
    after = torch.tensor([0.0, 1.0])
    assert torch.equal(skipping.next(after, 1.0, lr=0.1)[0], free.next(after, 1.0, lr=0.1)[0])


def test_clipped_updates_have_the_norm_of_the_limit_and_smaller_ones_are_left_alone():
    free = rows_of(optimizer="adam", base_lr=0.001)
    limit = float(np.median(free[schema.UPDATE_NORM]))
    rows = rows_of(optimizer="adam", base_lr=0.001, update_clip_threshold=limit)
    assert rows[schema.UPDATE_NORM].max() == pytest.approx(limit, rel=1e-6)
    assert (rows[schema.UPDATE_NORM] < 0.999 * limit).any()
    assert schema.CLIP_MULTIPLIER not in rows


def test_without_clipping_no_multiplier_is_logged():
    assert schema.CLIP_MULTIPLIER not in rows_of(max_train_steps=2)
    assert set(rows_of(max_train_steps=2, clip_threshold=1e6)[schema.CLIP_MULTIPLIER]) == {1.0}


@pytest.mark.parametrize(
    "clipping",
    [
        {},
        {"clip_threshold": 2.0},
        {"clip_rule": "autoclip", "clip_options": {"percentile": "50"}},
        {"clip_rule": "zclip", "clip_options": {"warmup": "10"}, "update_clip_threshold": 0.1},
        {"clip_rule": "skip_sigma"},
    ],
)
def test_the_record_says_enough_to_train_the_run_again(clipping):
    original = config(**clipping)
    assert config_from_record(original.to_record()) == original


def test_a_run_without_the_newer_options_has_the_record_it_always_had():
    fields = {name for name in config(clip_threshold=2.0).to_record() if "clip" in name}
    assert fields == {schema.CLIP_THRESHOLD}
    assert not {name for name in config().to_record() if "clip" in name}


@pytest.mark.parametrize(
    ("clipping", "message"),
    [
        ({"clip_rule": "agc"}, "no clip rule 'agc'. Take one of global_norm, autoclip, zclip, skip_sigma"),
        ({"clip_rule": "zclip", "clip_options": {"sigma": 1}}, "clip rule zclip has no option 'sigma'"),
        ({"clip_options": {"percentile": 1}}, "clip rule global_norm has no option 'percentile'. It has none"),
        ({"clip_rule": "autoclip", "clip_options": {"percentile": 0}}, "clip rule autoclip: percentile is 0.0"),
        ({"clip_rule": "autoclip", "clip_threshold": 1.0}, "clip_threshold is 1.0, but clip rule autoclip takes none"),
        ({"update_clip_threshold": -1.0}, "update_clip_threshold is -1.0. Give a positive number"),
    ],
)
def test_clipping_that_cannot_be_is_refused_in_one_line(clipping, message):
    with pytest.raises(RunLogError) as error:
        config(**clipping)
    assert str(error.value).startswith(message)


def test_the_command_line_replaces_rule_threshold_and_options_together():
    assert read() == {}
    nothing = {"clip_rule": "global_norm", "clip_threshold": None, "clip_options": {}}
    assert read("--clip-rule", "none") == nothing
    assert read("--clip-threshold", "2") == nothing | {"clip_threshold": 2.0}
    assert read("--clip-rule", "autoclip", "--clip-option", "percentile=5") == nothing | {
        "clip_rule": "autoclip",
        "clip_options": {"percentile": "5"},
    }


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--clip-rule", "global_norm"], "clip rule global_norm needs --clip-threshold"),
        (["--clip-rule", "none", "--clip-threshold", "1"], "clip rule none takes no --clip-threshold"),
        (["--clip-option", "percentile=5"], "clip rule global_norm needs --clip-threshold"),
        (["--clip-rule", "zclip", "--clip-option", "alpha=.9,.99"], "--clip-option alpha has several values"),
    ],
)
def test_options_that_do_not_belong_together_are_refused(argv, message):
    with pytest.raises(RunLogError, match=message):
        read(*argv)
