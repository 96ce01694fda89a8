import math

import numpy as np
import pytest
import torch
from torch import nn
from transformers import Trainer, TrainingArguments

from analysis.runlog import read_paths, read_study, schema
from runners.callbacks.hf_trainer import log_steps
from runners.guard import StoppedAtRise
from tests.runlog.readers.hard_values import hard_losses
from tests.runners.loops import CLIP, make_loop, squared_output
from tests.runners.planted import BREAKS, STUDY, as_trained, train_hf


class Model(nn.Module):
    """A model as the Trainer expects it: returns its loss, which `bad_at` makes infinite at one call."""

    def __init__(self, bad_at=None):
        super().__init__()
        self.model, _, _ = make_loop()
        self.calls, self.bad_at = 0, bad_at

    def forward(self, inputs):
        self.calls += 1
        loss = squared_output(self.model, inputs)
        return {"loss": loss * math.inf if self.calls - 1 == self.bad_at else loss}


def train(folder, model, accumulate=1, lr=0.1, **options):
    """Trains 6 steps; returns what the Trainer itself logged of each."""
    arguments = TrainingArguments(
        str(folder / "out"), max_steps=6, per_device_train_batch_size=4, gradient_accumulation_steps=accumulate,
        learning_rate=lr, warmup_steps=2, lr_scheduler_type="cosine", max_grad_norm=CLIP, logging_steps=1,
        optim="adamw_torch", seed=3, use_cpu=True, report_to="none", save_strategy="no", disable_tqdm=True,
    )  # fmt: skip
    rows = [{"inputs": row} for row in torch.randn(48, 4, generator=torch.Generator().manual_seed(2))]
    trainer = Trainer(model, arguments, train_dataset=rows)
    trainer.add_callback(log_steps(trainer, "hf", store=folder, **options))
    trainer.train()
    return [entry for entry in trainer.state.log_history if "loss" in entry]


@pytest.mark.parametrize("accumulate", [1, 2])
def test_each_update_of_a_trainer_is_a_row_equal_to_what_the_trainer_logs_of_it(tmp_path, accumulate):
    logged = train(tmp_path, Model(), accumulate, workload="regression")
    (run,) = read_study("hf", tmp_path)
    for column, name in ((schema.TRAIN_LOSS, "loss"), (schema.GRAD_NORM, "grad_norm"), (schema.LR, "learning_rate")):
        steps, values = run.series(column)
        np.testing.assert_array_equal(steps, range(6))
        np.testing.assert_allclose(values, [entry[name] for entry in logged], rtol=1e-4)
    assert run.series(schema.GRAD_NORM)[1].min() > CLIP
    said = {"status": "finished", "optimizer": "adamw", "base_lr": 0.1, "schedule": "cosine", "warmup_steps": 2}
    said |= {"max_train_steps": 4, "clip_threshold": CLIP, "batch_size": 4 * accumulate, "seed": 3}
    assert (said | {"workload": "regression"}).items() <= run.record.items()


def test_the_guard_ends_a_trainer_at_a_loss_that_is_not_finite(tmp_path):
    with pytest.raises(StoppedAtRise, match="not finite at step 3"):
        train(tmp_path, Model(bad_at=3), on_rise="stop")
    (run,) = read_study("hf", tmp_path)
    assert run.record[schema.STATUS] == "diverged"
    assert run.steps.num_rows == 4


HARD = hard_losses(200, smallest=1e-30)


def read_three(folder):
    """Returns the run as we logged it, as the Trainer kept it, and as it printed it."""
    (own,) = read_study(STUDY, folder / "store")
    (kept,) = read_paths([folder / "trainer_state.json"])
    (printed,) = read_paths([folder / "train.log"])
    return own, kept, printed


def has_note(run, text):
    return any(text in note for note in run.log.notes)


def test_hard_losses_are_all_in_our_log_and_the_files_of_the_trainer_say_what_it_lost(tmp_path):
    planted = [*HARD, BREAKS, 1.0]
    train_hf(tmp_path, planted)
    own, kept, printed = read_three(tmp_path)
    expected = as_trained(planted)
    np.testing.assert_array_equal(own.loss, (np.arange(202), expected))
    expected[[9, 11, 12, 199]] = 0.0  # what the filter makes of them; the last two have a norm that is NaN
    np.testing.assert_array_equal(kept.loss, (np.arange(1, 203), expected))
    np.testing.assert_array_equal(printed.loss[0], kept.loss[0])
    np.testing.assert_allclose(printed.loss[1], expected, rtol=5e-4)
    for run in (kept, printed):
        assert "leaves a loss that is not finite out of its mean" in run.log.non_finite
        assert has_note(run, "4 losses are exactly 0 where norms are not (first at step 10), as the Trainer writes NaN")
        assert has_note(run, "losses of exactly 0 from step 201 on are read as NaN")
        np.testing.assert_array_equal(np.isnan(run.series(schema.GRAD_NORM)[1]), [False] * 200 + [True] * 2)


def test_without_its_filter_the_trainer_logs_nan_for_good_and_its_files_say_so(tmp_path):
    train_hf(tmp_path, HARD[:40], logging_nan_inf_filter=False)
    own, kept, printed = read_three(tmp_path)
    np.testing.assert_array_equal(own.loss[1], as_trained(HARD[:40]))
    for run in (kept, printed):
        np.testing.assert_allclose(run.loss[1], [*HARD[:9], *[math.nan] * 31], rtol=5e-4)
        assert has_note(run, "losses are NaN from step 10 on, norms are not")


def test_a_rise_of_one_step_is_hidden_in_a_mean_that_is_told_as_one(tmp_path):
    losses = [50.0 if step == 17 else 2.0 for step in range(40)]
    train_hf(tmp_path, losses, logging_steps=10)
    own, kept, printed = read_three(tmp_path)
    assert own.loss[1].tolist() == losses
    for run in (kept, printed):
        assert run.steps[schema.TRAIN_LOSS].to_pylist() == pytest.approx([2.0, 6.8, 2.0, 2.0])
        assert (run.loss[0].tolist(), run.log.averaged_over) == ([10, 20, 30, 40], 10)
