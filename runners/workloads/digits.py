"""Handwritten digits from scikit-learn."""

from functools import cache

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits

from runners.workloads.images import Images

NUM_TRAIN = 1437  # of 1797 images; the other 360 are the evaluation set


@cache
def load(size: int) -> Images:
    """Returns the digits at `size` x `size` (8, or a multiple: bilinear), standardised, in a fixed order."""
    data = load_digits()
    images = torch.tensor(data.data, dtype=torch.float32).view(-1, 1, 8, 8) / 16
    if size != 8:
        images = F.interpolate(images, size=size, mode="bilinear", align_corners=False)
    images = (images - images.mean()) / images.std()
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))
    images, labels = images[order], torch.tensor(data.target)[order]
    return Images(images[:NUM_TRAIN], labels[:NUM_TRAIN], images[NUM_TRAIN:], labels[NUM_TRAIN:])
