import math
from itertools import islice

import pytest
import torch

from analysis.runlog import RunLogError
from runners.config import RunConfig
from runners.plan import MemoryWriter
from runners.train import train
from runners.workloads import make_workload, read_variant


def count_parameters(name, **variant):
    return sum(parameter.numel() for parameter in make_workload(name, variant).make_model().parameters())


def test_networks_have_the_sizes_of_their_descriptions():
    assert count_parameters("mlp") == 17_290
    assert count_parameters("mlp", norm="layer") == 17_290 + 3 * 2 * 64
    assert count_parameters("stride_resnet", stride="2x2") == 19_714
    # The final map is 8x8 instead of 4x4: 25 window positions instead of one.
    assert count_parameters("stride_resnet", stride="1x1") == 19_714 + 24 * 32 * 10


def test_training_loss_peaks_at_once_with_stride_1x1_at_0_3_and_not_with_2x2():
    for seed in range(3):
        peaks = {}
        for stride in ("1x1", "2x2"):
            writer = MemoryWriter()
            config = RunConfig("stride_resnet", "momentum", 0.3, 10, variant={"stride": stride}, seed=seed)
            train(config, writer)
            losses = [row["train_loss"] for row in writer.rows]
            peaks[stride] = max(losses) / losses[0]
        assert peaks["1x1"] > 1.8
        assert peaks["2x2"] < 1.05


def test_baseline_is_the_entropy_of_the_labels():
    workload = make_workload("mlp", {})
    assert workload.baseline_loss == pytest.approx(math.log(10), abs=1e-3)
    smoothed = make_workload("mlp", {"label_smoothing": 0.5})
    assert workload.baseline_loss < smoothed.baseline_loss <= math.log(10)


def test_a_seed_gives_the_same_batches_and_another_seed_others():
    workload = make_workload("mlp", {})
    first, again, other = (next(workload.batches(seed))[0] for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_bad_batch_corrupts_its_step_and_no_other():
    good, bad = (make_workload("mlp", {"bad_batch": step}).batches(0) for step in (0, 3))
    for step, ((images, labels), (bad_images, bad_labels)) in enumerate(islice(zip(good, bad, strict=False), 6)):
        assert torch.equal(bad_images, images * 3 if step == 3 else images)
        assert torch.equal(bad_labels, labels) is (step != 3)


def test_images_are_standardised_and_split_without_overlap():
    from runners.workloads import digits

    data = digits.load(8)
    assert (len(data.images), len(data.eval_images)) == (1437, 360)
    images = torch.cat([data.images, data.eval_images])
    assert images.mean().item() == pytest.approx(0, abs=1e-5)
    assert images.std().item() == pytest.approx(1, abs=1e-4)


def test_variant_text_becomes_values_and_defaults_fill_the_rest():
    assert read_variant("mlp", {"depth": "5", "norm": "layer"}) == {
        "depth": 5,
        "width": 64,
        "norm": "layer",
        "label_smoothing": 0.0,
        "bad_batch": 0,
        "batch_size": 64,
    }


@pytest.mark.parametrize(
    ("name", "variant", "message"),
    [
        ("stride_resnet", {"stride": "3x3"}, "stride=3x3 is not allowed. Take stride=2x2 or 1x1"),
        ("stride_resnet", {"strides": "1x1"}, "has no option 'strides'. It has stride, batch_size"),
        ("mlp", {"depth": "deep"}, "depth=deep is not a whole number"),
        ("resnet50", {}, "no workload 'resnet50'. Take mlp or stride_resnet"),
        ("no_such_package.models:make", {}, "No module named 'no_such_package'"),
        ("tests.runners.own_workload:gone", {}, "has no function gone"),
        ("tests.runners.own_workload:not_a_workload", {}, "returned str"),
    ],
)
def test_what_cannot_be_trained_is_refused_in_one_line(name, variant, message):
    with pytest.raises(RunLogError, match=message) as caught:
        make_workload(name, variant)
    assert "\n" not in str(caught.value)
