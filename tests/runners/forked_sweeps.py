"""Starts sweeps by fork, from one process that has imported torch: a start costs milliseconds instead of seconds.

Reads one JSON list of arguments a line; prints the process group of the sweep, then its exit status once it has ended.
"""

import json
import os
import sys

from runners import launch, lr_sweep, record, train  # noqa: F401 the imports are what is saved
from runners.command_line import run_command
from runners.engines import local


def start(argv):
    os.setsid()
    quiet = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1):
        os.dup2(quiet, stream)
    local.START_METHOD = "fork"
    run_command(lambda: lr_sweep.main(argv))


if __name__ == "__main__":
    for line in sys.stdin:
        child = os.fork()
        if not child:
            try:
                start(json.loads(line))
            finally:
                os._exit(1 if sys.exc_info()[0] else 0)
        print(child, flush=True)
        print(os.waitpid(child, 0)[1], flush=True)
