"""A run as a W&B server gave it: its description in the first line, then a row of its history in each."""

from collections.abc import Mapping
from pathlib import Path

from analysis.runlog import schema
from analysis.runlog.readers.gathered_rows import GatheredRows
from analysis.runlog.readers.json_file import parse
from analysis.runlog.readers.jsonl import read_objects
from analysis.runlog.readers.wandb_rows import ABOUT_LOSS, WandbRun, build_wandb_run
from analysis.runlog.study import Run, RunLogError

NAME = "wandb cloud"
LOSES = "media and tables; host, user and paths; whether norms are before clipping"
KEY = "wandb_cloud"
HEAD = b'{"' + KEY.encode() + b'": {'
STATES = {"finished": "finished", "running": "running"}  # W&B also has crashed, failed, killed, preempted


def recognises(path: Path, head: bytes) -> bool:
    """Returns whether the first line begins as the description of a run that was fetched."""
    return head.startswith(HEAD)


def read(path: Path, column_map: Mapping[str, str] | None = None) -> tuple[Run, ...]:
    """Reads the run of a file; the run_id is that of the server.

    Raises:
        RunLogError: A line is no JSON object, the first does not describe a run, or there is no row or no loss.
    """
    notes: list[str] = []
    found, counted = None, 0
    for row in read_objects(path, notes):
        if found is not None:
            found.rows.add(row)
            continue
        about = row.get(KEY)
        if not isinstance(about, dict) or not all(isinstance(about.get(name), str) for name in ("id", "project")):
            raise RunLogError(f"{path.name} does not begin with a run of a W&B server. Fetch it again")
        found, counted = _describe(about, path.name), about.get("historyLineCount")
    if found is None or not found.rows.num_rows:
        raise RunLogError(f"{path.name} has no row of history. Name a run that logged")
    if isinstance(counted, int) and counted > found.rows.num_rows:
        notes.append(f"the server counts {counted} rows of history and gave {found.rows.num_rows}")
    found.notes += notes
    return (build_wandb_run(found, path, column_map),)


def _describe(about: Mapping[str, object], file: str) -> WandbRun:
    """Returns a run without rows; configuration and summary are texts of JSON, as the server sends them."""
    run_id, name = about["id"], about.get("displayName")
    record = {
        schema.RUN_ID: run_id,
        schema.NAME: name if isinstance(name, str) and name else run_id,
        schema.SOURCE: f"{NAME}: {about['project']}/{run_id}",
        schema.STATUS: STATES.get(str(about.get("state")), "interrupted"),
    }
    if isinstance(about.get("createdAt"), str):
        record[schema.STARTED_AT] = about["createdAt"]
    wrapped = _parse(about.get("config"), file)
    config = {key: value["value"] for key, value in wrapped.items() if isinstance(value, dict) and "value" in value}
    summary = _parse(about.get("summaryMetrics"), file)
    told = {name: summary[name] for name in (*ABOUT_LOSS, schema.STATUS) if name in summary}
    return WandbRun(GatheredRows(file), record, config, told)


def _parse(text: object, file: str) -> dict[str, object]:
    try:
        found = parse(text) if isinstance(text, str) and text else {}
    except ValueError as error:
        raise RunLogError(f"{file} has settings that are no JSON ({error}). Fetch it again") from error
    return found if isinstance(found, dict) else {}
