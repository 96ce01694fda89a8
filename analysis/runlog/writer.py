"""RunWriter: the one way a training loop writes a run log."""

import contextlib
import operator
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from ulid import ULID

from analysis.runlog import layout, line_log, live, row_table, schema, sealing, url_store
from analysis.runlog.study import RunLogError

RESERVED_METRICS = line_log.RESERVED | {schema.STEP, schema.ATTEMPT}


class RunWriter:
    """Writes one run: a row per step while it trains, one sealed file when it ends.

    A run that ends by an exception stays open for another attempt: open it again by its run_id.

    Examples:
        >>> import tempfile
        >>> with RunWriter("doc", store=tempfile.mkdtemp(), base_lr=0.1) as log:
        ...     log.step(0, train_loss=2.3, grad_norm=1.5)
    """

    def __init__(
        self,
        study: str,
        *,
        store: str | os.PathLike | None = None,
        name: str | None = None,
        run_id: str | None = None,
        **record: object,
    ) -> None:
        """Opens a new run, or the next attempt of a run that is not sealed.

        Args:
            study: Study the run belongs to.
            store: Folder of the store; default $STEADYSTEP_STORE, else ./studies.
            name: What people call the run.
            run_id: Identity in the study; default a new ULID, which sorts by time.
            **record: Fields of the run record as in schema.RUN_FIELDS, and further metaparameters by their own
                name. None means absent.

        Raises:
            RunLogError: A name cannot be a folder, the run is sealed, or another process writes it.
        """
        self.run_id = run_id or str(ULID())
        self._store = store
        self.folder = layout.run_folder(study, self.run_id, store)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock: int | None = layout.lock_run(self.folder)
        try:
            self._record = self._read_record(study)
            fields = {schema.NAME: name, schema.STATUS: "running"} | record
            self._record.update({schema.RUN_ID: self.run_id, schema.STUDY: study})
            self._record.setdefault(schema.SOURCE, "RunWriter")
            self._record.setdefault(schema.STARTED_AT, datetime.now(UTC).isoformat(timespec="seconds"))
            self.update(**{key: value for key, value in fields.items() if value is not None})
            layout.sync_folder(self.folder.parent)
            self._log = line_log.LineLog(self.folder / layout.LIVE_FILE)
        except BaseException:
            self._unlock()
            raise
        self._metric_names: set[str] = set()

    def _read_record(self, study: str) -> dict[str, object]:
        is_pushed = (study, self.run_id) in url_store.find_pushed(self._store, study)
        if is_pushed or (self.folder / layout.SEALED_FILE).exists():
            raise RunLogError(f"run {self.run_id} of study {study} has ended and is sealed. Use another run_id")
        return live.read_record(self.folder) if (self.folder / layout.RUN_FILE).exists() else {}

    @property
    def attempt(self) -> int:
        """1 for the first start of the run, one more for every resume."""
        return self._log.attempt

    @property
    def record(self) -> Mapping[str, object]:
        """The run record as it stands."""
        return dict(self._record)

    def step(self, step: int, **metrics: object) -> None:
        """Writes the row of one step; when this returns, the row survives a kill of the process.

        Args:
            step: 0-based index t.
            **metrics: Columns as in schema.STEP_COLUMNS and any further metric by its own name: floats, ints,
                NumPy or torch scalars, NaN and infinity included. None means not logged.

        Raises:
            RunLogError: A metric is not one number, or the run has ended.
            OSError: The row could not be written whole; earlier rows are safe.
        """
        if self._lock is None:
            raise RunLogError(f"run {self.run_id} has ended ({self._record[schema.STATUS]}). Open another run to log")
        fields = {schema.STEP: _as_step(step)}
        for name, value in metrics.items():
            if type(value) is float:
                fields[name] = value
            elif value is not None:
                fields[name] = _as_number(name, value)
        if not self._metric_names.issuperset(metrics):
            self._check_names(metrics)
        self._log.append(fields)

    def _check_names(self, metrics: Mapping[str, object]) -> None:
        reserved = RESERVED_METRICS.intersection(metrics) | ({""} & metrics.keys())
        if reserved:
            raise RunLogError(f"metric name {min(reserved)!r} is taken by the log itself. Give the metric another name")
        self._metric_names.update(metrics)

    def sync(self) -> None:
        """Makes all rows survive a power loss; without it that takes about a second."""
        self._log.sync()

    def update(self, **fields: object) -> None:
        """Changes the run record, in one go; None removes a field."""
        try:
            self._record.update({name: _as_plain(value) for name, value in fields.items()})
            self._record = {name: value for name, value in self._record.items() if value is not None}
            content = line_log.encode_line(self._record)
        except (TypeError, ValueError) as error:
            raise RunLogError(f"the run record cannot be kept as JSON ({error}). Use text and numbers") from error
        layout.replace_file(self.folder / layout.RUN_FILE, content)

    def finish(self, status: str = "finished") -> None:
        """Ends the run for good, which seals it; "interrupted" leaves it open for another attempt.

        Raises:
            RunLogError: The status is none of these, or the run has ended before.
        """
        if status not in schema.STATUSES[1:]:
            raise RunLogError(f"status {status!r} is none of {', '.join(schema.STATUSES[1:])}. Use one of them")
        if self._lock is None:
            raise RunLogError(f"run {self.run_id} has ended before ({self._record[schema.STATUS]}). Finish a run once")
        try:
            self._log.close()
            self.update(status=status)
            if status != "interrupted":
                self._seal()
        finally:
            self._unlock()
        if status != "interrupted":
            url_store.push_run(self.folder, self._store, str(self._record[schema.STUDY]))

    def _seal(self) -> None:
        path = self.folder / layout.LIVE_FILE
        rows = live.read_rows(path)
        log = {"damaged": rows.damaged} if rows.damaged else None
        table = row_table.drop_single_attempt(rows.table)
        sealing.write_sealed(self.folder / layout.SEALED_FILE, table, self._record, log)
        path.unlink()
        (self.folder / layout.LOCK_FILE).unlink()
        layout.sync_folder(self.folder)

    def _unlock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Self:
        """Returns the writer."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Finishes the run, as interrupted if the block was left by an exception."""
        if self._lock is None:
            return
        if kind is None:
            self.finish()
            return
        with contextlib.suppress(OSError):  # the error that ended the block is the one to see
            self.finish("interrupted")


def _as_step(step: object) -> int:
    try:
        index = operator.index(step)
    except TypeError as error:
        raise RunLogError(f"step is {step!r}, but steps are whole numbers. Use int(step)") from error
    if not 0 <= index < 2**53:
        raise RunLogError(f"step {index} is out of range; steps count from 0. Log the 0-based index of the update")
    return index


def _as_number(name: str, value: object) -> float:
    try:
        if isinstance(value, str | bytes):
            raise TypeError
        return float(value.item() if hasattr(value, "item") else value)  # float() of a tensor with a gradient warns
    except (TypeError, ValueError, OverflowError, RuntimeError) as error:
        raise RunLogError(
            f"metric {name} is a {type(value).__name__} that is not one number. Log a float or a scalar tensor"
        ) from error


def _as_plain(value: object) -> object:
    """Returns NumPy and torch scalars as Python numbers, tuples as lists."""
    if isinstance(value, tuple):
        return list(value)
    return value.item() if hasattr(value, "item") else value
