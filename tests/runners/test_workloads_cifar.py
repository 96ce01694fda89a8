import numpy as np
import pytest

from analysis.runlog import RunLogError, schema
from runners.config import RunConfig
from runners.plan import MemoryWriter
from runners.train import train
from runners.workloads import cifar10, make_workload


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder in the layout of CIFAR-10's binary version, with 12 images a file."""
    rng = np.random.default_rng(0)
    for name in (*cifar10.TRAIN_FILES, cifar10.EVAL_FILE):
        records = rng.integers(0, 256, (12, cifar10.RECORD), np.uint8)
        records[:, 0] = rng.integers(0, 10, 12)
        records.tofile(tmp_path / name)
    monkeypatch.setenv(cifar10.FOLDER_VARIABLE, str(tmp_path))
    return tmp_path


def test_images_and_labels_are_read_in_the_order_of_the_files(folder):
    data = cifar10.load(folder)
    assert data.images.shape == (60, 3, 32, 32)
    records = np.fromfile(folder / "data_batch_2.bin", np.uint8).reshape(12, -1)
    assert data.labels[12:24].tolist() == records[:, 0].tolist()
    assert data.images[12].flatten().tolist() == records[0, 1:].tolist()
    red = np.fromfile(folder / "test_batch.bin", np.uint8)[1]
    assert data.eval_images[0, 0, 0, 0].item() == pytest.approx((red / 255 - 0.4914) / 0.247, rel=1e-4)


def test_the_head_of_the_unstable_network_has_81_times_the_inputs(folder):
    heads = [make_workload("cifar_wrn", {"stride": stride}).make_model().head for stride in ("2x2", "1x1")]
    assert [head.in_features for head in heads] == [128, 81 * 128]


def test_it_trains_from_the_folder_that_the_variable_names(folder):
    writer = MemoryWriter()
    variant = {"stride": "1x1", "batch_size": 2}
    assert train(RunConfig("cifar_wrn", "momentum", 0.01, 2, variant=variant), writer) == "finished"
    assert writer.rows[1][schema.TRAIN_LOSS] > 0
    assert writer.record[schema.BASELINE_LOSS] < np.log(10)


def test_without_the_data_one_line_says_where_it_comes_from(tmp_path, monkeypatch):
    monkeypatch.setenv(cifar10.FOLDER_VARIABLE, str(tmp_path / "nowhere"))
    with pytest.raises(RunLogError, match=r"data_batch_1\.bin cannot be read .* set STEADYSTEP_CIFAR10 to its folder$"):
        make_workload("cifar_wrn", {})


@pytest.mark.parametrize("content", [b"", b"0" * cifar10.RECORD, bytes(cifar10.RECORD - 1)])
def test_a_file_that_holds_no_images_is_refused(folder, content):
    (folder / cifar10.EVAL_FILE).write_bytes(content)
    with pytest.raises(RunLogError, match=f"test_batch.bin holds {len(content):,} bytes that are no images"):
        make_workload("cifar_wrn", {})
