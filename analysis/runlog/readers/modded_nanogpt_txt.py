"""Logs of modded-nanogpt: `step:5/9000 train_loss:4.2 train_time:315ms`, with the training script on top."""

import ast
import operator
import re
from collections.abc import Mapping
from pathlib import Path

from analysis.runlog import schema
from analysis.runlog.readers.foreign_rows import name_run
from analysis.runlog.readers.gathered_rows import GatheredRows, Reading, build_gathered_run, to_number
from analysis.runlog.readers.settings import keep_fitting
from analysis.runlog.readers.text_file import holds, read_lines
from analysis.runlog.study import Run, RunLogError

NAME = "modded-nanogpt txt"
LOSES = "digits after the 4th; learning rates and gradient norms, which most of its scripts do not log"
MARK = re.compile(rb"(?m)^step:\d+/\d+ (?:train|val)_loss:")
LINE = re.compile(r"^step:(\d{1,15})/(\d{1,15}) (\S.*)$")
ASSIGNED = re.compile(r"^    (\w+)\s*(?::\s*(?:int|float))?\s*=\s*([^#]+)")
TIMES = ("train_time", "step_avg")
HYPERPARAMETERS = {
    "learning_rate": schema.BASE_LR,
    "batch_size": schema.BATCH_SIZE,
    "num_iterations": schema.MAX_TRAIN_STEPS,
    "warmup_iters": schema.WARMUP_STEPS,
    "warmdown_iters": "warmdown_steps",
    "weight_decay": "weight_decay",
}
OPERATIONS = {ast.Mult: operator.mul, ast.Div: operator.truediv, ast.Add: operator.add, ast.Sub: operator.sub}
MAX_EXPRESSION = 80  # ours: characters


def recognises(path: Path, head: bytes) -> bool:
    """Returns whether the text has a line of a step."""
    return holds(path, head, MARK)


def read(path: Path, column_map: Mapping[str, str] | None = None) -> tuple[Run, ...]:
    """Reads the run of a file.

    Raises:
        RunLogError: There is no loss.
    """
    rows, record = GatheredRows(path.name), name_run(path, NAME)
    for line in read_lines(path):
        if match := LINE.match(line):
            rows.add({schema.STEP: int(match[1]), **_read_pairs(match[3])})
            record[schema.MAX_TRAIN_STEPS] = int(match[2])
        elif not rows.num_rows and (match := ASSIGNED.match(line)) and match[1] in HYPERPARAMETERS:
            name = HYPERPARAMETERS[match[1]]
            value = evaluate(match[2])
            record = keep_fitting({name: value}) | record
    if not rows.num_rows:
        raise RunLogError(f"{path.name} has no whole line of a step. Give the whole log of the run")
    return (build_gathered_run(rows, path, Reading(record), column_map),)


def _read_pairs(text: str) -> dict[str, object]:
    pairs = {}
    for name, _, value in (word.partition(":") for word in text.split()):
        if name not in TIMES and to_number(value) is not None:
            pairs[name] = to_number(value)
        if name == "train_time" and value.endswith("ms") and (time := to_number(value[:-2])) is not None:
            pairs[schema.ELAPSED_SECONDS] = time / 1000
    return pairs


def evaluate(text: str) -> float | None:
    """Returns the value of arithmetic on numbers, None for anything else.

    >>> evaluate("int(0.75*2*100) "), evaluate("0.0036 / 2"), evaluate("open('x')")
    (150.0, 0.0018, None)
    """
    if len(text) > MAX_EXPRESSION:
        return None
    try:
        value = _value_of(ast.parse(text.strip(), mode="eval").body)
        return value if abs(value) < float("inf") else None
    except (SyntaxError, ValueError, ArithmeticError, RecursionError, MemoryError):
        return None


def _value_of(node: ast.expr) -> float:
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return float(node.value)
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATIONS:
        return OPERATIONS[type(node.op)](_value_of(node.left), _value_of(node.right))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "int" and len(node.args) == 1:
        return float(int(_value_of(node.args[0])))
    raise ValueError("no arithmetic on numbers")
