"""A process that trains nothing but writes a run as if it did, until its standard input is closed."""

import select
import sys

import numpy as np

from analysis.runlog import RunWriter

PACE = 0.05  # seconds a step


def write(store: str, study: str) -> None:
    """Writes rows until nobody listens any more."""
    rng = np.random.default_rng(0)
    with RunWriter(study=study, store=store, base_lr=0.1) as log:
        step = 0
        while not select.select([sys.stdin], [], [], PACE if step >= 400 else 0)[0]:
            log.step(step, train_loss=0.5 + 2 * np.exp(-step / 300) + 0.01 * rng.random())
            step += 1


if __name__ == "__main__":
    write(*sys.argv[1:])
