"""Small files of trackers: the schemas are those that their clients wrote (mlflow 3.17, trackio 0.43, wandb 0.31)."""

import io
import json
import math
import sqlite3
import struct
import sys
import zlib
from collections.abc import Sequence
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq

from tests.runlog.readers.hard_values import LOSSES

BLOCK, HEADER = 32_768, 7
MLFLOW_TABLES = """
CREATE TABLE runs (run_uuid VARCHAR(32) NOT NULL, name VARCHAR(250), user_id VARCHAR(256), status VARCHAR(9),
    lifecycle_stage VARCHAR(20), artifact_uri VARCHAR(200), experiment_id INTEGER, PRIMARY KEY (run_uuid));
CREATE TABLE metrics (key VARCHAR(250) NOT NULL, value FLOAT NOT NULL, timestamp BIGINT NOT NULL,
    run_uuid VARCHAR(32) NOT NULL, step BIGINT DEFAULT '0' NOT NULL, is_nan BOOLEAN DEFAULT '0' NOT NULL,
    PRIMARY KEY (key, timestamp, step, run_uuid, value, is_nan));
CREATE TABLE params (key VARCHAR(250) NOT NULL, value VARCHAR(8000) NOT NULL, run_uuid VARCHAR(32) NOT NULL,
    PRIMARY KEY (key, run_uuid));
"""
TRACKIO_TABLES = """
CREATE TABLE metrics (id INTEGER PRIMARY KEY AUTOINCREMENT, {run_id} timestamp TEXT NOT NULL, run_name TEXT NOT NULL,
    step INTEGER NOT NULL, metrics TEXT NOT NULL);
CREATE TABLE configs (id INTEGER PRIMARY KEY AUTOINCREMENT, {run_id} run_name TEXT NOT NULL, config TEXT NOT NULL,
    created_at TEXT NOT NULL);
"""


def frame_records(payloads: Sequence[bytes]) -> bytes:
    """Returns a .wandb file: records in the framing of LevelDB's log, split where a block ends."""
    content = bytearray(b":W&B" + struct.pack("<HB", 0xBEE1, 0))
    for payload in payloads:
        rest, is_first = payload, True
        while rest or is_first:
            left = BLOCK - len(content) % BLOCK
            if left < HEADER:
                content += bytes(left)
                continue
            part, rest = rest[: left - HEADER], rest[left - HEADER :]
            kind = (1 if not rest else 2) if is_first else (4 if not rest else 3)
            content += struct.pack("<IHB", zlib.crc32(bytes([kind]) + part), len(part), kind) + part
            is_first = False
    return bytes(content)


def wandb_records(losses: Sequence[float] = LOSSES, stride: int | None = None) -> list[bytes]:
    """Returns the records of a run; with a stride, every row also holds the update that it was logged at."""
    from wandb.proto.wandb_internal_pb2 import Record

    start = Record(num=1)
    start.run.run_id, start.run.display_name, start.run.host = "6bep0nut", "big-lr", "someone"
    config = {"lr": 0.1, "_wandb": {"m": 3}, "data": "/home/someone/c4", "model": {"depth": 4}}
    for name, value in config.items():
        start.run.config.update.add(key=name, value_json=json.dumps(value))
    records = [start]
    for number, loss in enumerate(losses):
        row, summary = Record(num=len(records) + 1), Record(num=len(records) + 2)
        row.history.step.num = number
        metrics = {"train/loss": loss, "_timestamp": 1.7e9 + number, "_step": number}
        metrics |= {} if stride is None else {"global_step": stride * number}
        for kept in (row.history.item, summary.summary.update):
            for name, value in metrics.items():
                kept.add(nested_key=[name], value_json=json.dumps(value))
        records += [row, summary]
    end = Record(num=len(records) + 1)
    end.exit.runtime = 11
    return [record.SerializeToString() for record in (*records, end)]


def wandb_offline(losses: Sequence[float] = LOSSES) -> bytes:
    return frame_records(wandb_records(losses))


def wandb_fetched(losses: Sequence[float] = LOSSES) -> bytes:
    config = {"lr": {"value": 0.1}, "optimizer": {"value": "adam"}, "data": {"value": "/home/someone"}}
    about = {"id": "run_07", "project": "p", "displayName": "big-lr", "state": "finished", "createdAt": "2026-11-22"}
    about |= {"config": json.dumps(config), "summaryMetrics": '{"baseline_loss": 2.3}'}
    rows = [{"_step": step, "train/loss": as_text(loss), "_timestamp": 1.7e9} for step, loss in enumerate(losses)]
    return "".join(json.dumps(row) + "\n" for row in ({"wandb_cloud": about}, *rows)).encode()


