"""Entry point of an experiment's process: waits for its turn, runs its command, and records how it ended.

The dashboard starts it; it needs neither the dashboard nor a browser from then on.
"""

import importlib
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from analysis.runlog import experiments
from runners.command_line import run_command
from runners.progress import PROGRESS_VARIABLE

POLL_SECONDS = 0.5  # ours: how often it looks for its turn, and whether it is to stop


def main(folder: Path) -> None:
    """Runs the experiment of a folder to its end, whatever that is."""
    exit_code = 1
    try:
        run_command(lambda: run(folder))
        exit_code = 0
    except SystemExit as stop:
        exit_code = stop.code
    except Exception:  # a bug of the command: its traceback is shown with the experiment
        traceback.print_exc()
    experiments.end_experiment(folder, exit_code)


def run(folder: Path) -> None:
    """Waits for the turn of an experiment and runs its command in this process."""
    experiment, limit = experiments.read_experiment(folder), experiments.read_limit()
    module, *arguments = experiment.argv
    with heed_cancel(folder):
        while experiments.num_ahead(folder) >= limit:
            time.sleep(POLL_SECONDS)
        (folder / experiments.STARTED_FILE).touch()
        os.environ[PROGRESS_VARIABLE] = str(folder / experiments.PROGRESS_FILE)
        importlib.import_module(module).main(arguments)


@contextmanager
def heed_cancel(folder: Path) -> Iterator[None]:
    """Turns a request to cancel into Ctrl-C, which the engines heed at the next step."""
    ended = threading.Event()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # it may be ignored in what this was started from

    def watch() -> None:
        while not ended.wait(POLL_SECONDS):
            if (folder / experiments.CANCEL_FILE).exists():
                signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
                return

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
