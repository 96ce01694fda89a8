"""Mirrors the rows of a run to Weights & Biases. The run log in the store stays the source of truth."""

import sys
from collections.abc import Callable, Mapping
from types import TracebackType

from analysis.runlog import schema
from runners.train import Writer

INIT_TIMEOUT = 30  # ours: seconds that a server may keep a training from starting


class WandbMirror:
    """A writer that passes every row on to W&B after the run log has it.

    The study is the W&B project. Each attempt of a run is a W&B run of its own: a restarted run begins at step 0 again,
    which W&B would drop from the first one. `step` is an ordinary column. Whatever fails in W&B is said once on
    standard error, and training goes on without it. WANDB_MODE=offline works as everywhere.
    """

    def __init__(self, writer: Writer, study: str, name: str, record: Mapping[str, object]):
        """Takes the writer that it mirrors and what that writer has been told."""
        self._writer, self._study, self._name, self._record = writer, study, name, record
        self._run = None
        self._status = "interrupted"

    def __enter__(self) -> "WandbMirror":
        """Starts the W&B run."""
        self._attempt(self._start)
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Ends the W&B run; a training that was interrupted counts as failed there."""
        ended = self._status in schema.ENDED
        self._mirror(lambda run: run.finish(exit_code=0 if ended else 1))

    def step(self, step: int, **metrics: float) -> None:
        """Writes row `step`."""
        self._writer.step(step, **metrics)
        self._mirror(lambda run: run.log({schema.STEP: step, **metrics}))

    def update(self, **fields: object) -> None:
        """Adds fields to the run record."""
        self._writer.update(**fields)
        self._mirror(lambda run: run.config.update(fields, allow_val_change=True))

    def finish(self, status: str) -> None:
        """Ends the run in the run log."""
        self._writer.finish(status)
        self._status = status
        self.update_summary(status)

    def update_summary(self, status: str) -> None:
        """Shows the status in W&B's table of runs."""
        self._mirror(lambda run: run.summary.update({schema.STATUS: status}))

    def _start(self) -> None:
        import wandb

        config = dict(self._record) | {schema.RUN_ID: self._writer.run_id, schema.STUDY: self._study}
        settings = wandb.Settings(silent=True, console="off", init_timeout=INIT_TIMEOUT)
        self._run = wandb.init(project=self._study, name=self._name, config=config, settings=settings)

    def _mirror(self, action: Callable[[object], object]) -> None:
        if self._run is not None:
            self._attempt(lambda: action(self._run))

    def _attempt(self, action: Callable[[], object]) -> None:
        try:
            action()
        except Exception as error:  # whatever W&B raises: a tracker must not cost a training
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            print(
                f"warning: W&B gets no more rows of {self._name}: {reason}. The run log keeps them all", file=sys.stderr
            )
            self._run = None
