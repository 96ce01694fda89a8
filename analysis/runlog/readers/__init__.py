"""One reader per format, tried in order by content; the loosest come last."""

from types import ModuleType

from analysis.runlog.readers import (
    algoperf_csv,
    csv_file,
    deepobs_json,
    epoch_csv,
    hf_stdout,
    hf_trainer_state,
    jsonl,
    lightning_csv,
    megatron_golden_json,
    megatron_text,
    mlperf_mllog,
    modded_nanogpt_txt,
    store_run,
    tensorboard_events,
    wandb_ui_csv,
    yolo_csv,
)

READERS: tuple[ModuleType, ...] = (
    *(store_run, tensorboard_events),
    *(algoperf_csv, lightning_csv, wandb_ui_csv, yolo_csv, epoch_csv),
    *(deepobs_json, hf_trainer_state, megatron_golden_json),
    *(mlperf_mllog, megatron_text, hf_stdout, modded_nanogpt_txt),
    *(jsonl, csv_file),
)
