import numpy as np
import pytest
import torch
from lightning.pytorch import LightningModule, Trainer
from torch.utils.data import DataLoader

from analysis.runlog import RunLogError, read_paths, read_study, schema
from runners.callbacks.lightning import log_steps
from runners.guard import StoppedAtRise
from tests.runlog.readers.hard_values import hard_losses
from tests.runners.loops import BATCHES, CLIP, expected_rows, make_loop, squared_output
from tests.runners.planted import STUDY, as_trained, train_lightning

pytestmark = [
    pytest.mark.filterwarnings("ignore:The 'train_dataloader' does not have many workers:UserWarning"),
    pytest.mark.filterwarnings("ignore:.isinstance.treespec, LeafSpec.:FutureWarning"),
]


class Regression(LightningModule):
    def __init__(self, width=8, lr=0.1, study="taken by the log", num_optimizers=1, fails_at=None):
        super().__init__()
        self.save_hyperparameters()
        self.model, _, _ = make_loop()

    def training_step(self, batch, index):
        if index == self.hparams.fails_at:
            raise ZeroDivisionError
        return squared_output(self.model, batch)

    def configure_optimizers(self):
        return [
            torch.optim.SGD(self.model.parameters(), lr=self.hparams.lr) for _ in range(self.hparams.num_optimizers)
        ]


def fit(module, callback, epochs=1, **options):
    quiet = dict.fromkeys(("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary"), False)
    trainer = Trainer(accelerator="cpu", max_epochs=epochs, callbacks=[callback], **quiet, **options)
    trainer.fit(module, DataLoader(torch.cat(make_loop()[2]), batch_size=5))


@pytest.mark.parametrize("accumulate", [1, 3])
def test_each_update_of_a_lightning_training_is_a_row_with_the_norm_before_clipping(tmp_path, accumulate):
    callback = log_steps("lightning", store=tmp_path, workload="regression")
    fit(Regression(), callback, gradient_clip_val=CLIP, accumulate_grad_batches=accumulate)
    (run,) = read_study("lightning", tmp_path)
    expected, _ = expected_rows(accumulate)
    columns = (schema.TRAIN_LOSS, schema.GRAD_NORM, schema.UPDATE_NORM, schema.LR)
    np.testing.assert_allclose(np.transpose([run.series(name)[1] for name in columns]), expected, rtol=1e-4)
    assert run.log.grad_norm == "before-clipping"
    said = {"status": "finished", "optimizer": "sgd", "base_lr": 0.1, "clip_threshold": CLIP, "width": 8}
    said |= {"workload": "regression", "study": "lightning", "max_train_steps": BATCHES // accumulate}
    said |= {"batch_size": 5 * accumulate}
    assert said.items() <= run.record.items()


def test_the_guard_ends_a_lightning_training_at_a_rise(tmp_path):
    with pytest.raises(StoppedAtRise):
        fit(Regression(lr=30.0), log_steps("lightning", store=tmp_path, on_rise="stop"), epochs=10)
    (run,) = read_study("lightning", tmp_path)
    assert run.record[schema.STATUS] in ("stopped", "diverged")
    assert run.steps.num_rows < 10 * BATCHES


def test_a_lightning_training_that_fails_leaves_its_rows_and_can_go_on(tmp_path):
    with pytest.raises(ZeroDivisionError):
        fit(Regression(fails_at=2), log_steps("lightning", store=tmp_path))
    (run,) = read_study("lightning", tmp_path)
    assert run.record[schema.STATUS] == "interrupted"
    assert run.steps.num_rows == 2


def test_a_module_with_two_optimizers_is_refused(tmp_path):
    module = Regression(num_optimizers=2)
    module.automatic_optimization = False
    with pytest.raises(RunLogError, match=r"^the module has 2 optimizers\. .* in a run of its own$"):
        fit(module, log_steps("lightning", store=tmp_path))


def test_hard_losses_are_the_same_in_our_log_in_the_csv_and_in_the_events_of_one_training(tmp_path):
    losses = hard_losses(200, smallest=1e-30)
    train_lightning(tmp_path, losses)
    (own,) = read_study(STUDY, tmp_path / "store")
    (table,) = read_paths([next(tmp_path.rglob("metrics.csv"))])
    (events,) = read_paths([next(tmp_path.rglob("events.out.tfevents.*"))])
    for run in (own, table, events):
        np.testing.assert_array_equal(run.loss, (np.arange(200), as_trained(losses)))
        assert run.log.non_finite == "kept"
