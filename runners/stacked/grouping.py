"""Which runs of a plan may train in one program."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace

from analysis.clip_rules import GLOBAL_NORM, SkipSigma
from runners.clip_rules import make_clip_rule
from runners.config import RunConfig
from runners.workloads import make_workload


def stack_key(config: RunConfig) -> str | None:
    """Returns text that is equal for configurations that may train in one program, None for one that trains alone.

    They may differ in seed, schedule and its length, warmup, base_lr and clipping. A rule that skips steps would give
    each run a step counter of its own, which the update rules of a stack share.
    """
    if isinstance(make_clip_rule(config), SkipSigma):
        return None
    schedule = {"base_lr": 1, "seed": 0, "schedule": "constant", "warmup_steps": 0, "max_train_steps": 1}
    clipping = {"clip_threshold": None, "clip_rule": GLOBAL_NORM, "clip_options": {}, "update_clip_threshold": None}
    return replace(config, **schedule, **clipping).key


def group_runs(configs: Sequence[RunConfig], jobs: int) -> list[list[int]]:
    """Returns the indices of the runs that train in one program, for each program, so that all jobs have work.

    Args:
        configs: The runs of a plan.
        jobs: Programs at a time.
    """
    groups: dict[object, list[int]] = {}
    for index, config in enumerate(configs):
        groups.setdefault(stack_key(config) or index, []).append(index)
    share = math.ceil(len(configs) / jobs)
    return [part for group in groups.values() for part in _split(group, _count_parts(configs[group[0]], group, share))]


def _count_parts(config: RunConfig, group: Sequence[int], share: int) -> int:
    most = make_workload(config.workload, config.variant).most_stacked if len(group) > 1 else 1
    return math.ceil(len(group) / min(most, share))


def _split(group: Sequence[int], num_parts: int) -> list[list[int]]:
    """Returns parts of almost equal size."""
    ends = [len(group) * part // num_parts for part in range(num_parts + 1)]
    return [list(group[start:end]) for start, end in itertools.pairwise(ends)]
