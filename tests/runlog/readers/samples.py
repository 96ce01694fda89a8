"""A small file of every foreign format, written here: the same 24 losses, with NaN where the format can hold it."""

import json
import struct
from collections.abc import Callable, Sequence

from tests.runlog.readers import tracker_samples

LOSSES = tuple(3.0 - 0.1 * step if step != 9 else 40.0 for step in range(24))
NAN = float("nan")


def algoperf(losses: Sequence[float] = LOSSES) -> bytes:
    lines = ["global_step,grad_norm,loss,lr,train/loss,validation/loss,validation/num_examples,total_duration,"]
    lines[0] += "accumulated_submission_time,preemption_count"
    for step, loss in enumerate(losses):
        is_lost = loss != loss
        lines.append(f"{step},{'' if is_lost else loss * 2},{'' if is_lost else loss},0.1,,,,,,")
        if step % 10 == 1:
            evaluated = "" if is_lost else loss
            lines.append(f"{step},,,,{evaluated},{evaluated},100,{step + 5},{step},0")
    return ("\n".join(lines) + "\n").encode()


def lightning(losses: Sequence[float] = LOSSES) -> bytes:
    lines = ["epoch,lr-Adam,step,train_loss_epoch,train_loss_step,val_loss"]
    for row, loss in enumerate(losses):
        lines += [f"0,,{50 * row + 49},,{loss},", f",0.01,{50 * row + 49},,,"]
    lines.append(f"0,,{50 * len(losses)},2.5,,2.75")
    return ("\n".join(lines) + "\n").encode()


def wandb_ui(losses: Sequence[float] = LOSSES) -> bytes:
    names = [f"{run} - train/loss{ending}" for run in ("a.1", "b - 2") for ending in ("", "__MIN", "__MAX")]
    lines = [",".join(f'"{name}"' for name in ("Step", *names))]
    for row, loss in enumerate(losses):
        second = ["", "", ""] if row > 14 else [loss, loss - 1, loss + 7]
        lines.append(",".join(f'"{cell}"' for cell in (row, loss, loss, loss, *second)))
    return ("\n".join(lines) + "\n").encode()


def yolo(losses: Sequence[float] = LOSSES) -> bytes:
    names = ("epoch", "train/box_loss", "train/cls_loss", "val/box_loss", "val/cls_loss", "lr/pg0")
    lines = [",".join(f"{name:>20}" for name in names)]
    for epoch, loss in enumerate(losses):
        lines.append(",".join(f"{cell:>20}" for cell in (epoch + 1, loss - 1, 1, loss, 1, 0.01)))
    return ("\n".join(lines) + "\n").encode()


def timm(losses: Sequence[float] = LOSSES) -> bytes:
    header = "epoch,train_loss,eval_loss,eval_top1"
    lines = [header, *(f"{epoch},{loss},{loss + 0.5},12.5" for epoch, loss in enumerate(losses))]
    return "\n".join([*lines[:12], header, *lines[12:], ""]).encode()


def keras(losses: Sequence[float] = LOSSES) -> bytes:
    lines = ["epoch,accuracy,learning_rate,loss,val_accuracy,val_loss"]
    lines += [f"{epoch},0.5,0.01,{loss},0.25,{loss + 0.5}" for epoch, loss in enumerate(losses)]
    return "\r\n".join([*lines, ""]).encode()


def epoch_csv(losses: Sequence[float] = LOSSES) -> bytes:
    lines = ["Epoch;Train Loss;Val Loss", *(f"{epoch};{loss};{loss + 0.5}" for epoch, loss in enumerate(losses))]
    return "\n".join([*lines, ""]).encode()


def long_csv(losses: Sequence[float] = LOSSES) -> bytes:
    lines = ["run,metric,step,value"]
    for metric, factor in (("train/loss", 1), ("lr", 0), ("grad_norm", 2)):
        lines += [f"a,{metric},{step},{factor * loss if factor else 0.1}" for step, loss in enumerate(losses)]
    return "\n".join([*lines, ""]).encode()


def runs_csv(losses: Sequence[float] = LOSSES) -> bytes:
    lines = ["Run,Step,Loss,Optimizer,base_lr,host"]
    for run, rate in (("a", 0.1), ("b", 0.2)):
        lines += [f"{run},{step},{loss},adam,{rate},someone" for step, loss in enumerate(losses)]
    return "\n".join([*lines, ""]).encode()


def wandb_history(losses: Sequence[float] = LOSSES) -> bytes:
    lines = [",_runtime,train/loss,_step,_timestamp,config/width"]
    lines += [f"{row},{row + 0.5},{loss},{2 * row},17000{row:02},64" for row, loss in enumerate(losses)]
    return "\n".join([*lines, ""]).encode()


