"""A guard over a training that runs: says, or acts, when the loss rises."""

import sys
from collections.abc import Callable
from dataclasses import asdict

from analysis.live_alarm import Alarm, describe_alarm
from analysis.live_rise import LiveRises
from analysis.runlog import RunLogError, schema
from runners.train import Writer

ACTIONS = ("warn", "stop")


class StoppedAtRise(RunLogError):
    """The guard ended a run; its rows are kept, and the rise is on its record."""


class Guard:
    """A writer that passes every row on, and then looks whether the loss has risen."""

    def __init__(self, writer: Writer, act: Callable[[Alarm], None], planned_steps: int):
        """Takes the writer that it guards and what to do at an alarm."""
        self._writer, self._act, self._planned_steps = writer, act, planned_steps
        self._facts: dict[str, float] = {}
        self._live: LiveRises | None = None

    def step(self, step: int, **metrics: float) -> None:
        """Writes row `step`, then acts if it makes a rise certain."""
        self._writer.step(step, **metrics)
        loss, norm = metrics.get(schema.TRAIN_LOSS), metrics.get(schema.GRAD_NORM)
        if loss is None:
            return
        if self._live is None:
            facts = (self._facts.get(name) for name in (schema.INIT_LOSS_MEAN, schema.INIT_LOSS_SD))
            self._live = LiveRises(self._planned_steps, *facts)
        alarm = self._live.add(step, float(loss), None if norm is None else float(norm))
        if alarm is not None:
            self._act(alarm)

    def update(self, **fields: object) -> None:
        """Adds fields to the run record; keeps what they say of the untrained model."""
        self._writer.update(**fields)
        self._facts.update(fields)

    def finish(self, status: str) -> None:
        """Ends the run."""
        self._writer.finish(status)


def watch_for_rises(
    writer: Writer, action: str | Callable[[Alarm], None] = "warn", *, planned_steps: int, name: str = "the run"
) -> Guard:
    """Wraps a writer so that every row is looked at as it is written.

    Args:
        writer: Where rows and facts go.
        action: "warn" says each rise in one line on standard error; "stop" also ends the run, by raising
            StoppedAtRise once the row is written; a function is called with each alarm.
        planned_steps: Steps the run is to take, warmup included.
        name: What messages call the run.

    Raises:
        RunLogError: The action is none of these.
    """
    if callable(action):
        return Guard(writer, action, planned_steps)
    if action not in ACTIONS:
        raise RunLogError(f"no action {action!r} at a rise. Take one of {', '.join(ACTIONS)}, or a function")

    def act(alarm: Alarm) -> None:
        if action == "stop":
            writer.update(**{schema.STOPPED_AT_RISE: asdict(alarm)})
            writer.finish("diverged" if alarm.rule == "non-finite" else "stopped")
            raise StoppedAtRise(f"{name} was stopped: {describe_alarm(alarm)}. Its rows are kept")
        print(f"warning: {name}: {describe_alarm(alarm)}", file=sys.stderr)

    return Guard(writer, act, planned_steps)
