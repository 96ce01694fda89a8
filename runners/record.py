"""The run record of a planned run, and the writer that its rows go to."""

import platform
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version

from analysis.judge import keep_judged
from analysis.runlog import RunWriter, schema
from runners.plan import SOURCE, PlannedRun
from runners.train import Writer

LIBRARIES = ("torch", "numpy", "scikit-learn")


def make_record(planned: PlannedRun) -> dict[str, object]:
    """Returns the fields that are known before the first step."""
    versions = {"python": platform.python_version()} | {library: version(library) for library in LIBRARIES}
    return {
        **planned.config.to_record(),
        schema.SOURCE: SOURCE,
        schema.VERSIONS: versions,
        **planned.facts,
    }


@contextmanager
def open_writer(planned: PlannedRun, study: str, store: str | None, log: str) -> Iterator[Writer]:
    """Opens the run log of a planned run, mirrored to W&B where `log` is "wandb" or "both"."""
    record = make_record(planned)
    with RunWriter(study, store=store, name=planned.name, run_id=planned.run_id, **record) as writer:
        if log == "parquet":
            yield writer
        else:
            from runners.wandb_log import WandbMirror

            with WandbMirror(writer, study, planned.name, record) as mirror:
                yield mirror
    keep_judged(study, [writer.run_id], store)
