"""Runs on a W&B server, by its public API: `wandb:ENTITY/PROJECT` for all of a project, `/RUN` behind it for one."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from analysis.runlog import schema
from analysis.runlog.readers.gathered_rows import GatheredRows
from analysis.runlog.readers.wandb_rows import ABOUT_LOSS, WandbRun, build_wandb_run
from analysis.runlog.scrub import scrub_text
from analysis.runlog.study import Run, RunLogError, Skipped

NAME = "wandb cloud"
PREFIX = "wandb:"
KEY = "WANDB_API_KEY"
TIMEOUT = 60  # ours: seconds that an answer may take
STATES = {"finished": "finished", "running": "running"}  # W&B also has crashed, failed, killed, preempted


def is_address(path: str | os.PathLike) -> bool:
    """Returns whether a path names runs on a server.

    >>> is_address("wandb:team/gpt"), is_address("wandb/gpt")
    (True, False)
    """
    return str(path).startswith(PREFIX)


def read(
    address: str | os.PathLike, column_map: Mapping[str, str] | None = None
) -> tuple[list[tuple[Path, Run]], list[Skipped]]:
    """Reads all rows of the runs at an address; the key is taken from the environment and from nowhere else.

    Args:
        address: `wandb:ENTITY/PROJECT` or `wandb:ENTITY/PROJECT/RUN`.
        column_map: As for `read_paths`.

    Returns:
        The runs with their addresses, and those of a project that were passed over.

    Raises:
        RunLogError: The address is none, there is no key, or the server does not give the runs.
    """
    parts = str(address).removeprefix(PREFIX).split("/")
    if len(parts) not in (2, 3) or not all(parts):
        raise RunLogError(f"{address} is no address of runs. Give {PREFIX}ENTITY/PROJECT or {PREFIX}ENTITY/PROJECT/RUN")
    if not os.environ.get(KEY):
        raise RunLogError(f"{address} needs a key of the W&B server. Set {KEY}")
    found: list[tuple[Path, Run]] = []
    skipped: list[Skipped] = []
    try:
        for run in _list_runs(parts):
            place = Path(f"{PREFIX}{'/'.join(parts[:2])}/{run.id}")
            try:
                found.append((place, _read_run(run, place, parts[1], column_map)))
            except RunLogError as error:
                if len(parts) == 3:
                    raise
                skipped.append(Skipped(str(place), str(error)))
    except RunLogError:
        raise
    except Exception as error:  # wandb has many of its own, and those of its transport
        reason = (str(error).splitlines() or [type(error).__name__])[0].replace(os.environ[KEY], "(key)")
        raise RunLogError(
            f"{address} cannot be read ({scrub_text(reason)[:160]}). Check the address, {KEY} and WANDB_BASE_URL"
        ) from error
    return found, skipped


def _list_runs(parts: list[str]) -> Iterable:
    """Returns the runs of a project, or one of them, as W&B's own client gives them."""
    try:
        import wandb
    except ImportError as error:
        raise RunLogError("runs on a W&B server need the package wandb. pip install wandb") from error
    api = wandb.Api(api_key=os.environ[KEY], timeout=TIMEOUT)
    return [api.run("/".join(parts))] if len(parts) == 3 else api.runs("/".join(parts), order="+created_at")


def _read_run(run, place: Path, project: str, column_map: Mapping[str, str] | None) -> Run:
    """Returns a run with every row of its history: run.history() would give a sample of 500."""
    record = {
        schema.RUN_ID: run.id,
        schema.NAME: run.name or run.id,
        schema.SOURCE: f"{NAME}: {project}/{run.id}",
        schema.STARTED_AT: run.created_at,
        schema.STATUS: STATES.get(run.state, "interrupted"),
    }
    found = WandbRun(GatheredRows(place.name), record, dict(run.config))
    for row in run.scan_history(use_cache=False):
        found.rows.add(row)
    if not found.rows.num_rows:
        raise RunLogError(f"{place.name} has no row of history. Name a run that logged")
    summary = run.summary_metrics or {}
    found.summary = {name: summary[name] for name in (*ABOUT_LOSS, schema.STATUS) if name in summary}
    return build_wandb_run(found, place, column_map)
