"""A workload of your own: one function whose arguments are its options. See docs/workloads.md."""

import torch
from torch import nn

from runners.workloads import Workload


def spirals(width: int = 32, batch_size: int = 64) -> Workload:
    """Returns a small network that tells two noisy spirals apart."""

    def draw_batches(seed):
        generator = torch.Generator().manual_seed(seed)
        while True:
            labels = torch.randint(2, (batch_size,), generator=generator)
            turn = 6 * torch.rand(batch_size, generator=generator)
            angle = turn + torch.pi * labels
            points = turn[:, None] * torch.stack([angle.cos(), angle.sin()], 1)
            yield points + 0.2 * torch.randn(points.shape, generator=generator), labels

    inputs, targets = next(draw_batches(seed=-1))  # a batch that no training draws

    @torch.no_grad()
    def evaluate(model):
        return {"eval_loss": nn.functional.cross_entropy(model(inputs), targets).item()}

    return Workload(
        make_model=lambda: nn.Sequential(
            nn.Linear(2, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 2)
        ),
        batches=draw_batches,
        loss=nn.functional.cross_entropy,
        evaluate=evaluate,
        batch_size=batch_size,
        optimizer="momentum",
        max_train_steps=300,
        baseline_loss=0.693,  # ln 2: two equally frequent classes
    )
