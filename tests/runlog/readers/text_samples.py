"""Small outputs as foreign programs print them."""

import json
from collections.abc import Sequence

from tests.runlog.readers.hard_values import LOSSES


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
        bars = [f"\r  1%|#      | {shown}/24 [00:22<2:43, 2s/it]" for shown in (row, row + 1)]
        logged = f"\x1b[A{{'loss': {loss}, 'grad_norm': {loss * 2}, 'learning_rate': 0.001, 'epoch': 0.1}}\n"
        lines += [bars[row % 2], "\r       \r", logged, bars[1]]
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


SAMPLES = {
    "mlperf mllog": mllog,
    "megatron text": megatron,
    "hf stdout": hf_stdout,
    "fairseq json": fairseq,
    "nanogpt stdout": nanogpt,
    "llm.c txt": llm_c,
    "modded-nanogpt txt": modded,
}
