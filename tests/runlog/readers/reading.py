"""Tests write a file, read it as the only run, and look at what is noted."""

from analysis.runlog import read_paths


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    (path.write_bytes if isinstance(content, bytes) else path.write_text)(content)
    return path


def only_run(path, **options):
    (run,) = read_paths([path], **options)
    return run


def notes_of(run):
    return " | ".join(run.log.notes)
