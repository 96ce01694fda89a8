"""Series: runs of a study that agree in everything but base_lr and seed, one line on a learning-rate axis."""

import json
from collections.abc import Iterable, Mapping

from analysis.runlog import Run, schema

ALONG_THE_AXIS = (schema.BASE_LR, schema.SEED)
OF_THE_OPTIMIZER = ("beta1", "beta2", "eps", "gamma", "rho")  # options of the six update rules


def series_key(run: Run) -> tuple[tuple[str, str], ...]:
    """Returns the metaparameters that tell a run's series, sorted, values as JSON; absent and null are the same."""
    rest = {
        name: value
        for name, value in run.record.items()
        if name not in schema.FACTS and name not in ALONG_THE_AXIS and value is not None
    }
    return tuple(sorted((name, json.dumps(value, sort_keys=True, default=str)) for name, value in rest.items()))


def name_series(runs: Iterable[Run]) -> Mapping[str, str]:
    """Names the series of runs by what differs between them.

    Returns:
        Label by run_id: "stride=1x1, warmup_steps=100"; "all runs" where there is one series only. Options that
        follow from the optimizer are not named beside it.
    """
    keys = {run.run_id: dict(series_key(run)) for run in runs}
    names = sorted({name for key in keys.values() for name in key})
    differing = [name for name in names if len({key.get(name) for key in keys.values()}) > 1]
    differing = [name for name in differing if name not in OF_THE_OPTIMIZER or not _follows(name, keys.values())]
    return {
        run_id: ", ".join(f"{name}={show(key.get(name))}" for name in differing) or "all runs"
        for run_id, key in keys.items()
    }


def _follows(name: str, keys: Iterable[Mapping[str, str]]) -> bool:
    """Returns whether each optimizer has one value of an option."""
    pairs = {(key.get(schema.OPTIMIZER), key.get(name)) for key in keys}
    return len(pairs) == len({optimizer for optimizer, _ in pairs})


def show(value: str | None) -> str:
    """Returns a JSON value as a person writes it; "none" for an absent one."""
    if value is None:
        return "none"
    decoded = json.loads(value)
    return f"{decoded:g}" if isinstance(decoded, float) else str(decoded)


def shorten_label(label: str, others: Iterable[str]) -> str:
    """Returns a label without the parts that all the others have too.

    >>> shorten_label("stride=1x1, warmup_steps=0", ["stride=2x2, warmup_steps=0"])
    'stride=1x1'
    """
    other_parts = [set(other.split(", ")) for other in others]
    kept = [part for part in label.split(", ") if not other_parts or any(part not in parts for parts in other_parts)]
    return ", ".join(kept) or label
