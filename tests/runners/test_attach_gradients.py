"""A watch where gradients or losses come another way than from one backward pass."""

import numpy as np
import pytest
import torch
from torch.utils.checkpoint import checkpoint

from analysis.runlog import RunLogError, schema
from runners.attach import watch
from runners.plan import MemoryWriter
from tests.runners.loops import expected_rows, make_loop, squared_output, watched_rows


def test_an_optimizer_that_needs_several_evaluations_a_step_is_refused():
    model, _, _ = make_loop()
    with pytest.raises(RunLogError, match="LBFGS evaluates loss and gradient several times in one step"):
        watch(torch.optim.LBFGS(model.parameters()), MemoryWriter())


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
