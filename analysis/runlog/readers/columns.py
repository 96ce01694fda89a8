"""Which column of a foreign table is which: a small vocabulary, and the user's own map."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from analysis.runlog import schema
from analysis.runlog.study import RunLogError

BEFORE_CLIPPING = (
    "grad_norm_before_clipping",
    "grad_norm_before_clip",
    "grad_norm_preclip",
    "grad_norm_unclipped",
    "unclipped_grad_norm",
)
AFTER_CLIPPING = ("grad_norm_after_clipping", "grad_norm_after_clip", "grad_norm_clipped", "clipped_grad_norm")
ALIASES: Mapping[str, tuple[str, ...]] = {
    schema.STEP: ("step", "steps", "iter", "iteration", "global_step", "trainer/global_step", "_step", "update"),
    schema.TRAIN_LOSS: (
        *("train_loss", "loss", "train/loss", "training_loss", "loss/train", "train_loss_step", "train/loss_step"),
        *("loss_step", "training_loss_step", "lm_loss", "lm-loss"),
    ),
    schema.EVAL_LOSS: (
        *("eval_loss", "val_loss", "validation/loss", "val/loss", "eval/loss", "valid_loss", "validation_loss"),
        *("loss/val", "loss/validation", "test_loss", "test/loss"),
    ),
    schema.GRAD_NORM: (
        *BEFORE_CLIPPING,
        *("grad_norm", "train/grad_norm", "gradient_norm", "gnorm", "grad-norm", "grad_2.0_norm_total"),
        *AFTER_CLIPPING,
    ),
    schema.LR: ("lr", "learning_rate", "train/lr", "train/learning_rate", "learning-rate"),
    schema.UPDATE_NORM: (schema.UPDATE_NORM,),
    schema.EVAL_ERROR: (schema.EVAL_ERROR,),
    schema.SHARPNESS: (schema.SHARPNESS,),
    schema.ELAPSED_SECONDS: (schema.ELAPSED_SECONDS,),
}
RUN_NAMES = ("run", "run_id", "run_name", "run_uuid")  # columns that tell runs of one table apart
# Settings that loggers write beside their metrics. What follows a prefix is one under its own name.
SETTINGS: Mapping[str, tuple[str, ...]] = {
    schema.BASE_LR: ("base_lr", "peak_lr", "max_lr", "initial_lr", "init_lr"),
    schema.OPTIMIZER: ("optimizer", "optim", "optimizer_name"),
    schema.BATCH_SIZE: ("batch_size", "global_batch_size", "train_batch_size"),
    schema.SEED: ("seed", "random_seed"),
    schema.SCHEDULE: ("schedule", "lr_schedule", "lr_scheduler", "lr_scheduler_type"),
    schema.WARMUP_STEPS: ("warmup_steps", "num_warmup_steps", "warmup_iters", "lr_warmup_steps"),
    schema.CLIP_THRESHOLD: (
        "clip_threshold",
        "max_grad_norm",
        "grad_clip",
        "clip_grad",
        "gradient_clip_val",
        "clip_norm",
    ),
    schema.MAX_TRAIN_STEPS: ("max_train_steps", "max_steps", "max_iters", "train_iters", "num_train_steps"),
    schema.WORKLOAD: ("workload",),
    **{name: (name,) for name in ("weight_decay", "momentum", "beta1", "beta2", "eps", "dropout")},
}
SETTING_PREFIXES = ("config/", "config.", "hparams/", "hparams.", "args/", "args.", "params/", "params.")
MAX_NAMED = 12  # ours: columns that one line of an error can name


class ColumnError(RunLogError):
    """A column that is needed was not found; `columns` are those that were."""

    def __init__(self, message: str, columns: Sequence[str]) -> None:
        super().__init__(message)
        self.columns = tuple(columns)


@dataclass(frozen=True)
class ColumnPlan:
    """What becomes of the columns of a table.

    Attributes:
        used: Position of the source column, by the name of the schema.
        extra: Position of the further columns, by their own name.
        left_out: Names of columns that cannot be kept.
        facts: Fields of the run record that a column name tells.
    """

    used: Mapping[str, int]
    extra: Mapping[str, int]
    left_out: tuple[str, ...]
    facts: Mapping[str, object] = field(default_factory=dict)


def plan_columns(
    header: Sequence[str],
    column_map: Mapping[str, str] | None,
    file: str,
    num_logged: Mapping[str, int] | None = None,
) -> ColumnPlan:
    """Finds the columns of the schema in a header.

    Args:
        header: Column names as the file has them.
        column_map: Names of the schema to column names of the file; goes before the vocabulary.
        file: What an error calls the file.
        num_logged: Values by column where they are known: of several columns that fit, the fullest is taken.

    Raises:
        RunLogError: There is no step or no loss column, a mapped column is missing, or a name that is used is double.
    """
    counts = {fold(name): count for name, count in (num_logged or {}).items()}
    header = [" ".join(name.split()) for name in header]
    used = {}
    for name, column in _mapped(header, column_map or {}, file).items():
        used[name] = _only_position(header, column, file)
    folded = [fold(name) for name in header]
    for name, aliases in ALIASES.items():
        found = [alias for alias in aliases if alias in folded]
        if name not in used and found:
            position = _only_position(folded, max(found, key=lambda alias: counts.get(alias, 0)), file)
            if position not in used.values():
                used[name] = position
    if schema.STEP not in used:
        raise ColumnError(_missing("step", header, file), header)
    if not any(name in used for name in schema.LOSS_COLUMNS):
        raise ColumnError(_missing("loss", header, file), header)
    return ColumnPlan(used, *_further_columns(header, used), _facts(header, used))


def _further_columns(header: Sequence[str], used: Mapping[str, int]) -> tuple[Mapping[str, int], tuple[str, ...]]:
    extra, left_out = {}, []
    for position, name in enumerate(header):
        if position in used.values():
            continue
        if name and name not in used and name != schema.ATTEMPT and header.count(name) == 1:
            extra[name] = position
        else:
            left_out.append(name or "(no name)")
    return extra, tuple(left_out)


def _facts(header: Sequence[str], used: Mapping[str, int]) -> Mapping[str, object]:
    sources = {name: header[position] for name, position in used.items() if header[position] != name}
    facts = {schema.COLUMNS: sources} if sources else {}
    column = fold(header[used[schema.GRAD_NORM]]) if schema.GRAD_NORM in used else ""
    told = "before-clipping" if column in BEFORE_CLIPPING else "after-clipping" if column in AFTER_CLIPPING else ""
    return facts | ({schema.GRAD_NORM_TAKEN: told} if told else {})


def fold(name: str) -> str:
    """Returns a column name with case and spaces folded.

    >>> fold(" Grad Norm")
    'grad_norm'
    """
    return "_".join(name.casefold().split())


def _mapped(header: Sequence[str], column_map: Mapping[str, str], file: str) -> Mapping[str, str]:
    for name, column in column_map.items():
        if name not in ALIASES:
            raise RunLogError(f"{name} cannot be mapped to. Map one of {', '.join(ALIASES)}")
        if " ".join(column.split()) not in header:
            message = f"{file} has no column {column} (found: {_listed(header)}). Map {name} to one of these"
            raise ColumnError(message, header)
    return {name: " ".join(column.split()) for name, column in column_map.items()}


def _only_position(names: Sequence[str], column: str, file: str) -> int:
    if names.count(column) > 1:
        raise RunLogError(f"{file} has {names.count(column)} columns {column}; which one counts is open. Rename one")
    return names.index(column)


def _missing(what: str, header: Sequence[str], file: str) -> str:
    return f"{file} has no {what} column (found: {_listed(header)}). Rename one, or map it on the import page"


def _listed(header: Sequence[str]) -> str:
    names = [name or "(no name)" for name in header]
    more = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
    return ", ".join(name[:60] for name in names[:MAX_NAMED]) + more
