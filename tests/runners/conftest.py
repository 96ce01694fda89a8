import json
import os
import subprocess
import sys

import pytest


class Done:
    """How a command ended."""

    def __init__(self, returncode, stdout, stderr):
        self.returncode, self.stdout, self.stderr = returncode, stdout, stderr


class Commands:
    """Runs commands of the runners in processes of their own, forked from one that is warm."""

    def __init__(self, process, folder):
        self.process, self.stdout, self.stderr = process, folder / "stdout", folder / "stderr"

    def start(self, module, *arguments, **environment):
        """Starts a command; returns its process group."""
        streams = {"stdout": str(self.stdout), "stderr": str(self.stderr)}
        request = {"module": module, "arguments": arguments, "environment": environment}
        self.process.stdin.write(json.dumps(request | streams) + "\n")
        return int(self.process.stdout.readline())

    def wait(self):
        """Waits for the end of the command; returns the status as os.waitpid gives it."""
        return int(self.process.stdout.readline())

    def run(self, module, *arguments, **environment):
        """Runs a command to its end."""
        self.start(module, *arguments, **environment)
        return Done(os.waitstatus_to_exitcode(self.wait()), self.stdout.read_text(), self.stderr.read_text())


@pytest.fixture(scope="session")
def commands(tmp_path_factory):
    folder = tmp_path_factory.mktemp("commands")
    command = [sys.executable, "-m", "tests.runners.forked_commands"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as process:
        yield Commands(process, folder)
        process.stdin.close()
