import multiprocessing

import numpy as np
import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor import distribute_tensor
from torch.nn.parallel import DistributedDataParallel

from analysis.runlog import RunLogError, RunWriter, read_study, schema
from runners.attach import watch
from tests.runners.loops import CLIP, expected_rows, make_loop, squared_output

RANKS = 2
STUDY = "averaged"


def train_rank(rank, store):
    """Trains with half of the accumulated batches on each process; only the first one writes."""
    dist.init_process_group("gloo", init_method=f"file://{store}/rendezvous", rank=rank, world_size=RANKS)
    model, optimizer, batches = make_loop()
    model = DistributedDataParallel(model, bucket_cap_mb=1e-4)  # several buckets: their averages end at different times
    log = RunWriter(STUDY, store=store) if rank == 0 else None
    with watch(optimizer, log) as watched:
        for batch in batches[rank::RANKS]:
            loss = squared_output(model, batch)
            watched.loss(loss)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), CLIP)
            optimizer.step()
    if log:
        log.finish()
        refuse_sharded()
    dist.destroy_process_group()


def refuse_sharded():
    """Fails where sharded parameters are watched."""
    weight = distribute_tensor(torch.ones(4), init_device_mesh("cpu", (1,))).requires_grad_()
    try:
        watch(torch.optim.SGD([weight], lr=0.1), None)
    except RunLogError as error:
        assert "the parameters are sharded" in str(error)  # noqa: PT017 this is not the test's process
    else:
        raise AssertionError("sharded parameters were taken")


def test_two_processes_log_the_norm_of_their_averaged_gradient_once(tmp_path):
    processes = multiprocessing.get_context("spawn")
    ranks = [processes.Process(target=train_rank, args=(rank, tmp_path)) for rank in range(RANKS)]
    for rank in ranks:
        rank.start()
    for rank in ranks:
        rank.join()
    assert [rank.exitcode for rank in ranks] == [0, 0]
    expected, _ = expected_rows(accumulate=RANKS)
    (run,) = read_study(STUDY, tmp_path)
    for name, values in zip((schema.GRAD_NORM, schema.UPDATE_NORM), expected.T[1:3], strict=True):
        np.testing.assert_allclose(run.series(name)[1], values, rtol=1e-4)
