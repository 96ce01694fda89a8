"""A training loop in its own process: logs rows and says after each on standard output that it was written."""

import struct
import sys

from analysis.runlog import RunWriter

ACK = struct.Struct("<qq")


def main(store: str, num_steps: int) -> None:
    """Logs `num_steps` rows of run "killed" of study "faults"."""
    with RunWriter("faults", store=store, run_id="killed", base_lr=0.1) as log:
        for step in range(num_steps):
            log.step(step, train_loss=step / 7, grad_norm=step / 3, lr=0.1)
            sys.stdout.buffer.write(ACK.pack(log.attempt, step))
            sys.stdout.buffer.flush()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
