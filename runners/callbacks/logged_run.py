"""The run that a trainer of another library logs: opened when its training starts, ended with it."""

from collections.abc import Callable, Mapping

from analysis.judge import keep_judged
from analysis.live_alarm import Alarm
from analysis.runlog import RunLogError, RunWriter, schema
from runners.guard import watch_for_rises
from runners.step_rows import StepRows
from runners.train import Writer


class LoggedRun:
    """One run at a time: what to open it with, and what its rows are gathered in.

    Attributes:
        rows: Set by the callback once its training has started; None before and after.
    """

    def __init__(self, study: str, on_rise: str | Callable[[Alarm], None] | None = "warn", **options: object):
        """Takes what the user says of the run.

        Args:
            study: Study the run belongs to.
            on_rise: What to do at a rise of the loss, as in watch_for_rises; None: nothing.
            **options: As RunWriter takes them: store, name, run_id, and fields of the run record, which go before
                what the trainer says.
        """
        self._study, self._on_rise, self._options = study, on_rise, options
        self._writer: RunWriter | None = None
        self.rows: StepRows | None = None

    def open(
        self, facts: Mapping[str, object], planned_steps: int | None, is_first_process: bool = True
    ) -> Writer | None:
        """Opens the log; None on every process of a distributed training but the first.

        A run that is still open is one whose training failed without a word to its callbacks: it ends as interrupted.

        Args:
            facts: Fields of the run record that the trainer knows.
            planned_steps: Updates the training is to take, None where the trainer does not know.
            is_first_process: Whether this process is the one that writes.

        Raises:
            RunLogError: The run is to be guarded, and nobody says how long it is.
        """
        self.close("interrupted")
        if not is_first_process:
            return None
        fields = {schema.MAX_TRAIN_STEPS: planned_steps} | {**facts} | self._options
        if self._on_rise is not None and fields[schema.MAX_TRAIN_STEPS] is None:
            raise RunLogError(
                "the trainer does not know how many steps it will take, the guard needs that. Give max_train_steps, "
                "or on_rise=None"
            )
        self._writer = RunWriter(self._study, **fields)
        if self._on_rise is None:
            return self._writer
        steps = planned_steps or int(fields[schema.MAX_TRAIN_STEPS])
        return watch_for_rises(self._writer, self._on_rise, planned_steps=steps, name=self._study)

    def close(self, status: str = "finished") -> None:
        """Ends the run, if one is open; the guard may have ended it before."""
        writer, rows, self._writer, self.rows = self._writer, self.rows, None, None
        if rows is not None:
            rows.close()
        if writer is not None and writer.record[schema.STATUS] == "running":
            writer.finish(status)
            keep_judged(self._study, [writer.run_id], self._options.get("store"))
