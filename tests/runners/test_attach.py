import math

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from torch import nn
from torch.utils.checkpoint import checkpoint

from analysis.runlog import RunLogError, RunWriter, read_study, schema
from runners.attach import describe_optimizer, watch
from runners.guard import StoppedAtRise, watch_for_rises
from runners.plan import MemoryWriter
from runners.step_rows import LOSS_SCALE, SKIPPED

BATCHES = 6
CLIP = 0.05


def make_loop(lr=0.1, make_optimizer=torch.optim.SGD, **options):
    """Returns model, optimizer and batches of a small regression, the same each time."""
    generator = torch.Generator().manual_seed(1)
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
    for parameter in model.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator)
    batches = [torch.randn(5, 4, generator=generator) for _ in range(BATCHES)]
    return model, make_optimizer(model.parameters(), lr=lr, **options), batches


def squared_output(model, batch):
    return model(batch).square().mean()


def flat(tensors):
    return torch.cat([tensor.detach().reshape(-1) for tensor in tensors]).double()


def column(log, name):
    return [row[name] for row in log.rows]


def expected_rows(accumulate=1, **options):
    """Trains without a watch, and measures by hand."""
    model, optimizer, batches = make_loop(**options)
    rows = []
    for step in range(BATCHES // accumulate):
        optimizer.zero_grad()
        losses = [squared_output(model, batch) for batch in batches[accumulate * step : accumulate * (step + 1)]]
        (sum(losses) / accumulate).backward()
        norm = flat(parameter.grad for parameter in model.parameters()).norm().item()
        nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        before, lr = flat(model.parameters()), optimizer.param_groups[0]["lr"]
        optimizer.step()
        rows.append((sum(losses).item() / accumulate, norm, (flat(model.parameters()) - before).norm().item(), lr))
    return np.array(rows), flat(model.parameters())


def watched_rows(log):
    names = (schema.TRAIN_LOSS, schema.GRAD_NORM, schema.UPDATE_NORM, schema.LR)
    return np.array([[row[name] for name in names] for row in log.rows])


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


def test_accumulated_micro_batches_are_one_row_with_the_norm_of_their_sum():
    expected, theta = expected_rows(accumulate=3)
    model, optimizer, batches = make_loop()
    log = MemoryWriter()
    with watch(optimizer, log) as watched:
        for i, batch in enumerate(batches):
            loss = squared_output(model, batch)
            watched.loss(loss)
            loss /= 3  # in place: the watch keeps the value that it was given
            loss.backward()
            if i % 3 == 2:
                nn.utils.clip_grad_norm_(model.parameters(), CLIP)
                optimizer.step()
                optimizer.zero_grad()
    np.testing.assert_allclose(watched_rows(log), expected, rtol=1e-4)
    torch.testing.assert_close(flat(model.parameters()), theta)


@pytest.mark.parametrize("options", [{}, {"fused": True}])
def test_half_precision_is_logged_unscaled_and_the_steps_that_it_leaves_out_are_marked(options):
    expected, _ = expected_rows(make_optimizer=torch.optim.AdamW)
    model, optimizer, batches = make_loop(make_optimizer=torch.optim.AdamW, **options)
    log, scaler = MemoryWriter(), torch.amp.GradScaler("cpu", init_scale=2.0**24, backoff_factor=2.0**-6)
    with watch(optimizer, log, scaler=scaler) as watched:
        for step, batch in enumerate([*[batches[0]] * 3, *batches[1:3]]):
            optimizer.param_groups[0]["lr"] = 0.1 / (1 + step)
            with torch.autocast("cpu", torch.float16):
                loss = squared_output(model, batch)
            watched.loss(loss)
            optimizer.zero_grad()
            scaler.scale(loss).backward()
            if not options:
                scaler.unscale_(optimizer)
                nn.utils.clip_grad_norm_(model.parameters(), CLIP)
            scaler.step(optimizer)
            scaler.update()
    assert column(log, SKIPPED) == [1, 1, 0, 0, 0]
    assert [schema.GRAD_NORM in row for row in log.rows] == [False, False, True, True, True]
    assert [row[schema.UPDATE_NORM] > 0 for row in log.rows] == [False, False, True, True, True]
    assert column(log, LOSS_SCALE) == [2.0**24, 2.0**18, *[2.0**12] * 3]
    np.testing.assert_allclose(column(log, schema.LR), 0.1 / np.arange(1, 6))
    np.testing.assert_allclose(log.rows[2][schema.GRAD_NORM], expected[0, 1], rtol=0.01)
    np.testing.assert_allclose(column(log, schema.TRAIN_LOSS)[:3], expected[0, 0], rtol=0.01)


def test_a_last_step_that_half_precision_leaves_out_is_written_at_the_end():
    model, optimizer, batches = make_loop()
    log, scaler = MemoryWriter(), torch.amp.GradScaler("cpu", init_scale=2.0**24)
    with watch(optimizer, log, scaler=scaler) as watched, torch.autocast("cpu", torch.float16):
        loss = squared_output(model, batches[0])
        watched.loss(loss)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
    assert [(row[SKIPPED], row[schema.UPDATE_NORM]) for row in log.rows] == [(1, 0)]


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


def test_an_optimizer_that_needs_several_evaluations_a_step_is_refused():
    model, _, _ = make_loop()
    with pytest.raises(RunLogError, match="LBFGS evaluates loss and gradient several times in one step"):
        watch(torch.optim.LBFGS(model.parameters()), MemoryWriter())


def test_accumulation_of_accelerate_is_one_row_an_update_and_its_wrapper_is_refused():
    expected, _ = expected_rows(accumulate=3)
    accelerator = Accelerator(cpu=True, gradient_accumulation_steps=3)
    model, optimizer, batches = make_loop()
    model, wrapper = accelerator.prepare(model, optimizer)
    log = MemoryWriter()
    with watch(optimizer, log) as watched:
        for batch in batches:
            with accelerator.accumulate(model):
                loss = squared_output(model, batch)
                watched.loss(loss)
                accelerator.backward(loss)
                if accelerator.sync_gradients:
                    accelerator.clip_grad_norm_(model.parameters(), CLIP)
                wrapper.step()
                wrapper.zero_grad()
    np.testing.assert_allclose(watched_rows(log), expected, rtol=1e-4)
    with pytest.raises(RunLogError, match=r"AcceleratedOptimizer wraps .* watch\(optimizer\.optimizer, log\)$"):
        watch(wrapper, log)


class EvaluatesTwice(torch.optim.Optimizer):
    """Evaluates its closure at two points, as sharpness-aware minimization does."""

    def __init__(self, parameters, lr):
        super().__init__(parameters, {"lr": lr})

    def step(self, closure):
        with torch.enable_grad():
            closure()
            return closure()


@pytest.mark.parametrize(("make_optimizer", "evaluated"), [(torch.optim.SGD, 1), (EvaluatesTwice, 2)])
def test_a_closure_is_taken_where_it_is_evaluated_once_and_refused_where_twice(make_optimizer, evaluated):
    model, optimizer, batches = make_loop(make_optimizer=make_optimizer)
    log = MemoryWriter()

    def closure():
        optimizer.zero_grad()
        loss = squared_output(model, batches[0])
        watched.loss(loss)
        loss.backward()
        return loss

    with watch(optimizer, log) as watched:
        if evaluated == 1:
            optimizer.step(closure)
            np.testing.assert_allclose(watched_rows(log)[0, 1], expected_rows()[0][0, 1], rtol=1e-5)
        else:
            with pytest.raises(RunLogError, match="evaluated its closure 2 times in step 0"):
                optimizer.step(closure)


def test_a_step_without_a_loss_is_refused():
    model, optimizer, batches = make_loop()
    with watch(optimizer, MemoryWriter()):
        squared_output(model, batches[0]).backward()
        with pytest.raises(RunLogError, match=r"^step 0 came without a loss\. .* to loss\(\)$"):
            optimizer.step()


def test_a_loss_of_several_elements_is_refused():
    model, optimizer, batches = make_loop()
    watched = watch(optimizer, MemoryWriter())
    with pytest.raises(RunLogError, match=r"the loss of step 0 has 5 elements\. .* give their mean"):
        watched.loss(model(batches[0]))


def test_gradients_that_no_backward_pass_filled_are_measured_on_call_and_refused_without():
    expected, _ = expected_rows()
    model, optimizer, batches = make_loop()
    log = MemoryWriter()
    with watch(optimizer, log) as watched:
        for measures in (True, False):
            loss = squared_output(model, batches[0])
            watched.loss(loss)
            gradients = torch.autograd.grad(loss, list(model.parameters()))
            for parameter, gradient in zip(model.parameters(), gradients, strict=True):
                parameter.grad = gradient
            if measures:
                watched.measure()
                optimizer.step()
            else:
                with pytest.raises(RunLogError, match="no backward pass filled the gradients of step 1"):
                    optimizer.step()
    np.testing.assert_allclose(log.rows[0][schema.GRAD_NORM], expected[0, 1], rtol=1e-5)


@pytest.mark.parametrize("use_reentrant", [True, False])
def test_checkpointed_activations_do_not_change_the_norm(use_reentrant):
    expected, _ = expected_rows()
    model, optimizer, batches = make_loop()
    log = MemoryWriter()
    with watch(optimizer, log) as watched:
        hidden = checkpoint(model[:2], batches[0].requires_grad_(), use_reentrant=use_reentrant)
        loss = model[2](hidden).square().mean()
        watched.loss(loss)
        loss.backward()
        optimizer.step()
    np.testing.assert_allclose(log.rows[0][schema.GRAD_NORM], expected[0, 1], rtol=1e-5)


def test_a_backward_pass_that_fails_leaves_the_watch_working():
    model, optimizer, batches = make_loop()
    log = MemoryWriter()

    def fail(gradient):
        raise MemoryError

    with watch(optimizer, log) as watched:
        handle = model[0].weight.register_hook(fail)
        with pytest.raises(MemoryError):
            squared_output(model, batches[0]).backward()
        handle.remove()
        optimizer.zero_grad()
        loss = squared_output(model, batches[0])
        watched.loss(loss)
        loss.backward()
        optimizer.step()
    np.testing.assert_allclose(watched_rows(log)[0, :2], expected_rows()[0][0, :2], rtol=1e-5)


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
