"""Configurations, and what a stack and a run alone write for them."""

from analysis.runlog import schema
from runners.config import RunConfig
from runners.plan import MemoryWriter
from runners.stacked.train import train_stack
from runners.train import train


def stack(configs):
    writers = [MemoryWriter() for _ in configs]
    statuses = train_stack(configs, writers)
    assert statuses == [writer.record[schema.STATUS] for writer in writers]
    return writers


def alone(config):
    writer = MemoryWriter()
    train(config, writer)
    return writer


def mlp(base_lr, steps=8, **options):
    return RunConfig("mlp", options.pop("optimizer", "momentum"), base_lr, steps, **options)
