"""Logs every update of a Hugging Face Trainer."""

from typing import TYPE_CHECKING

from torch import Tensor

from analysis.runlog import schema
from runners.attach import describe_optimizer, watch
from runners.callbacks.logged_run import LoggedRun

if TYPE_CHECKING:
    from torch.optim import Optimizer
    from transformers import Trainer, TrainerCallback


def log_steps(trainer: "Trainer", study: str, **options: object) -> "TrainerCallback":
    """Returns a callback: `trainer.add_callback(log_steps(trainer, "my-study"))`.

    Callbacks of the Trainer are told no loss. This one takes what `trainer.training_step` returns, before means are
    taken and before `logging_nan_inf_filter` replaces what is not finite.

    Args:
        trainer: The trainer it will be added to.
        study: Study the run belongs to.
        **options: As in LoggedRun.
    """
    from transformers import TrainerCallback

    run, training_step = LoggedRun(study, **options), trainer.training_step

    def take_step(*inputs: object, **named: object) -> Tensor:
        loss = training_step(*inputs, **named)
        run.rows.loss(loss * trainer.current_gradient_accumulation_steps)  # it returns a share of the step's loss
        return loss

    class LogSteps(TrainerCallback):
        """Opens and ends the run with the training."""

        def on_train_begin(self, args: object, state: object, control: object, **kwargs: object) -> None:
            """Opens the run."""
            optimizer = trainer.optimizer.optimizer  # the one that Accelerate has wrapped
            facts = describe_training(trainer, optimizer, state.max_steps)
            log = run.open(facts, state.max_steps, state.is_world_process_zero)
            run.rows = watch(optimizer, log, scaler=trainer.accelerator.scaler, first_step=state.global_step)
            trainer.training_step = take_step

        def on_train_end(self, args: object, state: object, control: object, **kwargs: object) -> None:
            """Ends the run."""
            trainer.training_step = training_step
            run.close()

    return LogSteps()


def describe_training(trainer: "Trainer", optimizer: "Optimizer", max_steps: int) -> dict[str, object]:
    """Returns the fields of the run record that the arguments of a trainer tell."""
    args = trainer.args
    warmup_steps = args.get_warmup_steps(max_steps)
    clipping = {schema.CLIP_THRESHOLD: args.max_grad_norm} if args.max_grad_norm else {}
    return {
        **describe_optimizer(optimizer),
        schema.BASE_LR: args.learning_rate,
        schema.SCHEDULE: str(getattr(args.lr_scheduler_type, "value", args.lr_scheduler_type)),
        schema.WARMUP_STEPS: warmup_steps,
        schema.MAX_TRAIN_STEPS: max_steps - warmup_steps,
        schema.BATCH_SIZE: args.train_batch_size * args.gradient_accumulation_steps * args.world_size,
        schema.SEED: args.seed,
        **clipping,
    }
