"""Small files of nobody's format in particular: tables, an archive of them, text that a pattern reads."""

import io
import zipfile
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from tests.runlog.readers.hard_values import LOSSES

PATTERN = r"at (?P<step>[^:]*): loss=(?P<train_loss>[^,]*)"  # reads own_text


def csv(losses: Sequence[float] = LOSSES) -> bytes:
    return "".join(["step,loss,lr\n", *(f"{step},{loss},0.1\n" for step, loss in enumerate(losses))]).encode()


def parquet(losses: Sequence[float] = LOSSES) -> bytes:
    packed = io.BytesIO()
    pq.write_table(pa.table({"step": list(range(len(losses))), "loss": pa.array(losses, from_pandas=False)}), packed)
    return packed.getvalue()


def zipped(losses: Sequence[float] = LOSSES) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for folder in ("a", "b"):
            archive.writestr(f"{folder}/run.csv", csv(losses))
    return packed.getvalue()


def own_text(losses: Sequence[float] = LOSSES) -> bytes:
    return "".join(f"at {step}: loss={loss}, fine\n" for step, loss in enumerate(losses)).encode()


SAMPLES = {"csv": csv, "parquet": parquet, "zip": zipped, "pattern text": own_text}
