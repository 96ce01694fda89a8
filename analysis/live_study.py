"""The runs of a study that are being written: each new row is looked at once, and a new verdict waits for news."""

import contextlib
import threading
from dataclasses import dataclass
from pathlib import Path

from analysis.live_alarm import Alarm
from analysis.live_rise import LiveRises
from analysis.runlog import RunLogError, layout, line_log, live, schema, study_state

ROWS_A_LOOK = 20_000  # of all running runs together: about half a second of work (ours)
GROWTH = 1.1  # of the logs before the study is judged anew: all judgings together cost eleven times the last (ours)
SMALL_LOGS = 1_000_000  # bytes, about 10,000 rows: judging them takes 20 ms, so every new row counts (ours)
UNKNOWN_PLAN = 10_000  # steps, of a run that does not say how many it is to take (ours)


@dataclass(frozen=True)
class RunAlarm:
    """The last alarm of a running run."""

    run_id: str
    name: str
    alarm: Alarm


@dataclass(frozen=True)
class LiveLook:
    """What a look at a study has seen.

    Attributes:
        fingerprint: Changes when the study is to be judged anew: a run started or ended, a record changed, the loss
            of a running run rose, or the logs of running runs grew, by a tenth once they are large.
        alarms: Running runs whose loss has risen, by run_id.
        share_seen: Share of what they have logged that their alarms can speak of.
    """

    fingerprint: str
    alarms: tuple[RunAlarm, ...]
    share_seen: float


class LiveStudy:
    """Follows the running runs of one study; safe for several threads.

    Work a look: the status of every run's files, and at most ROWS_A_LOOK rows. What is left waits for the next look.
    """

    def __init__(self, study: str, store: str | None = None, rows_a_look: int = ROWS_A_LOOK, small: int = SMALL_LOGS):
        """Names the study, and up to how many bytes logs are small; nothing is read before the first look."""
        self._study, self._store, self._rows_a_look, self._small = study, store, rows_a_look, small
        self._followed: dict[Path, LiveRun] = {}
        self._judged: tuple[str, int, int] = ("", 0, 0)  # rest of the study, number of alarms, bytes logged
        self._lock = threading.Lock()

    def look(self) -> LiveLook:
        """Takes the new rows of running runs.

        Raises:
            RunLogError: The store of the study cannot be reached.
        """
        with self._lock:
            state = study_state(self._study, self._store)
            known = {folder: run for folder, run in self._followed.items() if run.is_its_log()}
            self._followed = {folder: known.get(folder) or LiveRun(folder) for folder in state.running}
            followed = tuple(self._followed.values())
            for run in followed:
                run.follow(max(1, self._rows_a_look // len(followed)))
            num_alarms = sum(len(run.alarms) for run in followed)
            rest, judged_alarms, judged_bytes = self._judged
            growth = 1.0 if state.num_bytes <= self._small else GROWTH
            if (state.rest, num_alarms) != (rest, judged_alarms) or state.num_bytes > growth * judged_bytes:
                self._judged = (state.rest, num_alarms, state.num_bytes)
            seen = sum(run.end for run in followed) / state.num_bytes if state.num_bytes else 1.0
            alarms = tuple(RunAlarm(run.folder.name, run.name, run.alarms[-1]) for run in followed if run.alarms)
            return LiveLook("{}-{}-{}".format(*self._judged), alarms, min(seen, 1.0))


class LiveRun:
    """Feeds the rows of one live log to the live rules, each row once, in the order they were written.

    An attempt that goes back to an earlier step takes the place of what the attempt before had logged, so the rules
    begin anew there.

    Attributes:
        alarms: The alarms so far.
        end: Bytes of the log that were read.
        num_rows: Rows that were read.
    """

    def __init__(self, folder: Path):
        """Names the run folder; nothing is read yet."""
        self.folder, self.name, self._path = folder, folder.name, folder / layout.LIVE_FILE
        self.alarms: list[Alarm] = []
        self.end, self.num_rows, self._mark = 0, 0, b""
        self._rules: LiveRises | None = None
        self._attempt, self._last_step = 0, -1

    def is_its_log(self) -> bool:
        """Whether the log is the one that was read, and no other has taken its place."""
        with contextlib.suppress(FileNotFoundError):
            return live.read_mark(self._path, self.end) == self._mark
        return self.end == 0

    def follow(self, most_rows: int) -> None:
        """Takes at most so many new rows; a last line that is not whole yet waits for the next call."""
        try:
            scan = line_log.tail(self._path, self.end, most_rows)
            for row in scan.rows:
                if row.get(schema.TRAIN_LOSS) is not None:
                    norm = row.get(schema.GRAD_NORM)
                    self._take(row[schema.STEP], row[line_log.ATTEMPT], row[schema.TRAIN_LOSS], norm)
            self._mark = live.read_mark(self._path, scan.end)
        except (FileNotFoundError, RunLogError):  # no row yet, or just sealed; the study says it of a damaged record
            return
        self.end, self.num_rows = scan.end, self.num_rows + len(scan.rows)

    def _take(self, step: int, attempt: int, loss: float, grad_norm: float | None) -> None:
        if self._rules is None or (attempt > self._attempt and step <= self._last_step):
            self._rules, self._last_step = self._begin(), -1
            self.alarms = [alarm for alarm in self.alarms if alarm.step < step]
        self._attempt = attempt
        if step <= self._last_step:  # logged again: the rules have had this step
            return
        self._last_step = step
        alarm = self._rules.add(step, loss, grad_norm)
        if alarm is not None:
            self.alarms.append(alarm)

    def _begin(self) -> LiveRises:
        record = live.read_record(self.folder)
        self.name = str(record.get(schema.NAME) or self.folder.name)
        planned = (record.get(schema.MAX_TRAIN_STEPS) or 0) + (record.get(schema.WARMUP_STEPS) or 0)
        facts = (record.get(name) for name in (schema.INIT_LOSS_MEAN, schema.INIT_LOSS_SD))
        return LiveRises(int(planned) or UNKNOWN_PLAN, *facts)
