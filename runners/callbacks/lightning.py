"""Logs every update of a Lightning training."""

import math
import os
from typing import TYPE_CHECKING

from torch import Tensor

from analysis.runlog import RunLogError, schema
from runners.attach import describe_optimizer, watch
from runners.callbacks.logged_run import LoggedRun

if TYPE_CHECKING:
    from lightning.pytorch import Callback, LightningModule, Trainer

NOT_METAPARAMETERS = schema.FACTS | {"store"}


def log_steps(study: str, **options: object) -> "Callback":
    """Returns a callback: `Trainer(callbacks=[log_steps("my-study")])`.

    Args:
        study: Study the run belongs to.
        **options: As in LoggedRun.
    """
    from lightning.pytorch.callbacks import LambdaCallback

    run = LoggedRun(study, **options)

    def start(trainer: "Trainer", module: "LightningModule") -> None:
        if len(trainer.optimizers) != 1:
            raise RunLogError(
                f"the module has {len(trainer.optimizers)} optimizers. A row holds one loss and one update: watch each "
                "optimizer with runners.attach, in a run of its own"
            )
        (optimizer,) = trainer.optimizers
        log = run.open(describe_training(trainer, module), planned_steps(trainer), trainer.is_global_zero)
        run.rows = watch(optimizer, log, scaler=read_scaler(trainer), first_step=trainer.global_step)

    def take_loss(trainer: "Trainer", module: "LightningModule", loss: Tensor) -> None:
        scaler = read_scaler(trainer)
        micro_batches = trainer.accumulate_grad_batches if module.automatic_optimization else 1
        run.rows.loss(loss * (micro_batches / (scaler.get_scale() if scaler else 1.0)))

    return LambdaCallback(
        on_train_start=start,
        on_before_backward=take_loss,
        on_train_end=lambda trainer, module: run.close(),
        on_exception=lambda trainer, module, error: run.close("interrupted"),
    )


def read_scaler(trainer: "Trainer") -> object | None:
    """Returns the GradScaler of a training in half precision."""
    return getattr(trainer.precision_plugin, "scaler", None)


def planned_steps(trainer: "Trainer") -> int | None:
    """Returns the updates that a training is to take in all."""
    steps = trainer.estimated_stepping_batches
    return int(steps) if 0 < steps < math.inf else None


def describe_training(trainer: "Trainer", module: "LightningModule") -> dict[str, object]:
    """Returns the fields of the run record that trainer and module tell: settings, and the module's hyperparameters."""
    settings = {
        name: value
        for name, value in module.hparams.items()
        if isinstance(value, str | int | float) and name not in NOT_METAPARAMETERS
    }
    fields = describe_optimizer(trainer.optimizers[0])
    if trainer.gradient_clip_val and trainer.gradient_clip_algorithm != "value":
        fields[schema.CLIP_THRESHOLD] = float(trainer.gradient_clip_val)
    if trainer.lr_scheduler_configs:
        fields[schema.SCHEDULE] = type(trainer.lr_scheduler_configs[0].scheduler).__name__
    if getattr(trainer.train_dataloader, "batch_size", None):
        processes = trainer.world_size * trainer.accumulate_grad_batches
        fields[schema.BATCH_SIZE] = trainer.train_dataloader.batch_size * processes
    if "PL_GLOBAL_SEED" in os.environ:
        fields[schema.SEED] = int(os.environ["PL_GLOBAL_SEED"])
    return settings | fields
