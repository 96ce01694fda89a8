"""What watching a loop costs in CPU time, against the same loop without a watch; `python -m tests.bench.watch_cost`."""

import time

import numpy as np
import torch
from torch import nn

from runners.attach import watch
from runners.step_rows import NoWriter

PAIRS = 9
OPTIMIZERS = (torch.optim.SGD, torch.optim.AdamW)


def mlp(width):
    sizes = (64, width, width)
    hidden = [layer for i, size in enumerate(sizes[:2]) for layer in (nn.Linear(size, sizes[i + 1]), nn.ReLU())]
    return nn.Sequential(*hidden, nn.Linear(width, 10)), torch.randn(64, 64), torch.randint(10, (64,))


def transformer(width):
    blocks = [nn.TransformerEncoderLayer(width, 4, 4 * width, 0.0, batch_first=True, norm_first=True) for _ in range(4)]
    model = nn.Sequential(nn.Embedding(65, width), *blocks, nn.Linear(width, 65))
    return model, torch.randint(65, (8, 64)), torch.randint(65, (8, 64))


def take_steps(model, inputs, targets, optimizer, num_steps, watched=None):
    """Returns the CPU time of the steps."""
    started = time.process_time()
    for _ in range(num_steps):
        loss = nn.functional.cross_entropy(model(inputs).flatten(0, -2), targets.flatten())
        if watched:
            watched.loss(loss)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return time.process_time() - started


def measure(workload, make_optimizer, num_steps):
    """Returns milliseconds a step without a watch, and the cost of both norms and of the gradient norm in percent."""
    model, inputs, targets = workload
    optimizer = make_optimizer(model.parameters(), lr=1e-3)
    times = []
    for _ in range(PAIRS):
        pair = [take_steps(model, inputs, targets, optimizer, num_steps)]
        for measures_update in (True, False):
            with watch(optimizer, NoWriter(), measures_update=measures_update) as watched:
                pair.append(take_steps(model, inputs, targets, optimizer, num_steps, watched))
        times.append(pair)
    plain, both, norm = np.array(times).T
    return 1e3 * np.median(plain) / num_steps, *(100 * (np.median(cost / plain) - 1) for cost in (both, norm))


def main():
    torch.set_num_threads(1)
    print("| model | parameters | optimizer | ms a step | both norms | gradient norm only |\n|---|---|---|---|---|---|")
    for name, workload, num_steps in (
        ("MLP", mlp(128), 200),
        ("MLP", mlp(512), 50),
        ("transformer", transformer(64), 8),
        ("transformer", transformer(256), 3),
    ):
        size = sum(parameter.numel() for parameter in workload[0].parameters())
        for make_optimizer in OPTIMIZERS:
            plain, both, norm = measure(workload, make_optimizer, num_steps)
            print(f"| {name} | {size:,} | {make_optimizer.__name__} | {plain:.2g} | {both:+.0f} % | {norm:+.0f} % |")


if __name__ == "__main__":
    main()
