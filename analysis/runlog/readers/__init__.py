"""One reader per format, tried in order by content; the loosest comes last."""

from types import ModuleType

from analysis.runlog.readers import csv_file, store_run

READERS: tuple[ModuleType, ...] = (store_run, csv_file)
