"""A text to model: Python's own documentation, bundled, because the copy in Python changes with its version.

The file holds the topics of `pydoc_data.topics` of Python 3.11.7, sorted by name, with a line break between them.
Copyright 2001-2023 Python Software Foundation, all rights reserved; under the PSF license agreement, which is in
python_topics.LICENSE.txt beside it.
"""

import hashlib
import lzma
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from analysis.runlog import RunLogError

FILE = Path(__file__).with_name("python_topics.txt.xz")
SHA256 = "347ed53ddc2028f0440bfbc0589d392b07345d6e49994a4f987d834d9908e5e5"
BLOCK = 2000  # characters
HOLDOUT = 20  # ours: every 20th block is held out; the tail of the text is easier than the rest and no fair holdout


class Topics(NamedTuple):
    """Training and evaluation text as symbol numbers [n] int64, and how many symbols there are."""

    text: Tensor
    eval_text: Tensor
    num_symbols: int


@cache
def load() -> Topics:
    """Returns the text, split in blocks of which every 20th is held out.

    Raises:
        RunLogError: Where the bundled file is missing or damaged.
    """
    text = _read(FILE)
    numbers = {symbol: number for number, symbol in enumerate(sorted(set(text)))}
    blocks = torch.tensor([numbers[symbol] for symbol in text[: len(text) // BLOCK * BLOCK]]).view(-1, BLOCK)
    held_out = torch.arange(len(blocks)) % HOLDOUT == HOLDOUT - 1
    return Topics(blocks[~held_out].flatten(), blocks[held_out].flatten(), len(numbers))


def _read(path: Path) -> str:
    try:
        packed = path.read_bytes()
    except OSError as error:
        raise RunLogError(
            f"{path} cannot be read ({error.strerror}). charlm needs it: restore it with git checkout"
        ) from error
    found = hashlib.sha256(packed).hexdigest()
    if found != SHA256:
        raise RunLogError(
            f"{path} is damaged (SHA-256 {found[:12]}..., {SHA256[:12]}... needed). Restore it with git checkout"
        )
    return lzma.decompress(packed).decode()


def draw_batches(text: Tensor, batch_size: int, length: int, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yields endless batches of `length` symbols and the symbols that follow each, both [batch_size, length]."""
    generator = torch.Generator().manual_seed(1000 + seed)  # apart from the seeds of initialisation
    window = torch.arange(length + 1)
    while True:
        starts = torch.randint(len(text) - length - 1, (batch_size, 1), generator=generator)
        chosen = text[starts + window]
        yield chosen[:, :-1], chosen[:, 1:]


def spread_windows(text: Tensor, num_windows: int, length: int) -> tuple[Tensor, Tensor]:
    """Returns evenly spread windows of a text and the symbols that follow, both [num_windows, length]."""
    starts = torch.linspace(0, len(text) - length - 2, num_windows).long()
    chosen = text[starts[:, None] + torch.arange(length + 1)]
    return chosen[:, :-1], chosen[:, 1:]


def unigram_entropy(text: Tensor) -> float:
    """Returns the cross-entropy of the best constant predictor: the entropy of the symbol frequencies."""
    share = torch.bincount(text).double() / len(text)
    return -torch.special.xlogy(share, share).sum().item()
