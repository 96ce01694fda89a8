"""Workload stride_resnet: a small wide residual network whose last group strides 2x2, or by mistake 1x1.

Follows init2winit's wide_resnet: the head pools with a window as large as the final map of the *standard* network, at
window stride 1 and without padding, then flattens. With stride 1x1 the final map is twice as large, so the head gets
25 times the inputs and the loss is far more curved at initialisation. A global average pool would hide the mistake.
"""

from functools import partial
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from runners.workloads import digits
from runners.workloads.workload import Workload

SIZE = 16
WIDTHS = (8, 16, 32)
POOL_WINDOW = SIZE // 4  # the final map of the network that strides 1, 2, 2


def stride_resnet(stride: Literal["2x2", "1x1"] = "2x2", batch_size: int = 64) -> Workload:
    """Returns the workload.

    Args:
        stride: Stride of the last of three groups; 1x1 is the unstable network.
        batch_size: Examples a step.
    """
    data = digits.load(SIZE)
    return Workload(
        make_model=partial(WideResnet, int(stride[0])),
        batches=partial(digits.draw_batches, data, batch_size),
        loss=F.cross_entropy,
        evaluate=digits.evaluator(data),
        batch_size=batch_size,
        optimizer="momentum",
        max_train_steps=200,
        baseline_loss=digits.marginal_entropy(data.labels),
    )


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
            digits.initialize(layer, scale=1.0)

    def forward(self, x: Tensor) -> Tensor:
        """Returns the block's output."""
        y = F.relu(self.norm1(x))
        if self.shortcut is not None:
            x = self.shortcut(y)
        return x + self.conv2(F.relu(self.norm2(self.conv1(y))))


class WideResnet(nn.Module):
    """One block in each of three groups that stride 1, 2 and `last_stride`."""

    def __init__(self, last_stride: int):
        """Makes the layers."""
        super().__init__()
        self.stem = nn.Conv2d(1, WIDTHS[0], 3, 1, 1, bias=False)
        digits.initialize(self.stem, scale=1.0)
        shapes = zip((WIDTHS[0], *WIDTHS), WIDTHS, (1, 2, last_stride), strict=False)
        self.blocks = nn.Sequential(*(Block(*shape) for shape in shapes))
        self.norm = nn.BatchNorm2d(WIDTHS[-1])
        pooled = SIZE // 2 // last_stride - POOL_WINDOW + 1
        self.head = nn.Linear(WIDTHS[-1] * pooled * pooled, digits.NUM_CLASSES)
        digits.initialize(self.head, scale=1.0)

    def forward(self, x: Tensor) -> Tensor:
        """Returns the logits."""
        x = self.stem(x).contiguous(memory_format=torch.channels_last)  # a quarter faster on a CPU
        x = F.relu(self.norm(self.blocks(x)))
        return self.head(F.avg_pool2d(x, POOL_WINDOW, stride=1).flatten(1))
