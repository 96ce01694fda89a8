"""What a log can show: how often, over how many steps, and which gradient norm."""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from analysis.runlog import schema
from analysis.runlog.study import LogDescription

RECORD_SOURCE = "steadystep.run"  # a Parquet file whose record follows our schema
OWN_WRITERS = ("runner", "RunWriter")
OWN_SOURCES = (*OWN_WRITERS, RECORD_SOURCE)  # grad_norm is before clipping by the definition of the column
AT_THRESHOLD = 1e-4  # ours: relative; torch divides by norm + 1e-6, loggers round to 4 digits or more
MIN_AT_THRESHOLD = 5  # ours: a norm before clipping meets lambda to 4 digits by chance once or twice, not 5 times


def describe_log(
    steps: pa.Table, record: Mapping[str, object], notes: Sequence[str] = (), non_finite: str = "kept"
) -> LogDescription:
    """Describes what a log can show.

    `stride` is the median gap between two logged training losses (evaluation losses where there are none), rounded
    up; 1 for a single row. `grad_norm` is "after-clipping" where at least 5 norms, and at least 1 % of them, lie at
    the clip threshold (to 1 in 10,000) and none above it: a norm before clipping does not do that. Otherwise it is
    "before-clipping" for logs of our runners and RunWriter and for Parquet files with a record in our schema, whose
    column is defined so, and for foreign ones what the record says their format or column name tells, else "unknown".

    Args:
        steps: One row per logged step, ascending; null is not logged.
        record: Run record.
        notes: Sentences for the reader of a verdict.
        non_finite: What became of NaN and infinity.

    Returns:
        The description; steps must hold one row at least.
    """
    column = next((name for name in schema.LOSS_COLUMNS if _logged(steps, name).any()), schema.STEP)
    loss_steps = steps[schema.STEP].to_numpy()[_logged(steps, column)]
    averaged_over = record.get(schema.AVERAGED_OVER)
    return LogDescription(
        stride=int(np.ceil(np.median(np.diff(loss_steps)))) if len(loss_steps) > 1 else 1,
        first_step=int(loss_steps[0]),
        averaged_over=None if averaged_over is None else int(averaged_over),
        grad_norm=_name_grad_norm(steps, record),
        non_finite=non_finite,
        notes=tuple(notes),
    )


def _logged(steps: pa.Table, column: str) -> np.ndarray:
    if column not in steps.column_names:
        return np.zeros(len(steps), bool)
    return steps[column].is_valid().to_numpy()


def _name_grad_norm(steps: pa.Table, record: Mapping[str, object]) -> str:
    logged = _logged(steps, schema.GRAD_NORM)
    if not logged.any():
        return "absent"
    norms = steps[schema.GRAD_NORM].to_numpy()[logged]
    norms = norms[np.isfinite(norms)]
    threshold = record.get(schema.CLIP_THRESHOLD)
    if isinstance(threshold, int | float) and threshold > 0 and len(norms):
        num_at = int((np.abs(norms - threshold) <= AT_THRESHOLD * threshold).sum())
        if norms.max() <= threshold * (1 + AT_THRESHOLD) and num_at >= max(MIN_AT_THRESHOLD, 0.01 * len(norms)):
            return "after-clipping"
    source = str(record.get(schema.SOURCE)).partition(":")[0]
    told = record.get(schema.GRAD_NORM_TAKEN)
    return "before-clipping" if source in OWN_SOURCES else str(told or "unknown")
