"""A watch where updates are gathered, scaled or left out: accumulation, half precision, Accelerate."""

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from torch import nn

from analysis.runlog import RunLogError, schema
from runners.attach import watch
from runners.plan import MemoryWriter
from runners.step_rows import LOSS_SCALE, SKIPPED
from tests.runners.loops import CLIP, column, expected_rows, flat, make_loop, squared_output, watched_rows


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
