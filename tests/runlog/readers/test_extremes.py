"""No reader drops a maximum, a minimum or a value that is not finite without saying so."""

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.runlog import schema
from analysis.runlog.paths import read_file
from analysis.runlog.readers import READERS
from tests.runlog.readers import general_samples
from tests.runlog.readers.general_samples import PATTERN
from tests.runlog.readers.hard_values import LOSSES, NAN
from tests.runlog.readers.reading import write
from tests.runlog.readers.samples import SAMPLES
from tests.runlog.readers.tracker_samples import mlflow_files

MLFLOW = "mlflow files"
FORMATS = sorted({*SAMPLES, *general_samples.SAMPLES, MLFLOW})
WITHOUT_ROWS = {"wandb runs table"}  # is refused
# What a format cannot spell is not drawn: Megatron leaves out losses that are NaN or not above 0, the Trainer turns NaN
# into 0, golden values spell a gap as "nan", an empty cell of a W&B chart is the end of a shorter run too.
SMALLEST = {"megatron text": 1e-6, "hf stdout": 1e-3, "hf trainer state": 1e-3}
WITHOUT_NAN = {"megatron golden json", "megatron text", "wandb ui csv"}
TWICE = frozenset(  # whose gradient norm is twice the loss
    ("algoperf csv", "fairseq json", "hf stdout", "hf trainer state", "llm.c txt", "long csv", "mmengine json")
) | {"tensorboard events"}


def read(name, folder, losses):
    """Returns the runs of a file of a format with these losses."""
    if name == MLFLOW:
        for part, content in mlflow_files(losses).items():
            write(folder / "run_07" / part, content)
        return read_file(folder / "run_07")
    path = write(folder / "run_07.txt", (SAMPLES | general_samples.SAMPLES)[name](losses))
    return read_file(path, pattern=PATTERN if name == "pattern text" else None)


def hold(found, expected):
    """Holds values to what was written: as many NaN and infinities, and the same extremes."""
    assert np.isnan(found).sum() == np.isnan(expected).sum()
    assert np.isinf(found).sum() == np.isinf(expected).sum()
    for extreme in (np.nanmax, np.nanmin):
        assert extreme(found) == pytest.approx(extreme(expected), rel=1e-6, abs=1e-6)


def test_every_format_that_has_rows_is_held_to_it():
    assert {reader.NAME for reader in READERS} == {*FORMATS, *WITHOUT_ROWS}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)
@given(data=st.data())
@pytest.mark.parametrize("name", FORMATS)
def test_what_a_format_can_spell_comes_back(tmp_path, name, data):
    finite = st.floats(SMALLEST.get(name, -1e30), 1e30)
    special = st.sampled_from([math.inf, 1e36, *([] if name in WITHOUT_NAN else [NAN])])
    losses = data.draw(st.lists(finite, min_size=8, max_size=8)) + data.draw(
        st.lists(finite | special, min_size=8, max_size=8)
    )
    runs = read(name, tmp_path, losses)
    for run in runs if name != "wandb ui csv" else runs[:1]:  # its second run ends early
        hold(run.loss[1], losses)
    if name in TWICE:
        hold(runs[0].series(schema.GRAD_NORM)[1], 2 * np.array(losses))


@pytest.mark.parametrize("name", FORMATS)
def test_a_nan_among_losses_comes_back_or_the_description_says_that_it_cannot(tmp_path, name):
    losses = [*LOSSES[:9], NAN, *LOSSES[10:]]
    run = read(name, tmp_path, losses)[0]
    if name in WITHOUT_NAN:
        assert run.log.non_finite not in ("kept", "unknown") or np.isnan(run.loss[1]).any()
    else:
        assert np.isnan(run.loss[1]).tolist() == np.isnan(losses).tolist()
