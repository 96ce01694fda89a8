"""The wide residual networks of two workloads, whose last group strides 2x2, or by mistake 1x1.

Follows init2winit's wide_resnet: the head pools with a window as large as the final map of the *standard* network, at
window stride 1 and without padding, then flattens. With stride 1x1 the final map is twice as large, so the head gets
many times the inputs and the loss is far more curved at initialisation. A global average pool would hide the mistake.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from runners.workloads import images


class Shape(NamedTuple):
    """What tells such networks apart, besides the stride of the last of three groups."""

    channels: int
    size: int
    stem_width: int
    widths: tuple[int, int, int]
    blocks_per_group: int

    @property
    def pool_window(self) -> int:
        """The size of the final map of the network that strides 1, 2, 2."""
        return self.size // 4

    def strides(self, last_stride: int) -> tuple[int, ...]:
        """Returns the stride of each block: the first of a group strides."""
        rest = (1,) * (self.blocks_per_group - 1)
        return 1, *rest, 2, *rest, last_stride, *rest


class Block(nn.Module):
    """x + f(x), f = BatchNorm-ReLU-conv3x3-BatchNorm-ReLU-conv3x3; the shortcut is projected where shapes differ."""

    def __init__(self, width_in: int, width: int, stride: int):
        """Makes the layers."""
        super().__init__()
        self.norm1, self.norm2 = nn.BatchNorm2d(width_in), nn.BatchNorm2d(width)
        self.conv1 = nn.Conv2d(width_in, width, 3, stride, 1, bias=False)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        projects = width_in != width or stride != 1
        self.shortcut = nn.Conv2d(width_in, width, 1, stride, bias=False) if projects else None
        for layer in filter(None, (self.conv1, self.conv2, self.shortcut)):
            images.initialize(layer, scale=1.0)

    def forward(self, x: Tensor) -> Tensor:
        """Returns the block's output."""
        y = F.relu(self.norm1(x))
        if self.shortcut is not None:
            x = self.shortcut(y)
        return x + self.conv2(F.relu(self.norm2(self.conv1(y))))


class WideResnet(nn.Module):
    """Three groups of blocks that stride 1, 2 and `last_stride`."""

    def __init__(self, shape: Shape, last_stride: int):
        """Makes the layers."""
        super().__init__()
        self.pool_window = shape.pool_window
        self.stem = nn.Conv2d(shape.channels, shape.stem_width, 3, 1, 1, bias=False)
        images.initialize(self.stem, scale=1.0)
        widths = [width for width in shape.widths for _ in range(shape.blocks_per_group)]
        shapes = zip((shape.stem_width, *widths), widths, shape.strides(last_stride), strict=False)
        self.blocks = nn.Sequential(*(Block(*block) for block in shapes))
        self.norm = nn.BatchNorm2d(widths[-1])
        pooled = shape.size // 2 // last_stride - shape.pool_window + 1
        self.head = nn.Linear(widths[-1] * pooled * pooled, images.NUM_CLASSES)
        images.initialize(self.head, scale=1.0)

    def forward(self, x: Tensor) -> Tensor:
        """Returns the logits."""
        x = self.stem(x).contiguous(memory_format=torch.channels_last)  # a quarter faster on a CPU
        x = F.relu(self.norm(self.blocks(x)))
        return self.head(F.avg_pool2d(x, self.pool_window, stride=1).flatten(1))
