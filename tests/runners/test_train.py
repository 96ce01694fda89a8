import copy
import json
import math
import subprocess
import sys

import pytest
import torch

from analysis.runlog import RunLogError, schema
from runners.config import RunConfig, config_from_record
from runners.plan import MemoryWriter
from runners.train import measure_initial_loss, train
from runners.workloads import make_workload


def run(workload="mlp", optimizer="momentum", base_lr=0.01, max_train_steps=12, **options):
    writer = MemoryWriter()
    train(RunConfig(workload, optimizer, base_lr, max_train_steps, **options), writer)
    return writer


def without_time(rows):
    return [{name: value for name, value in row.items() if name != schema.ELAPSED_SECONDS} for row in rows]


def test_the_diverging_step_is_the_last_row_and_has_no_update():
    writer = run(optimizer="sgd", base_lr=1.0, max_train_steps=100)
    *before, last = writer.rows
    assert writer.record[schema.STATUS] == "diverged"
    assert not (math.isfinite(last[schema.TRAIN_LOSS]) and math.isfinite(last[schema.GRAD_NORM]))
    assert schema.UPDATE_NORM not in last
    assert last[schema.LR] == 1.0
    assert all(math.isfinite(row[schema.TRAIN_LOSS]) and schema.UPDATE_NORM in row for row in before)
    assert [row[schema.STEP] for row in writer.rows] == list(range(len(writer.rows)))


def test_row_t_holds_loss_gradient_and_evaluation_at_theta_t_and_the_update_that_follows():
    rows = run(clip_threshold=1.0, schedule="cosine", warmup_steps=3).rows
    torch.manual_seed(0)
    workload = make_workload("mlp", {})
    model, batches = workload.make_model(), workload.batches(0)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0, momentum=0.9)
    for row, (inputs, targets) in zip(rows, batches, strict=False):
        optimizer.zero_grad()
        loss = workload.loss(model(inputs), targets)
        loss.backward()
        assert row[schema.TRAIN_LOSS] == pytest.approx(loss.item(), rel=1e-5)
        if schema.EVAL_LOSS in row:
            assert row[schema.EVAL_LOSS] == pytest.approx(workload.evaluate(model)[schema.EVAL_LOSS], rel=1e-5)
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        assert row[schema.GRAD_NORM] == pytest.approx(norm.item(), rel=1e-5)
        before = torch.cat([parameter.detach().reshape(-1).clone() for parameter in model.parameters()])
        optimizer.param_groups[0]["lr"] = row[schema.LR]
        optimizer.step()
        after = torch.cat([parameter.detach().reshape(-1) for parameter in model.parameters()])
        assert row[schema.UPDATE_NORM] == pytest.approx((after - before).norm().item(), rel=1e-3)
    assert [row[schema.LR] for row in rows[:4]] == pytest.approx([0, 0.01 / 3, 0.02 / 3, 0.01])
    assert len(rows) == 12 + 3


def test_evaluation_comes_ten_times_a_run_and_at_the_end():
    rows = run(max_train_steps=25).rows
    assert [row[schema.STEP] for row in rows if schema.EVAL_LOSS in row] == [*range(0, 25, 2)]
    rows = run(max_train_steps=28).rows
    assert [row[schema.STEP] for row in rows if schema.EVAL_ERROR in row] == [*range(0, 28, 2), 27]


def test_facts_before_step_0_are_those_of_the_first_batches():
    record = run().record
    torch.manual_seed(0)
    workload = make_workload("mlp", {})
    model, batches = workload.make_model(), workload.batches(0)
    losses = [workload.loss(model(x), y).item() for x, y in (next(batches) for _ in range(8))]
    assert record[schema.INIT_LOSS_MEAN] == pytest.approx(sum(losses) / 8)
    assert record[schema.INIT_LOSS_SD] == pytest.approx(torch.tensor(losses).std().item(), rel=1e-4)
    assert record[schema.BASELINE_LOSS] == workload.baseline_loss
    assert record[schema.BATCH_SIZE] == 64


def test_measuring_the_initial_loss_leaves_model_and_random_numbers_alone():
    workload = make_workload("stride_resnet", {})
    torch.manual_seed(0)
    model = workload.make_model().train()
    weights, random = copy.deepcopy(model.state_dict()), torch.random.get_rng_state()
    measure_initial_loss(model, workload, seed=0)
    assert torch.equal(torch.random.get_rng_state(), random)
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize(("workload", "steps"), [("mlp", 60), ("stride_resnet", 8)])
def test_a_rerun_in_another_process_is_equal_bit_for_bit(workload, steps):
    code = (
        "import json; from tests.runners.test_train import run, without_time;"
        f"print(json.dumps(without_time(run({workload!r}, base_lr=0.1, max_train_steps={steps}).rows)))"
    )
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    rows = without_time(run(workload, base_lr=0.1, max_train_steps=steps).rows)
    assert json.loads(other.stdout) == rows


def test_an_interrupted_run_keeps_the_row_of_its_last_step():
    writer = MemoryWriter()

    def interrupt(step):
        if step == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(RunConfig("mlp", "adam", 0.001, 50), writer, interrupt)
    assert [row[schema.STEP] for row in writer.rows] == [0, 1, 2, 3, 4]
    assert schema.STATUS not in writer.record


def test_batches_that_end_early_are_refused():
    with pytest.raises(RunLogError, match="gave 5 batches, 12 are needed"):
        run("tests.runners.own_workload:tiny", "sgd", variant={"num_batches": 5})


def test_a_record_gives_back_its_configuration():
    config = RunConfig(
        "mlp",
        "adam",
        0.003,
        70,
        variant={"norm": "layer", "batch_size": "32"},
        optimizer_options={"beta2": "0.95"},
        schedule="cosine",
        warmup_steps=5,
        clip_threshold=2.0,
        seed=3,
    )
    record = json.loads(json.dumps(config.to_record()))
    assert config_from_record(record) == config
    assert config_from_record(record).key == config.key
    assert config_from_record({**record, schema.SEED: 4}).key != config.key


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"base_lr": -1.0}, "base_lr is -1.0. Give a positive number"),
        ({"base_lr": math.nan}, "base_lr is nan"),
        ({"clip_threshold": 0.0}, "clip_threshold is 0.0"),
        ({"max_train_steps": 0}, "max_train_steps is 0"),
        ({"warmup_steps": -1}, "warmup_steps is -1"),
        ({"optimizer": "lion"}, "no optimizer 'lion'"),
        ({"optimizer_options": {"beta1": 0.5}}, "optimizer momentum has no option 'beta1'. It has gamma"),
        ({"schedule": "step"}, "no schedule 'step'"),
    ],
)
def test_a_configuration_that_cannot_be_trained_is_refused(options, message):
    with pytest.raises(RunLogError, match=message):
        RunConfig(**{"workload": "mlp", "optimizer": "momentum", "base_lr": 0.1, "max_train_steps": 10} | options)
