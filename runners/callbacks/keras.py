"""Logs every update of a Keras training on the torch backend."""

from typing import TYPE_CHECKING

from torch import Tensor

from analysis.runlog import RunLogError, schema
from runners.attach import call_after_backward
from runners.callbacks.logged_run import LoggedRun
from runners.step_rows import StepRows

if TYPE_CHECKING:
    from keras import Model
    from keras.callbacks import Callback
    from keras.optimizers import Optimizer

OPTION_NAMES = {
    "momentum": "gamma",
    "beta_1": "beta1",
    "beta_2": "beta2",
    "epsilon": "eps",
    "weight_decay": "weight_decay",
}


def log_steps(study: str, **options: object) -> "Callback":
    """Returns a callback: `model.fit(..., callbacks=[log_steps("my-study")])`.

    Callbacks of Keras are told the mean loss of the epoch so far. This one takes what `model.compute_loss` returns.

    Args:
        study: Study the run belongs to.
        **options: As in LoggedRun.
    """
    from keras.callbacks import Callback

    run = LoggedRun(study, **options)

    class LogSteps(Callback):
        """Gathers a row a batch."""

        def on_train_begin(self, logs: object = None) -> None:
            """Opens the run."""
            model, optimizer = self.model, self.model.optimizer
            check_training(model)
            steps = self.params["steps"] and self.params["steps"] * self.params["epochs"]
            log = run.open(describe_training(optimizer), steps)
            run.rows = StepRows(
                log,
                lambda: [variable.value for variable in model.trainable_weights],
                lambda: float(optimizer.learning_rate),
                first_step=int(optimizer.iterations),
            )
            parameters = [variable.value for variable in model.trainable_weights]
            self._handles = call_after_backward(parameters, run.rows.measure)
            self._compute_loss = model.compute_loss
            model.compute_loss = self._take_loss

        def _take_loss(self, *inputs: object, **named: object) -> Tensor:
            loss = self._compute_loss(*inputs, **named)
            if loss.requires_grad:
                run.rows.loss(loss)
            return loss

        def on_train_batch_begin(self, batch: int, logs: object = None) -> None:
            """Keeps the parameters."""
            run.rows.before_update()

        def on_train_batch_end(self, batch: int, logs: object = None) -> None:
            """Writes the row."""
            run.rows.after_update()

        def on_train_end(self, logs: object = None) -> None:
            """Ends the run."""
            self.model.compute_loss = self._compute_loss
            for handle in self._handles:
                handle.remove()
            run.close()

    return LogSteps()


def check_training(model: "Model") -> None:
    """Refuses what keeps gradients or updates out of sight.

    Raises:
        RunLogError: For another backend, a compiled step, and accumulation or loss scaling within the optimizer.
    """
    import keras

    found = {
        f"Keras runs on {keras.backend.backend()}, its gradients cannot be seen": keras.backend.backend() != "torch",
        "jit_compile=True hides the gradients": model.jit_compile is True,
        "gradient_accumulation_steps sums gradients within the optimizer": model.optimizer.gradient_accumulation_steps,
        "LossScaleOptimizer scales gradients": isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer),
    }
    for reason, is_so in found.items():
        if is_so:
            raise RunLogError(f"{reason}. The callback needs the torch backend and plain updates: change that setting")


def describe_training(optimizer: "Optimizer") -> dict[str, object]:
    """Returns the fields of the run record that an optimizer tells."""
    config = optimizer.get_config()
    lr, name = config["learning_rate"], type(optimizer).__name__.lower()
    if name == "sgd" and config["momentum"]:
        name = "nesterov" if config["nesterov"] else "momentum"
    fields = {schema.OPTIMIZER: name, schema.CLIP_THRESHOLD: config["global_clipnorm"]}
    if isinstance(lr, dict):  # a schedule
        fields |= {schema.SCHEDULE: lr["class_name"], schema.BASE_LR: lr["config"].get("initial_learning_rate")}
    else:
        fields |= {schema.BASE_LR: float(f"{lr:.7g}")}  # Keras keeps 0.1 as 0.10000000149, its float32
    fields |= {known: config.get(option) for option, known in OPTION_NAMES.items()}
    return {field: value for field, value in fields.items() if value}
