"""Real trainings of other libraries whose losses are planted: the gradient is that of a model, the value is given.

So a loss that is not finite or rises for one step goes through everything between a model and its log, and training
goes on behind it.
"""

import contextlib
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

BATCH_SIZE = 4
LR = 1e-5  # so small that 20,000 steps leave a gradient
BREAKS = None  # a planted loss at which the gradient is NaN too, and with it all that follows
STUDY = "planted"


def plant(clean, value: float | None, stop_gradient):
    """Returns a loss of a value with the gradient of another."""
    return clean * math.nan if value is BREAKS else clean - stop_gradient(clean) + value


def as_trained(losses: Sequence[float | None]) -> np.ndarray:
    """Returns what a training in 32 bits has as losses."""
    values = np.float32([math.nan if loss is BREAKS else loss for loss in losses]).astype(float)
    if BREAKS in losses:
        values[losses.index(BREAKS) :] = math.nan
    return values


def make_inputs(num_steps: int) -> np.ndarray:
    """Returns the inputs of all batches."""
    return np.random.default_rng(1).normal(size=(num_steps, BATCH_SIZE, 4)).astype("float32")


def make_torch_model(losses: Sequence[float | None]):
    """Returns a model of torch that returns the planted losses, one a call."""
    import torch
    from torch import nn

    class Planted(nn.Module):
        """Takes the next loss at each call."""

        def __init__(self):
            super().__init__()
            self.layer, self.losses = nn.Linear(4, 1), iter(losses)

        def forward(self, inputs: torch.Tensor) -> dict[str, torch.Tensor]:
            """Returns the loss as the Trainer of Hugging Face expects it."""
            return {"loss": plant(self.layer(inputs).square().mean(), next(self.losses), torch.Tensor.detach)}

    return Planted()


def train_hf(folder: Path, losses: Sequence[float | None], **arguments: object) -> None:
    """Trains with the Trainer of Hugging Face, logged by us, to trainer_state.json and to train.log."""
    import torch
    from transformers import Trainer, TrainingArguments

    from runners.callbacks.hf_trainer import log_steps

    given = {"logging_steps": 1, "learning_rate": LR, "save_strategy": "no", "report_to": "none", "use_cpu": True}
    given |= {"max_steps": len(losses), "per_device_train_batch_size": BATCH_SIZE} | arguments
    rows = [{"inputs": torch.from_numpy(row)} for row in make_inputs(len(losses)).reshape(-1, 4)]
    log = folder / "train.log"
    with log.open("w") as file, contextlib.redirect_stdout(file), contextlib.redirect_stderr(file):
        trainer = Trainer(make_torch_model(losses), TrainingArguments(str(folder), **given), train_dataset=rows)
        trainer.add_callback(log_steps(trainer, STUDY, store=folder / "store", on_rise=None))
        trainer.train()
        trainer.save_state()


def train_keras(folder: Path, losses: Sequence[float], steps_per_epoch: int = 1) -> None:
    """Trains with Keras, logged by us and to training.log, which has one row an epoch."""
    import keras

    from runners.callbacks.keras import log_steps

    def loss_of(targets, outputs):
        return plant(keras.ops.mean(keras.ops.square(outputs), -1), targets[:, 0], keras.ops.stop_gradient)

    def take_batches() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for inputs, loss in zip(make_inputs(len(losses)), losses, strict=True):
            yield inputs, np.full((BATCH_SIZE, 1), loss, "float32")

    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(LR), loss=loss_of)
    callbacks = [
        log_steps(STUDY, store=folder / "store", on_rise=None),
        keras.callbacks.CSVLogger(str(folder / "training.log")),
    ]
    epochs = len(losses) // steps_per_epoch
    told = {"epochs": epochs, "steps_per_epoch": steps_per_epoch, "shuffle": False, "verbose": 0}
    model.fit(take_batches(), callbacks=callbacks, **told)


def train_lightning(folder: Path, losses: Sequence[float | None]) -> None:
    """Trains with Lightning, logged by us, to metrics.csv and to an event file of TensorBoard."""
    import torch
    from lightning.pytorch import LightningModule, Trainer
    from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
    from torch.utils.data import DataLoader

    from runners.callbacks.lightning import log_steps

    class Module(LightningModule):
        """Logs what it returns."""

        def __init__(self):
            super().__init__()
            self.model = make_torch_model(losses)

        def training_step(self, batch: torch.Tensor, index: int) -> torch.Tensor:
            """Returns the planted loss."""
            loss = self.model(batch)["loss"]
            self.log("train_loss", loss)
            return loss

        def configure_optimizers(self) -> torch.optim.Optimizer:
            """Returns the optimizer."""
            return torch.optim.SGD(self.parameters(), lr=LR)

    trainer = Trainer(
        accelerator="cpu",
        max_epochs=1,
        log_every_n_steps=1,
        logger=[CSVLogger(folder, "csv"), TensorBoardLogger(folder, "events")],
        callbacks=[log_steps(STUDY, store=folder / "store", on_rise=None)],
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    inputs = torch.from_numpy(make_inputs(len(losses)).reshape(-1, 4))
    trainer.fit(Module(), DataLoader(inputs, batch_size=BATCH_SIZE))