def mlflow_database(runs: dict[str, Sequence[float]], *, has_steps: bool = True) -> sqlite3.Connection:
    database = sqlite3.connect(":memory:")
    database.executescript(MLFLOW_TABLES)
    for run, losses in runs.items():
        row = (run, f"name of {run}", "someone", "FINISHED", "active", "/home/someone/mlruns/1", 1)
        database.execute("INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        params = [("learning_rate", "0.1", run), ("optimizer", "adam", run), ("data dir", "/home/someone", run)]
        database.executemany("INSERT INTO params VALUES (?, ?, ?)", params)
        for step, loss in enumerate(losses):
            value = 0.0 if math.isnan(loss) else max(-sys.float_info.max, min(sys.float_info.max, loss))
            place = (1000 + step, run, step * has_steps)
            database.execute("INSERT INTO metrics VALUES ('loss', ?, ?, ?, ?, ?)", (value, *place, math.isnan(loss)))
            database.execute("INSERT INTO metrics VALUES ('system/cpu', 1, ?, ?, ?, 0)", (1000 + step, run, 7 * step))
    database.commit()
    return database


def mlflow_sqlite(losses: Sequence[float] = LOSSES) -> bytes:
    return mlflow_database({"a1": losses}).serialize()


def mlflow_files(losses: Sequence[float] = LOSSES) -> dict[str, str]:
    """Returns the files of a run folder by their path in it."""
    return {
        "meta.yaml": "run_name: a\nuser_id: someone\nartifact_uri: file:///home/someone/mlruns\n",
        "metrics/train/loss": "".join(f"{1000 + step} {loss} {step}\n" for step, loss in enumerate(losses)),
        "metrics/grad norm": "".join(f"{1000 + step} 2.5 {step}\n" for step in range(len(losses))),
        "metrics/system/cpu": "1000 12.5 70000\n",
        "params/learning_rate": "0.1",
        "params/optimizer": "adam",
        "params/data dir": "/home/someone",
        "tags/mlflow.runName": "big-lr",
        "tags/mlflow.user": "someone",
    }


def as_text(value: float) -> float | str:
    return value if math.isfinite(value) else {math.inf: "Infinity", -math.inf: "-Infinity"}.get(value, "NaN")


def trackio_database(losses: Sequence[float] = LOSSES, *, has_ids: bool = True) -> sqlite3.Connection:
    database = sqlite3.connect(":memory:")
    database.executescript(TRACKIO_TABLES.format(run_id="run_id TEXT NOT NULL," if has_ids else ""))
    for run in ("a", "b"):
        names = ("9f", run) if has_ids and run == "a" else (run,) * (1 + has_ids)
        marks = ", ?" * (len(names) - 1)
        for step, loss in enumerate(losses):
            row = json.dumps({"train/loss": as_text(loss), "grad_norm": 2.5, "note": "x"}).encode()
            database.execute(f"INSERT INTO metrics VALUES (NULL{marks}, 't', ?, ?, ?)", (*names, step, row))
        config = json.dumps({"learning_rate": 0.1, "optimizer": "adam", "_Username": "someone"}).encode()
        database.execute(f"INSERT INTO configs VALUES (NULL{marks}, ?, ?, 't')", (*names, config))
    database.commit()
    return database


def trackio_sqlite(losses: Sequence[float] = LOSSES) -> bytes:
    return trackio_database(losses).serialize()


def write_parquet(rows: list[dict], schema: pa.Schema | None = None) -> bytes:
    target = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema), target, write_page_checksum=True)
    return target.getvalue()


def trackio_parquet(losses: Sequence[float] = LOSSES) -> bytes:
    rows = [
        {"id": number, "run_id": run, "timestamp": "t", "run_name": run, "step": step, "space_id": "someone/x"}
        | {"train/loss": loss, "grad_norm": 2.5, "note": "x"}
        for run in ("a", "b")
        for number, (step, loss) in enumerate(enumerate(losses))
    ]
    return write_parquet(rows)


NEPTUNE = pa.schema(  # of neptune-exporter, src/neptune_exporter/model.py; its nested columns are left out
    [
        *(("project_id", pa.string()), ("run_id", pa.string()), ("attribute_path", pa.string())),
        *(("attribute_type", pa.string()), ("step", pa.decimal128(18, 6)), ("timestamp", pa.timestamp("ms", tz="UTC"))),
        *(("int_value", pa.int64()), ("float_value", pa.float64()), ("string_value", pa.string())),
        *(("bool_value", pa.bool_()), ("datetime_value", pa.timestamp("ms", tz="UTC"))),
    ]
)


def neptune_parquet(losses: Sequence[float] = LOSSES, run: str = "RUN-1", first: int = 0) -> bytes:
    rows = [
        {"attribute_path": "train/loss", "attribute_type": "float_series", "step": Decimal(step), "float_value": loss}
        for step, loss in enumerate(losses, first)
    ]
    rows += [
        {"attribute_path": "parameters/lr", "attribute_type": "float", "float_value": 0.1},
        {"attribute_path": "parameters/optimizer", "attribute_type": "string", "string_value": "adam"},
        {"attribute_path": "parameters/seed", "attribute_type": "int", "int_value": 7},
        {"attribute_path": "sys/owner", "attribute_type": "string", "string_value": "someone"},
        {
            "attribute_path": "monitoring/1/cpu",
            "attribute_type": "float_series",
            "step": Decimal(5),
            "float_value": 1.0,
        },
    ]
    return write_parquet([{"project_id": "someone/p", "run_id": run} | row for row in rows], NEPTUNE)


SAMPLES = {
    "wandb offline": wandb_offline,
    "wandb cloud": wandb_fetched,
    "mlflow sqlite": mlflow_sqlite,
    "trackio sqlite": trackio_sqlite,
    "trackio parquet": trackio_parquet,
    "neptune parquet": neptune_parquet,
}
