"""Small tables of text as foreign loggers write them."""

from collections.abc import Sequence

from tests.runlog.readers.hard_values import LOSSES


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
        first = ["", "", ""] if loss != loss else [loss, loss, loss]
        second = ["", "", ""] if row > 14 or loss != loss else [loss, loss - 1, loss + 7]
        lines.append(",".join(f'"{cell}"' for cell in (row, *first, *second)))
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


SAMPLES = {
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
}
