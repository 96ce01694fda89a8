"""What every entry point does with its planned runs: show them, train them, and say what comes next."""

import argparse
import shlex
from collections.abc import Sequence
from importlib.util import find_spec

from analysis.runlog import RunLogError, Study, list_studies, read_study
from analysis.runlog.layout import store_root, study_folder
from runners.engines import local
from runners.plan import PlannedRun, estimate_seconds, split_done
from runners.progress import Progress

RAY_REQUIREMENT = "ray==2.60.0"  # as in tests/requirements.txt


def launch(plan: Sequence[PlannedRun], arguments: argparse.Namespace) -> None:
    """Trains the planned runs into the study, or prints them at --dry-run.

    Args:
        plan: All runs of the command.
        arguments: Values of the common options.

    Raises:
        RunLogError: Where the runs cannot or must not be trained.
    """
    check_engine(arguments)
    folder = study_folder(arguments.study, arguments.store)
    left, done = split_done(plan, read_if_any(arguments.study, arguments.store), arguments.resume)
    if arguments.dry_run:
        print_plan(left, len(done), arguments.jobs)
        return
    if left:
        train_runs(left, arguments)
    skipped = f", skipped {len(done)} that were done" if done else ""
    print(f"trained {len(left)} runs{skipped}; they are in {folder}")
    say_next(arguments)


def check_engine(arguments: argparse.Namespace) -> None:
    """Refuses an engine whose package is not installed.

    Raises:
        RunLogError: For ray, where it is missing.
    """
    if arguments.engine == "ray" and find_spec("ray") is None:
        raise RunLogError(f"--engine ray needs Ray, which is not installed. Run: pip install {RAY_REQUIREMENT}")


def train_runs(left: Sequence[PlannedRun], arguments: argparse.Namespace) -> None:
    """Trains runs into the study, all of them.

    Raises:
        RunLogError: Where a worker process was killed, no cluster answers, or a run refused its input.
    """
    with Progress(len(left), sum(planned.config.total_steps for planned in left)) as progress:
        target = local.Target(arguments.study, arguments.store, arguments.log, arguments.on_rise, arguments.stack)
        if arguments.engine == "ray":
            from runners.engines import ray_cluster

            ray_cluster.execute(left, target, arguments.jobs, progress, arguments.ray_address)
        else:
            local.execute(left, target, arguments.jobs, progress)


def say_next(arguments: argparse.Namespace) -> None:
    """Prints the command that judges the study."""
    print(f"next: {_store_setting(arguments.store)}python -m analysis diagnose {shlex.quote(arguments.study)}")


def _store_setting(store: str | None) -> str:
    return f"STEADYSTEP_STORE={shlex.quote(str(store_root(store)))} " if store else ""


def read_if_any(study: str, store: str | None) -> Study:
    """Returns the study, without runs where the store does not hold it yet."""
    if any(entry.name == study for entry in list_studies(store)):
        return read_study(study, store)
    return Study(study, (), "")


def print_plan(left: Sequence[PlannedRun], num_done: int, jobs: int) -> None:
    """Prints the runs left to train, their steps and the estimated time."""
    for planned in left:
        action = f"continue {planned.run_id}" if planned.run_id else "train"
        print(f"{action} {planned.name} ({planned.config.total_steps} steps)")
    steps = sum(planned.config.total_steps for planned in left)
    print(f"{len(left)} runs, {steps} steps, {num_done} done before")
    print(f"estimated time: {estimate_seconds(left, min(jobs, max(1, len(left)))):.0f} s with {jobs} at a time")
