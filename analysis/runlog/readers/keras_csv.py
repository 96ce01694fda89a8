"""training.log of Keras' CSVLogger: `epoch,accuracy,loss,val_accuracy,val_loss`, each a mean over an epoch."""

from collections.abc import Mapping
from pathlib import Path

from analysis.runlog.readers.csv_table import read_header
from analysis.runlog.readers.epoch_csv import EPOCH, read_epochs
from analysis.runlog.study import Run

NAME = "keras csv"
LOSES = "everything within an epoch: its losses are means over one; gradient norms, which Keras does not log"
LOSS, EVALUATED = "loss", "val_"
RATES = frozenset({"lr", "learning_rate"})


def recognises(path: Path, head: bytes) -> bool:
    """Returns whether the header has epoch, then a loss among metrics sorted by name, as Keras writes them."""
    header = read_header(head)
    metrics = [name for name in header[1:] if name not in RATES]
    trained = {name for name in metrics if not name.startswith(EVALUATED)}
    evaluated = {name.removeprefix(EVALUATED) for name in metrics if name.startswith(EVALUATED)}
    return header[:1] == [EPOCH] and LOSS in trained and evaluated <= trained and metrics == sorted(metrics)


def read(path: Path, column_map: Mapping[str, str] | None = None) -> tuple[Run, ...]:
    """Reads the run of a file.

    Raises:
        RunLogError: The file is no table of numbers.
    """
    return read_epochs(path, column_map, NAME)
