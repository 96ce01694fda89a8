"""What a run log holds: step columns and run fields. The only place where their names are spelled out."""

from dataclasses import dataclass

STEP = "step"
TRAIN_LOSS = "train_loss"
GRAD_NORM = "grad_norm"
UPDATE_NORM = "update_norm"
CLIP_MULTIPLIER = "clip_multiplier"
LR = "lr"
EVAL_LOSS = "eval_loss"
EVAL_ERROR = "eval_error"
SHARPNESS = "sharpness"
ELAPSED_SECONDS = "elapsed_seconds"
ATTEMPT = "attempt"  # which start of a resumed run wrote the row; only in sealed files, never in Run.steps


@dataclass(frozen=True)
class Column:
    """One column of the steps table."""

    name: str
    dtype: str
    unit: str
    meaning: str


STEP_COLUMNS = (
    Column(STEP, "int64", "steps", "0-based index t: the row holds loss and gradient at theta_t"),
    Column(TRAIN_LOSS, "float64", "loss", "raw training loss of the batch of this step, never smoothed"),
    Column(GRAD_NORM, "float64", "1", "L2 norm of the full loss gradient before clipping"),
    Column(UPDATE_NORM, "float64", "1", "L2 norm of theta_{t+1} - theta_t"),
    Column(
        CLIP_MULTIPLIER, "float64", "1", "what clipping multiplied the gradient by: 1 unclipped, 0 for a skipped step"
    ),
    Column(LR, "float64", "1", "learning rate of the update from theta_t to theta_{t+1}"),
    Column(EVAL_LOSS, "float64", "loss", "loss on the evaluation set"),
    Column(EVAL_ERROR, "float64", "share", "share of the evaluation set that is classified wrongly"),
    Column(SHARPNESS, "float64", "1", "largest eigenvalue of the Hessian of the training loss"),
    Column(ELAPSED_SECONDS, "float64", "seconds", "time since the run started, evaluation included"),
)
STEP_NAMES = frozenset(column.name for column in STEP_COLUMNS)
LOSS_COLUMNS = (TRAIN_LOSS, EVAL_LOSS)

RUN_ID = "run_id"
NAME = "name"
STUDY = "study"
WORKLOAD = "workload"
OPTIMIZER = "optimizer"
BASE_LR = "base_lr"
SCHEDULE = "schedule"
WARMUP_STEPS = "warmup_steps"
CLIP_THRESHOLD = "clip_threshold"
CLIP_RULE = "clip_rule"
UPDATE_CLIP_THRESHOLD = "update_clip_threshold"
BATCH_SIZE = "batch_size"
MAX_TRAIN_STEPS = "max_train_steps"
SEED = "seed"
BASELINE_LOSS = "baseline_loss"
INIT_LOSS_MEAN = "init_loss_mean"
INIT_LOSS_SD = "init_loss_sd"
STATUS = "status"
SOURCE = "source"
STARTED_AT = "started_at"
PLANNED_CHANGES = "planned_changes"
RESUMED_AT = "resumed_at"
STOPPED_AT_RISE = "stopped_at_rise"
PARENT_RUN = "parent_run"
CHANGED = "changed"
COMMAND = "command"
VERSIONS = "versions"
STACKED_RUNS = "stacked_runs"
AVERAGED_OVER = "averaged_over"
STEP_UNIT = "step_unit"
GRAD_NORM_TAKEN = "grad_norm_taken"
COLUMNS = "columns"

STATUSES = ("running", "finished", "diverged", "stopped", "interrupted")
ENDED = ("finished", "diverged", "stopped")  # sealed, and never continued


@dataclass(frozen=True)
class RunField:
    """One field of the run record. A metaparameter tells series apart; a fact only describes the run."""

    name: str
    kind: str  # "text", "number", "count", "record"
    metaparameter: bool
    meaning: str


RUN_FIELDS = (
    RunField(RUN_ID, "text", False, "ULID of our own runs (sorts by time), file stem of foreign ones"),
    RunField(NAME, "text", False, "what people call the run"),
    RunField(STUDY, "text", False, "study the run belongs to"),
    RunField(WORKLOAD, "text", True, "model, data, loss and batch size together"),
    RunField(OPTIMIZER, "text", True, "update rule"),
    RunField(BASE_LR, "number", True, "plateau of the learning-rate schedule"),
    RunField(SCHEDULE, "text", True, "shape of the schedule after warmup"),
    RunField(WARMUP_STEPS, "count", True, "steps of linear warmup from 0, prepended to the schedule"),
    RunField(CLIP_THRESHOLD, "number", True, "lambda of gradient clipping by global norm; absent: no clipping"),
    RunField(
        CLIP_RULE, "text", True, "adaptive rule of gradient clipping, its options as clip_<option>; absent: global norm"
    ),
    RunField(
        UPDATE_CLIP_THRESHOLD, "number", True, "largest norm of an update, which is scaled down to it; absent: none"
    ),
    RunField(BATCH_SIZE, "count", True, "examples a step"),
    RunField(MAX_TRAIN_STEPS, "count", True, "planned steps without warmup; total = max_train_steps + warmup_steps"),
    RunField(SEED, "count", True, "seed of initialisation and data order; seeds are replicates"),
    RunField(BASELINE_LOSS, "number", False, "training loss of the constant predictor"),
    RunField(INIT_LOSS_MEAN, "number", False, "mean training loss over forward batches before step 0"),
    RunField(INIT_LOSS_SD, "number", False, "standard deviation of the training loss over those batches"),
    RunField(
        STATUS,
        "text",
        False,
        "running, finished, diverged (ended at a non-finite loss), stopped (by the guard, at a rise) or interrupted",
    ),
    RunField(SOURCE, "text", False, "where the rows came from: runner, RunWriter, or the reader and file of an import"),
    RunField(STARTED_AT, "text", False, "start, ISO 8601 with time zone"),
    RunField(PLANNED_CHANGES, "record", False, "steps at which data, batch size or objective change by plan"),
    RunField(RESUMED_AT, "record", False, "steps at which a later attempt of the run goes on"),
    RunField(STOPPED_AT_RISE, "record", False, "the rise at which the guard stopped the run, as it was seen then"),
    RunField(PARENT_RUN, "text", False, "run_id of the run this one varies"),
    RunField(CHANGED, "text", False, "the one metaparameter that differs from the parent"),
    RunField(COMMAND, "text", False, "command line that made the run"),
    RunField(VERSIONS, "record", False, "versions of Python and libraries"),
    RunField(
        STACKED_RUNS,
        "count",
        False,
        "runs that trained in one program with this one, itself included; elapsed_seconds is the time of them all",
    ),
    RunField(AVERAGED_OVER, "count", False, "steps that one logged training loss is a mean of; absent: single steps"),
    RunField(
        STEP_UNIT, "text", False, "what one step of a foreign log is where it is no update: epochs, samples, log index"
    ),
    RunField(
        GRAD_NORM_TAKEN,
        "text",
        False,
        "before-clipping or after-clipping, where format or column name of an import tells",
    ),
    RunField(COLUMNS, "record", False, "columns that had another name in the file of an import, and which"),
)
FACTS = frozenset(field.name for field in RUN_FIELDS if not field.metaparameter)
