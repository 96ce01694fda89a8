"""A small file of every foreign format, written here: the same 24 losses, with NaN where the format can hold it."""

import json
import struct
from collections.abc import Callable, Sequence

from tests.runlog.readers import table_samples, text_samples, tracker_samples
from tests.runlog.readers.hard_values import LOSSES


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


def mmengine(losses: Sequence[float] = LOSSES) -> bytes:
    rows = [
        {"lr": 0.01, "data_time": 0.1, "grad_norm": loss * 2, "loss": loss, "time": 0.2, "epoch": 1}
        | {"iter": 10 * (row + 1), "memory": 99, "step": 10 * (row + 1)}
        for row, loss in enumerate(losses)
    ]
    rows.append({"coco/bbox_mAP": 0.25, "data_time": 0.1, "time": 0.2, "step": 1})
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


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
    **table_samples.SAMPLES,
    **text_samples.SAMPLES,
    "deepobs json": deepobs,
    "hf trainer state": hf_state,
    "megatron golden json": golden,
    "mmengine json": mmengine,
    "jsonl": jsonl,
    "tensorboard events": tensorboard,
}
