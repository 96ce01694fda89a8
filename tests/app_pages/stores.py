"""Stores on disk with known studies, for pages that read them."""

import json
from collections.abc import Iterable
from pathlib import Path

import pyarrow.parquet as pq
from streamlit.testing.v1 import AppTest

from analysis.findings import diagnose
from analysis.headline import write_headline
from analysis.runlog import Run, import_runs
from tests.studies import make_study


def write_file(run: Run, folder: Path) -> Path:
    """Writes a run as one Parquet file that carries its record."""
    path = folder / f"{run.run_id}.parquet"
    record = {"steadystep.run": json.dumps(dict(run.record))}
    pq.write_table(run.steps.replace_schema_metadata(record), path)
    return path


def write_csv(run: Run, path: Path) -> Path:
    """Writes the rows of a run as CSV."""
    run.steps.to_pandas().to_csv(path, index=False)
    return path


def add_study(store: Path, name: str, runs: Iterable[Run], folder: Path) -> None:
    """Adds a study to a store, through files in `folder`."""
    folder.mkdir(parents=True)
    import_runs([write_file(run, folder) for run in runs], study=name, store=store)


def text_of(app: AppTest) -> str:
    """Returns all that a page says outside of charts and tables."""
    kinds = (
        app.title,
        app.header,
        app.subheader,
        app.markdown,
        app.caption,
        app.text,
        app.error,
        app.warning,
        app.info,
    )
    return "\n".join(element.value for elements in kinds for element in elements)


def headline_of(*groups: Iterable[Run]) -> str:
    """Returns the verdict that pages must show of runs."""
    return write_headline(diagnose(make_study([run for group in groups for run in group]))).title
