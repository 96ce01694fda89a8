"""Runs the commands of the runners by fork from a process that has imported torch: a start costs milliseconds.

Reads one JSON request a line; prints the process group of the command, then its exit status once it has ended.
"""

import importlib
import json
import os
import signal
import sys

import torch

from runners import bench, launch, lr_sweep, probe, record, train, warmup_search, warmup_sweep  # noqa: F401 the imports are what is saved
from runners.command_line import run_command
from runners.engines import local
from runners.workloads import make_workload


def run(module, arguments, environment, stdout, stderr):
    os.setpgid(0, 0)
    os.environ.update(environment)
    for stream, path in ((0, os.devnull), (1, stdout), (2, stderr)):
        os.dup2(os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC), stream)
    local.START_METHOD = "fork"
    run_command(lambda: importlib.import_module(module).main(arguments))


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs, and all they start, ignore it
    torch.set_num_threads(1)  # no thread pool, which would not survive the fork
    make_workload("mlp", {})  # loads the data once
    for line in sys.stdin:
        child = os.fork()
        if not child:
            status = 1
            try:
                run(**json.loads(line))
                status = 0
            except SystemExit as error:
                status = error.code
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(status)
        os.setpgid(child, child)  # here too: the group must be there before its name is told
        print(child, flush=True)
        print(os.waitpid(child, 0)[1], flush=True)
