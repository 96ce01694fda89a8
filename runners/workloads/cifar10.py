"""CIFAR-10 in its binary version, where the user has it: nothing is downloaded, and no pickle is opened.

Each record of a file is one byte of label and 3 x 32 x 32 bytes of image.
"""

import os
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from analysis.runlog import RunLogError
from runners.workloads.images import NUM_CLASSES, Images

FOLDER_VARIABLE = "STEADYSTEP_CIFAR10"
FOLDER = Path("~/.cache/cifar-10-batches-bin")
TRAIN_FILES = tuple(f"data_batch_{number}.bin" for number in range(1, 6))
EVAL_FILE = "test_batch.bin"
SIZE = 32
RECORD = 1 + 3 * SIZE * SIZE  # bytes
NUM_EVAL = 1000  # ours: of 10,000, so that the evaluations of a run cost less than its training
MEAN = torch.tensor([0.4914, 0.4822, 0.4465]).view(3, 1, 1)  # of the training images, by channel
DEVIATION = torch.tensor([0.2470, 0.2435, 0.2616]).view(3, 1, 1)


def find_folder() -> Path:
    """Returns the folder that should hold the data."""
    return Path(os.environ.get(FOLDER_VARIABLE) or FOLDER.expanduser())


@cache
def load(folder: Path) -> Images:
    """Returns the training images as bytes (600 MB otherwise) and the evaluation images standardised.

    Raises:
        RunLogError: Where a file is missing or is none of CIFAR-10.
    """
    parts = [_read(folder / name) for name in TRAIN_FILES]
    images, labels = (torch.cat(each) for each in zip(*parts, strict=True))
    eval_images, eval_labels = _read(folder / EVAL_FILE)
    return Images(images, labels, standardize(eval_images[:NUM_EVAL]), eval_labels[:NUM_EVAL])


def standardize(images: Tensor) -> Tensor:
    """Returns images of bytes as float32 with mean 0 and standard deviation 1 by channel."""
    return (images / 255 - MEAN) / DEVIATION


def _read(path: Path) -> tuple[Tensor, Tensor]:
    try:
        content = np.fromfile(path, np.uint8)
    except OSError as error:
        raise RunLogError(
            f"{path} cannot be read ({error.strerror}). cifar_wrn needs CIFAR-10's binary version: unpack "
            f"cifar-10-binary.tar.gz from www.cs.toronto.edu/~kriz/cifar.html and set {FOLDER_VARIABLE} to its folder"
        ) from error
    if not len(content) or len(content) % RECORD or content[::RECORD].max() >= NUM_CLASSES:
        raise RunLogError(
            f"{path} holds {len(content):,} bytes that are no images of CIFAR-10. Files of whole records of {RECORD:,} "
            "bytes are needed, each a label 0 to 9 and an image. Download the binary version again"
        )
    records = torch.from_numpy(content).view(-1, RECORD)
    return records[:, 1:].reshape(-1, 3, SIZE, SIZE), records[:, 0].long()
