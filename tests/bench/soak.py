"""The fault tests over and over: kills, damaged files, malformed logs. `make soak`, or with --rounds N.

Kills fall at other moments and generated files are others in every round; a failure is printed and the rest goes on.
"""

import argparse
import subprocess
import sys

FAULTS = ["tests/runlog", "tests/runners/test_kills.py"]


def main() -> int:
    """Runs the rounds; returns 1 if any test failed in any round."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--rounds", type=int, default=20, metavar="N", help="default: %(default)s")
    rounds = ask.parse_args().rounds
    failed = 0
    for number in range(1, rounds + 1):
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            *FAULTS,
            f"--hypothesis-seed={number}",
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        summary = (done.stdout.strip().splitlines() or ["no output"])[-1]
        print(f"round {number} of {rounds}: {summary}", flush=True)
        if done.returncode:
            failed += 1
            print(done.stdout[-4000:], file=sys.stderr)
    print(f"{rounds - failed} of {rounds} rounds without a failure")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
