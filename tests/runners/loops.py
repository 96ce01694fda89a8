"""A small training loop that is watched, and what a watch should find in it."""

import numpy as np
import torch
from torch import nn

from analysis.runlog import schema

BATCHES = 6
CLIP = 0.05


def make_loop(lr=0.1, make_optimizer=torch.optim.SGD, **options):
    """Returns model, optimizer and batches of a small regression, the same each time."""
    generator = torch.Generator().manual_seed(1)
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
    for parameter in model.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator)
    batches = [torch.randn(5, 4, generator=generator) for _ in range(BATCHES)]
    return model, make_optimizer(model.parameters(), lr=lr, **options), batches


def squared_output(model, batch):
    return model(batch).square().mean()


def flat(tensors):
    return torch.cat([tensor.detach().reshape(-1) for tensor in tensors]).double()


def column(log, name):
    return [row[name] for row in log.rows]


def expected_rows(accumulate=1, **options):
    """Trains without a watch, and measures by hand."""
    model, optimizer, batches = make_loop(**options)
    rows = []
    for step in range(BATCHES // accumulate):
        optimizer.zero_grad()
        losses = [squared_output(model, batch) for batch in batches[accumulate * step : accumulate * (step + 1)]]
        (sum(losses) / accumulate).backward()
        norm = flat(parameter.grad for parameter in model.parameters()).norm().item()
        nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        before, lr = flat(model.parameters()), optimizer.param_groups[0]["lr"]
        optimizer.step()
        rows.append((sum(losses).item() / accumulate, norm, (flat(model.parameters()) - before).norm().item(), lr))
    return np.array(rows), flat(model.parameters())


def watched_rows(log):
    names = (schema.TRAIN_LOSS, schema.GRAD_NORM, schema.UPDATE_NORM, schema.LR)
    return np.array([[row[name] for name in names] for row in log.rows])
