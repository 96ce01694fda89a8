import math

import numpy as np
import pytest
import torch
from torch import nn
from transformers import Trainer, TrainingArguments

from analysis.runlog import read_study, schema
from runners.callbacks.hf_trainer import log_steps
from runners.guard import StoppedAtRise
from tests.runners.test_attach import CLIP, make_loop, squared_output


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


def test_a_loss_that_the_trainer_filters_out_of_its_log_is_in_ours(tmp_path):
    logged = train(tmp_path, Model(bad_at=3), on_rise=None)
    (run,) = read_study("hf", tmp_path)
    assert math.isinf(run.series(schema.TRAIN_LOSS)[1][3])
    assert all(math.isfinite(entry["loss"]) for entry in logged)


def test_the_guard_ends_a_trainer_at_a_loss_that_is_not_finite(tmp_path):
    with pytest.raises(StoppedAtRise, match="not finite at step 3"):
        train(tmp_path, Model(bad_at=3), on_rise="stop")
    (run,) = read_study("hf", tmp_path)
    assert run.record[schema.STATUS] == "diverged"
    assert run.steps.num_rows == 4
