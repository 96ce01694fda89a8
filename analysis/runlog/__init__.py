"""Run logs: what they hold, how they are written, kept and read."""

from analysis.runlog.describe import describe_log
from analysis.runlog.importing import import_runs, undo_import, write_runs
from analysis.runlog.paths import read_paths
from analysis.runlog.store import StudyEntry, StudyState, list_studies, read_study, study_fingerprint, study_state
from analysis.runlog.study import LogDescription, Run, RunLogError, Skipped, Study
from analysis.runlog.writer import RunWriter

__all__ = [
    "LogDescription",
    "Run",
    "RunLogError",
    "RunWriter",
    "Skipped",
    "Study",
    "StudyEntry",
    "StudyState",
    "describe_log",
    "import_runs",
    "list_studies",
    "read_paths",
    "read_study",
    "study_fingerprint",
    "study_state",
    "undo_import",
    "write_runs",
]
