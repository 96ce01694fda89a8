"""Workload stride_resnet: a small wide residual network whose last group strides 2x2, or by mistake 1x1."""

from functools import partial
from typing import Literal

import torch.nn.functional as F

from runners.workloads import digits, images
from runners.workloads.stride_resnet_stacked import stacked_loss
from runners.workloads.wide_resnet import Shape, WideResnet
from runners.workloads.workload import Workload

SHAPE = Shape(channels=1, size=16, stem_width=8, widths=(8, 16, 32), blocks_per_group=1)


def stride_resnet(stride: Literal["2x2", "1x1"] = "2x2", batch_size: int = 64) -> Workload:
    """Returns the workload.

    Args:
        stride: Stride of the last of three groups; 1x1 gives the head 25 times the inputs and is the unstable network.
        batch_size: Examples a step.
    """
    data = digits.load(SHAPE.size)
    last_stride = int(stride[0])
    return Workload(
        make_model=partial(WideResnet, SHAPE, last_stride),
        batches=partial(images.draw_batches, data, batch_size),
        loss=F.cross_entropy,
        evaluate=images.evaluator(data),
        batch_size=batch_size,
        optimizer="momentum",
        max_train_steps=200,
        baseline_loss=images.marginal_entropy(data.labels),
        stacked_loss=partial(stacked_loss, SHAPE.strides(last_stride), SHAPE.pool_window),
        most_stacked=8,  # ours: the images of more leave the cache
    )
