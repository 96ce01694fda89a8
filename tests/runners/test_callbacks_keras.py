import os

os.environ["KERAS_BACKEND"] = "torch"  # Keras reads it at its import

import keras
import numpy as np
import pytest
import torch

from analysis.runlog import RunLogError, read_paths, read_study, schema
from runners.callbacks.keras import check_training, log_steps
from runners.guard import StoppedAtRise
from tests.runlog.readers.hard_values import hard_losses
from tests.runners.planted import STUDY, as_trained, train_keras

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

CLIP = 0.05
INPUTS = np.random.default_rng(1).normal(size=(24, 4)).astype("float32")
TARGETS = INPUTS.sum(axis=1, keepdims=True)
BATCH_SIZE = 4


def make_model(optimizer, **options):
    keras.utils.set_random_seed(1)
    layers = [keras.Input((4,)), keras.layers.Dense(8, activation="tanh"), keras.layers.Dense(1)]
    model = keras.Sequential(layers)
    model.compile(optimizer, loss="mse", **options)
    return model


def fit(model, callback, epochs=1):
    options = {"batch_size": BATCH_SIZE, "epochs": epochs, "shuffle": False, "verbose": 0}
    model.fit(INPUTS, TARGETS, validation_data=(INPUTS, -TARGETS), callbacks=[callback], **options)


def expected_rows(lr):
    """Trains by hand, and measures by hand."""
    parameters = [variable.value.detach().clone().requires_grad_() for variable in make_model("sgd").trainable_weights]
    rows = []
    for start in range(0, len(INPUTS), BATCH_SIZE):
        inputs, targets = (torch.tensor(array[start : start + BATCH_SIZE]) for array in (INPUTS, TARGETS))
        weight, bias, weight_out, bias_out = parameters
        loss = ((inputs @ weight + bias).tanh() @ weight_out + bias_out - targets).square().mean()
        gradients = torch.autograd.grad(loss, parameters)
        norm = torch.cat([gradient.flatten() for gradient in gradients]).norm().item()
        with torch.no_grad():
            for parameter, gradient in zip(parameters, gradients, strict=True):
                parameter -= lr * gradient * min(1, CLIP / norm)
        rows.append((loss.item(), norm, lr * min(CLIP, norm), lr))
    return np.array(rows)


def test_each_batch_of_a_keras_training_is_a_row_with_its_own_loss_and_the_norm_before_clipping(tmp_path):
    model = make_model(keras.optimizers.SGD(0.1, global_clipnorm=CLIP))
    compute_loss = model.compute_loss
    fit(model, log_steps("keras", store=tmp_path, workload="regression"))
    (run,) = read_study("keras", tmp_path)
    columns = (schema.TRAIN_LOSS, schema.GRAD_NORM, schema.UPDATE_NORM, schema.LR)
    found = np.transpose([run.series(name)[1] for name in columns])
    np.testing.assert_allclose(found, expected_rows(0.1), rtol=1e-4)
    said = {"status": "finished", "optimizer": "sgd", "base_lr": 0.1, "clip_threshold": CLIP, "max_train_steps": 6}
    assert (said | {"workload": "regression"}).items() <= run.record.items()
    assert model.compute_loss == compute_loss


def test_the_lr_of_a_keras_schedule_is_that_of_the_update(tmp_path):
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([1, 3], [0.1, 0.01, 0.001])
    fit(make_model(keras.optimizers.Adam(schedule)), log_steps("keras", store=tmp_path))
    (run,) = read_study("keras", tmp_path)
    np.testing.assert_allclose(run.series(schema.LR)[1], [0.1, 0.1, 0.01, 0.01, 0.001, 0.001], rtol=1e-6)
    assert run.record[schema.SCHEDULE] == "PiecewiseConstantDecay"


def test_a_second_fit_is_a_run_that_goes_on_at_the_step_of_the_first(tmp_path):
    model, callback = make_model("sgd"), log_steps("keras", store=tmp_path)
    fit(model, callback)
    fit(model, callback)
    first, second = read_study("keras", tmp_path)
    assert [list(run.series(schema.TRAIN_LOSS)[0]) for run in (first, second)] == [list(range(6)), list(range(6, 12))]


def test_the_guard_ends_a_keras_training_at_a_rise(tmp_path):
    with pytest.raises(StoppedAtRise):
        fit(make_model(keras.optimizers.SGD(30.0)), log_steps("keras", store=tmp_path, on_rise="stop"), epochs=5)
    (run,) = read_study("keras", tmp_path)
    assert run.steps.num_rows < 30


HARD = hard_losses(200, smallest=1e-30)


def test_hard_losses_are_all_in_our_log_and_in_that_of_keras_where_an_epoch_is_one_batch(tmp_path):
    train_keras(tmp_path, HARD)
    (own,) = read_study(STUDY, tmp_path / "store")
    (kept,) = read_paths([tmp_path / "training.log"])
    for run in (own, kept):
        np.testing.assert_array_equal(run.loss, (np.arange(200), as_trained(HARD)))
        assert run.log.non_finite == "kept"
    assert kept.record[schema.STEP_UNIT] == "epochs"


def test_longer_epochs_hide_a_rise_of_one_step_in_a_mean_that_is_told_as_one(tmp_path):
    losses = [50.0 if step == 17 else 2.0 for step in range(40)]
    train_keras(tmp_path, [*losses, *HARD[:10]], steps_per_epoch=10)
    (own,) = read_study(STUDY, tmp_path / "store")
    (kept,) = read_paths([tmp_path / "training.log"])
    np.testing.assert_array_equal(own.loss[1], as_trained([*losses, *HARD[:10]]))
    np.testing.assert_allclose(kept.loss[1], [2.0, 6.8, 2.0, 2.0, np.nan], rtol=1e-6)
    assert "steps are epochs; each loss is a mean over one" in kept.log.notes


@pytest.mark.parametrize(
    ("optimizer", "jit_compile", "reason"),
    [
        (keras.optimizers.SGD(), True, "jit_compile=True hides"),
        (keras.optimizers.SGD(gradient_accumulation_steps=2), False, "gradient_accumulation_steps sums"),
        (keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD()), False, "LossScaleOptimizer scales"),
    ],
)
def test_settings_of_keras_that_hide_gradients_are_refused(optimizer, jit_compile, reason):
    with pytest.raises(RunLogError, match=reason):
        check_training(make_model(optimizer, jit_compile=jit_compile))