def deepobs(losses: Sequence[float] = LOSSES) -> bytes:
    epochs = [*losses[::6], losses[-1]]
    content = {
        "train_losses": epochs,
        "test_losses": epochs,
        "minibatch_train_losses": list(losses),
        "test_accuracies": [0.75] * len(epochs),
        "optimizer": "MomentumOptimizer",
        "testproblem": "quadratic_deep",
        "batch_size": 128,
        "learning_rate": 0.1,
        "random_seed": 42,
        "train_log_interval": 1,
        "hyperparams": {"momentum": 0.99, "use_nesterov": False},
    }
    return json.dumps(content).encode()


def hf_state(losses: Sequence[float] = LOSSES) -> bytes:
    rows = [
        {"epoch": 0.1 * row, "grad_norm": loss * 2, "learning_rate": 1e-4, "loss": loss, "step": 10 * (row + 1)}
        for row, loss in enumerate(losses)
    ]
    rows.append({"epoch": 3.0, "eval_loss": 2.5, "step": 10 * len(losses)})
    rows.append({"epoch": 3.0, "train_loss": 99.0, "train_runtime": 5.0, "step": 10 * len(losses)})
    state = {"best_model_checkpoint": "/home/someone/x", "log_history": rows, "logging_steps": 10, "max_steps": 240}
    return json.dumps(state, indent=1).encode()


def golden(losses: Sequence[float] = LOSSES) -> bytes:
    values = {str(5 * (row + 1)): "nan" if loss != loss else loss for row, loss in enumerate(losses)}
    series = {"start_step": 5, "end_step": 5 * len(losses), "step_interval": 5, "values": values}
    return json.dumps({"lm loss": series, "grad-norm": series}).encode()


def mllog(losses: Sequence[float] = LOSSES) -> bytes:
    settings = {"global_batch_size": 64, "opt_name": "adamw", "opt_base_learning_rate": 0.001, "seed": 7}
    settings |= {"opt_adamw_beta_1": 0.9, "opt_gradient_clip_norm": 1.0, "submission_org": "someone"}
    events = [{"key": key, "value": value, "metadata": {}} for key, value in settings.items()]
    events.append({"key": "run_start", "time_ms": 1000, "value": None, "metadata": {"file": "/home/someone/a.py"}})
    for step, loss in enumerate(losses):
        place = {"samples_count": 64 * step, "lr": 1e-3}
        events.append({"key": "train_loss", "time_ms": 1000 + 500 * step, "value": loss, "metadata": place})
    events.append({"key": "eval_accuracy", "value": 2.5, "metadata": {"samples_count": 64 * len(losses)}})
    return "".join(f":::MLLOG {json.dumps(event)}\n" for event in events).encode()


def megatron(losses: Sequence[float] = LOSSES) -> bytes:
    lines = ["Setting OMP_NUM_THREADS\n" * 400, "  lr ............ 0.00015\n  clip_grad ......... 1.0\n"]
    lines.append("  optimizer ....... adam\n  hostname ........ someone\n  seed ...... 1234\n")
    for row, loss in enumerate(losses):
        found = "" if loss != loss else f"lm loss: {loss:.6E} | "
        lines.append(
            f" iteration {10 * (row + 1):8}/    1000 | consumed samples:   640 | learning rate: 1.5E-04 | {found}"
            "grad norm: 7.992 | number of skipped iterations:   0 | number of nan iterations:   0 |\n"
        )
    lines.append(" validation loss at iteration 240 | lm loss value: 2.500000E+00 | lm loss PPL: 1.2E+01 | \n")
    return "".join(lines).encode()


def hf_stdout(losses: Sequence[float] = LOSSES) -> bytes:
    lines = ["Map: 100%|##########| 9999/9999 [00:01<00:00]\n  0%|          | 0/24 [00:00<?, ?it/s]"]
    for row, loss in enumerate(losses):
        lines.append(f"\r  1%|#      | {row + 1}/24 [00:22<2:43, 2s/it]      \r")
        lines.append(f"\x1b[A{{'loss': {loss}, 'grad_norm': {loss * 2}, 'learning_rate': 0.001, 'epoch': 0.1}}\n")
    lines.append("\r 50%|##   | 3/6 [00:01<00:01]{'eval_loss': 2.5, 'eval_runtime': 2.0, 'epoch': 1.0}\n")
    lines.append("{'train_runtime': 9.0, 'train_loss': 99.0, 'epoch': 1.0}\n")
    return "".join(lines).encode()


