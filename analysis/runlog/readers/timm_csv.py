"""summary.csv of timm: `epoch,train_loss,eval_loss,eval_top1,...,lr`, its header again after a resume."""

from collections.abc import Mapping
from pathlib import Path

from analysis.runlog.readers.csv_table import read_header
from analysis.runlog.readers.epoch_csv import EPOCH, read_epochs
from analysis.runlog.study import Run

NAME = "timm csv"
LOSES = "everything within an epoch: its losses are means over one; NaN (empty cells); gradient norms"
FIRST = [EPOCH, "train_loss", "eval_loss"]
PARTS = ("train_", "eval_", "lr")


def recognises(path: Path, head: bytes) -> bool:
    """Returns whether the header has what update_summary writes: epoch, the training, the evaluation, lr."""
    header = read_header(head)
    return header[:3] == FIRST and len(header) > 3 and all(name.startswith(PARTS) for name in header[1:])


def read(path: Path, column_map: Mapping[str, str] | None = None) -> tuple[Run, ...]:
    """Reads the run of a file.

    Raises:
        RunLogError: The file is no table of numbers.
    """
    return read_epochs(path, column_map, NAME)
