"""A watch around an optimizer: what it logs, and that the loop trains as without it."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from analysis.runlog import RunWriter, read_study, schema
from runners.attach import describe_optimizer, watch
from runners.guard import StoppedAtRise, watch_for_rises
from runners.plan import MemoryWriter
from tests.runners.loops import BATCHES, CLIP, column, expected_rows, flat, make_loop, squared_output, watched_rows


@pytest.mark.parametrize("make_optimizer", [torch.optim.SGD, torch.optim.AdamW, torch.optim.Adagrad])
def test_a_loop_that_clips_is_logged_before_clipping_and_trains_as_without_the_watch(make_optimizer):
    expected, theta = expected_rows(make_optimizer=make_optimizer)
    model, optimizer, batches = make_loop(make_optimizer=make_optimizer)
    log = MemoryWriter()
    with watch(optimizer, log) as watched:
        for batch in batches:
            loss = squared_output(model, batch)
            watched.loss(loss)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), CLIP)
            optimizer.step()
    np.testing.assert_allclose(watched_rows(log), expected, rtol=1e-4)
    assert min(column(log, schema.GRAD_NORM)) > CLIP
    assert column(log, schema.STEP) == list(range(BATCHES))
    assert torch.equal(flat(model.parameters()), theta)


def test_a_loop_left_at_a_loss_that_is_not_finite_has_that_step_as_its_last_row_without_an_update(tmp_path):
    model, optimizer, batches = make_loop(lr=1e4)
    with RunWriter("left", store=tmp_path, **describe_optimizer(optimizer)) as log, watch(optimizer, log) as watched:
        for batch in batches * 3:
            loss = squared_output(model, batch)
            watched.loss(loss)
            if not loss.isfinite():
                break
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    (run,) = read_study("left", tmp_path)
    steps, losses = run.series(schema.TRAIN_LOSS)
    assert not math.isfinite(losses[-1])
    assert np.isfinite(losses[:-1]).all()
    assert run.series(schema.UPDATE_NORM)[0][-1] == steps[-2]
    assert run.record[schema.BASE_LR] == 1e4


def take_steps(model, optimizer, batches, watched):
    for batch in batches:
        loss = squared_output(model, batch)
        watched.loss(loss)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def train_under_guard(store, loop):
    model, optimizer, batches = loop
    with RunWriter("stopped", store=store) as writer:
        guarded = watch_for_rises(writer, "stop", planned_steps=60)
        with watch(optimizer, guarded) as watched:
            take_steps(model, optimizer, batches * 10, watched)


def test_the_guard_stops_the_loop_from_within_its_step(tmp_path):
    with pytest.raises(StoppedAtRise):
        train_under_guard(tmp_path, make_loop(lr=30.0))
    (run,) = read_study("stopped", tmp_path)
    assert run.record[schema.STATUS] in ("stopped", "diverged")
    assert 0 < run.steps.num_rows < 60


class Output:
    """What models of some libraries return."""

    def __init__(self, loss):
        self.loss = loss


class ModelWithLoss(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, batch):
        return Output(squared_output(self.model, batch))


@pytest.mark.parametrize("is_criterion", [True, False])
def test_the_loss_is_taken_from_a_module_where_one_is_named_and_not_in_evaluation(is_criterion):
    expected, _ = expected_rows()
    model, optimizer, batches = make_loop()
    criterion, with_loss = nn.MSELoss(), ModelWithLoss(model)
    log = MemoryWriter()
    with watch(optimizer, log, loss_from=criterion if is_criterion else with_loss):
        for batch in batches:
            outputs = model(batch)
            loss = criterion(outputs, torch.zeros_like(outputs)) if is_criterion else with_loss(batch).loss
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), CLIP)
            optimizer.step()
            with torch.no_grad():
                criterion(model(batch), torch.ones(5, 1))
                with_loss(batch)
    np.testing.assert_allclose(watched_rows(log), expected, rtol=1e-4)


def test_further_columns_and_a_first_step_go_into_the_row_and_nothing_is_written_after_the_block():
    model, optimizer, batches = make_loop()
    log = MemoryWriter()
    with watch(optimizer, log, first_step=40) as watched:
        for batch in batches[:2]:
            loss = squared_output(model, batch)
            watched.loss(loss)
            loss.backward()
            watched.add(eval_loss=7.0) if watched.step == 41 else None
            optimizer.step()
    squared_output(model, batches[0]).backward()
    optimizer.step()
    assert column(log, schema.STEP) == [40, 41]
    assert [row.get(schema.EVAL_LOSS) for row in log.rows] == [None, 7.0]


def test_the_record_tells_the_rule_and_the_rate_before_the_scheduler():
    model, _, _ = make_loop()
    adam = torch.optim.AdamW(model.parameters(), lr=3e-4, betas=(0.9, 0.95), weight_decay=0.1)
    torch.optim.lr_scheduler.LambdaLR(adam, lambda step: step / 100)
    fields = {"optimizer": "adamw", "base_lr": 3e-4, "weight_decay": 0.1, "eps": 1e-8, "beta1": 0.9, "beta2": 0.95}
    assert describe_optimizer(adam) == fields
    nesterov = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.8, nesterov=True)
    assert describe_optimizer(nesterov) == {"optimizer": "nesterov", "base_lr": 0.1, "gamma": 0.8}
