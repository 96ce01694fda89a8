"""One reader per format. A file is the one's whose content it is; where two claim it, the user says which."""

from types import ModuleType

from analysis.runlog.readers import (
    algoperf_csv,
    csv_file,
    deepobs_json,
    epoch_csv,
    fairseq_json,
    hf_stdout,
    hf_trainer_state,
    jsonl,
    keras_csv,
    lightning_csv,
    llm_c_txt,
    long_csv,
    megatron_golden_json,
    megatron_text,
    mlflow_files,
    mlflow_sqlite,
    mlperf_mllog,
    mmengine_json,
    modded_nanogpt_txt,
    nanogpt_stdout,
    neptune_parquet,
    pattern_text,
    runs_csv,
    store_run,
    tensorboard_events,
    timm_csv,
    trackio_parquet,
    trackio_sqlite,
    wandb_fetched,
    wandb_history_csv,
    wandb_offline,
    wandb_runs_table,
    wandb_ui_csv,
    yolo_csv,
    zip_archive,
)

# Each claims only what its own logger writes.
SPECIFIC: tuple[ModuleType, ...] = (
    *(tensorboard_events, zip_archive, wandb_offline, wandb_fetched),
    *(mlflow_files, mlflow_sqlite, trackio_sqlite, trackio_parquet, neptune_parquet),
    *(wandb_ui_csv, wandb_history_csv, wandb_runs_table),
    *(algoperf_csv, lightning_csv, keras_csv, timm_csv, yolo_csv, long_csv),
    *(deepobs_json, hf_trainer_state, megatron_golden_json, mmengine_json),
    *(mlperf_mllog, megatron_text, hf_stdout, fairseq_json, modded_nanogpt_txt, nanogpt_stdout, llm_c_txt),
)
# Each claims whatever looks like a table, so only what no specific one does; the loosest come last.
GENERAL: tuple[ModuleType, ...] = (store_run, runs_csv, epoch_csv, jsonl, csv_file, pattern_text)
READERS = (*SPECIFIC, *GENERAL)
