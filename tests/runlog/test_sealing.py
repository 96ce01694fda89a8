"""A sealed file is read as it was written, or refused in one line."""

import math
import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analysis.runlog import RunLogError, RunWriter, layout, read_paths, read_study, schema, sealing, store


def seal_run(folder, num_steps=200):
    with RunWriter("s", store=folder, run_id="a", base_lr=0.1, workload="mlp") as log:
        for step in range(num_steps):
            log.step(
                step, train_loss=math.nan if step == 50 else 1 / (step + 1), lr=0.1, eval_loss=None if step % 9 else 2
            )
    return log.folder / layout.SEALED_FILE


def test_five_hundred_flipped_bits_are_refused_or_change_nothing(tmp_path):
    path = seal_run(tmp_path)
    content = path.read_bytes()
    written = store.read_sealed_run(path)
    draw = random.Random(0)
    num_refused = 0
    for _ in range(500):
        bit = draw.randrange(8 * len(content))
        flipped = bytearray(content)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        try:
            run = store.read_sealed_run(path)
        except RunLogError:
            num_refused += 1
        else:
            assert (sealing.checksum(run.steps), run.record) == (sealing.checksum(written.steps), written.record)
    assert num_refused > 300


@pytest.mark.parametrize("size", [0, 3, 4, 100, -100, -8, -1])
def test_a_cut_sealed_file_is_refused_in_one_line(tmp_path, size):
    path = seal_run(tmp_path)
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(RunLogError, match=r"cannot be read as Parquet .* Restore it from a copy") as caught:
        sealing.read_sealed(path)
    assert "\n" not in str(caught.value)


def test_a_damaged_run_is_listed_as_skipped_and_the_others_are_read(tmp_path):
    with RunWriter("s", store=tmp_path, run_id="b") as log:
        log.step(0, train_loss=1.0)
    path = seal_run(tmp_path)
    path.write_bytes(path.read_bytes()[:-1])
    study = read_study("s", tmp_path)
    assert [run.run_id for run in study] == ["b"]
    assert [(entry.path, "cannot be read" in entry.reason) for entry in study.skipped] == [(str(path.parent), True)]


def test_values_are_float64_and_pages_carry_checksums(tmp_path):
    path = seal_run(tmp_path)
    table = pq.ParquetFile(path, page_checksum_verification=True).read()
    assert [field.type for field in table.schema] == [pa.int64()] + [pa.float64()] * 3
    page = pq.read_metadata(path).row_group(0).column(1)
    broken = bytearray(path.read_bytes())
    broken[page.data_page_offset + page.total_compressed_size - 1] ^= 1
    path.write_bytes(broken)
    with pytest.raises(OSError, match="CRC checksum"):
        pq.ParquetFile(path, page_checksum_verification=True).read()
    with pytest.raises(RunLogError, match="cannot be read as Parquet"):
        sealing.read_sealed(path)


def test_a_foreign_parquet_file_with_a_record_is_a_run_of_our_schema(tmp_path):
    table = pa.table({schema.STEP: [0, 1, 2], schema.TRAIN_LOSS: pa.array([1.0, math.nan, None], pa.float32())})
    record = b'{"run_id": "x", "base_lr": 0.5, "init_loss_sd": NaN}'
    pq.write_table(table.replace_schema_metadata({sealing.RECORD_KEY: record}), tmp_path / "file.parquet")
    run = read_paths([tmp_path / "file.parquet"]).runs[0]
    assert (run.run_id, run.base_lr, run.log.non_finite) == ("x", 0.5, "kept")
    assert math.isnan(run.record[schema.INIT_LOSS_SD])
    steps, losses = run.loss
    assert steps.tolist() == [0, 1]
    assert losses[0] == 1.0
    assert math.isnan(losses[1])


def test_a_record_that_is_no_json_is_refused_in_one_line(tmp_path):
    table = pa.table({schema.STEP: [0], schema.TRAIN_LOSS: [1.0]})
    pq.write_table(table.replace_schema_metadata({sealing.RECORD_KEY: b"{nope"}), tmp_path / "file.parquet")
    with pytest.raises(RunLogError, match=r"file.parquet has no JSON record under steadystep.run"):
        read_paths([tmp_path / "file.parquet"])