def fairseq(losses: Sequence[float] = LOSSES) -> bytes:
    lines = [
        "2021-08-13 14:58:39 | INFO | fairseq_cli.train | Namespace(clip_norm=2.0, seed=7, user_dir='/home/someone')"
    ]
    lines.append("2021-08-13 14:58:44 | INFO | fairseq.trainer | NOTE: gradient overflow detected, ignoring gradient")
    for row, loss in enumerate(losses):
        inner = {"epoch": 1, "update": 0.1, "loss": str(loss), "num_updates": str(10 * (row + 1))}
        inner |= {"lr": "0.001", "gnorm": str(2 * loss), "clip": "40"}
        lines.append(f"2021-08-13 14:59:32 | INFO | train_inner | {json.dumps(inner)}")
    ends = {"num_updates": str(10 * len(losses)), "loss": "2.5"}
    for part in ("valid", "train"):
        row = {"epoch": 1, **{f"{part}_{name}": value for name, value in ends.items()}}
        lines.append(f"2021-08-13 15:00:00 | INFO | {part} | {json.dumps(row)}")
    return ("\n".join(lines) + "\n").encode()


def mmengine(losses: Sequence[float] = LOSSES) -> bytes:
    rows = [
        {"lr": 0.01, "data_time": 0.1, "grad_norm": loss * 2, "loss": loss, "time": 0.2, "epoch": 1}
        | {"iter": 10 * (row + 1), "memory": 99, "step": 10 * (row + 1)}
        for row, loss in enumerate(losses)
    ]
    rows.append({"coco/bbox_mAP": 0.25, "data_time": 0.1, "time": 0.2, "step": 1})
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def nanogpt(losses: Sequence[float] = LOSSES) -> bytes:
    lines = ["Overriding config with config/train.py:", "# by someone", "learning_rate = 6e-4 # max", "max_iters = 100"]
    lines += ["grad_clip = 1.0", "tokens per iteration will be: 8,192", "step 0: train loss 10.5, val loss 10.25"]
    lines += [f"iter {10 * row}: loss {loss}, time 9.10ms, mfu -100.00%" for row, loss in enumerate(losses)]
    return ("\n".join(lines) + "\n").encode()


def llm_c(losses: Sequence[float] = LOSSES) -> bytes:
    lines = ["s:0 tel:11.0", "s:0 eval:0.25"]
    lines += [f"s:{step} trl:{loss} lr:0.001 norm:{2 * loss}" for step, loss in enumerate(losses)]
    return ("\n".join(lines) + "\n").encode()


def modded(losses: Sequence[float] = LOSSES) -> bytes:
    lines = ["=" * 20, "import os", "class Hyperparameters:", "    learning_rate : float = 0.0036 / 2"]
    lines += ["    batch_size : int = 8*60 # all devices", "    num_iterations : int = int(0.5*48)", "=" * 20]
    lines.append("step:0/24 val_loss:4.5000 train_time:315ms step_avg:nanms")
    for row, loss in enumerate(losses):
        lines.append(f"step:{row + 1}/24 train_loss:{loss} train_time:{1000 * row}ms step_avg:1000.00ms")
    return ("\n".join(lines) + "\n").encode()


def jsonl(losses: Sequence[float] = LOSSES) -> bytes:
    rows = [{"step": step, "loss": loss, "lr": 0.1} for step, loss in enumerate(losses)]
    rows.append({"epoch": 1, "train_loss": 99.0, "val_loss": 2.5})
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def tensorboard(losses: Sequence[float] = LOSSES, as_tensors: bool = False) -> bytes:
    from tensorboard.compat.proto.event_pb2 import Event

    events = [Event(wall_time=100.0, file_version="brain.Event:2")]
    for step, loss in enumerate(losses):
        event = Event(wall_time=100.0 + step, step=step)
        for tag, number in (("loss", loss), ("grad_norm", loss * 2)):
            value = event.summary.value.add(tag=tag)
            if as_tensors:
                value.tensor.dtype = 2
                value.tensor.double_val.append(number)
            else:
                value.simple_value = number
        events.append(event)
    return b"".join(frame(event.SerializeToString()) for event in events)


def frame(record: bytes) -> bytes:
    from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c

    length = struct.pack("<Q", len(record))
    return length + struct.pack("<I", masked_crc32c(length)) + record + struct.pack("<I", masked_crc32c(record))


SAMPLES: dict[str, Callable[..., bytes]] = {
    **tracker_samples.SAMPLES,
    "tensorboard events": tensorboard,
    "algoperf csv": algoperf,
    "lightning csv": lightning,
    "wandb ui csv": wandb_ui,
    "yolo csv": yolo,
    "timm csv": timm,
    "keras csv": keras,
    "epoch csv": epoch_csv,
    "long csv": long_csv,
    "runs csv": runs_csv,
    "wandb history csv": wandb_history,
    "fairseq json": fairseq,
    "mmengine json": mmengine,
    "nanogpt stdout": nanogpt,
    "llm.c txt": llm_c,
    "deepobs json": deepobs,
    "hf trainer state": hf_state,
    "megatron golden json": golden,
    "mlperf mllog": mllog,
    "megatron text": megatron,
    "hf stdout": hf_stdout,
    "modded-nanogpt txt": modded,
    "jsonl": jsonl,
}
