"""Workload cifar_wrn: the wide residual network on CIFAR-10 behind the playbook's Figure 4; needs the user's copy."""

from collections.abc import Iterator
from functools import partial
from typing import Literal

import torch.nn.functional as F
from torch import Tensor

from runners.workloads import cifar10, images
from runners.workloads.stride_resnet_stacked import stacked_loss
from runners.workloads.wide_resnet import Shape, WideResnet
from runners.workloads.workload import Workload

# init2winit's wide_resnet.py, DEFAULT_HPARAMS: 3 blocks a group, channel multiplier 2, batch 128, momentum.
SHAPE = Shape(channels=3, size=cifar10.SIZE, stem_width=16, widths=(32, 64, 128), blocks_per_group=3)


def cifar_wrn(stride: Literal["2x2", "1x1"] = "2x2", batch_size: int = 128) -> Workload:
    """Returns the workload.

    Args:
        stride: Stride of the last of three groups; 1x1 is the unstable network.
        batch_size: Examples a step.
    """
    data = cifar10.load(cifar10.find_folder())
    last_stride = int(stride[0])
    return Workload(
        make_model=partial(WideResnet, SHAPE, last_stride),
        batches=partial(_draw_batches, data, batch_size),
        loss=F.cross_entropy,
        evaluate=images.evaluator(data),
        batch_size=batch_size,
        optimizer="momentum",
        max_train_steps=2000,
        baseline_loss=images.marginal_entropy(data.labels),
        stacked_loss=partial(stacked_loss, SHAPE.strides(last_stride), SHAPE.pool_window),
    )


def _draw_batches(data: images.Images, batch_size: int, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    for chosen, labels in images.draw_batches(data, batch_size, seed):
        yield cifar10.standardize(chosen), labels
