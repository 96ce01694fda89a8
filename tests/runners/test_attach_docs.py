import re
from pathlib import Path

import pytest
import torch

from analysis.runlog import list_studies, read_study, schema
from tests.runners.loops import BATCHES, make_loop, squared_output

TEXT = Path("docs/any-loop.md").read_text()
LOOPS = [block for block in re.findall(r"```python\n(.*?)```", TEXT, re.S) if "RunWriter(" in block]


def take_steps(model, optimizer, batches, watched):
    for batch in batches:
        loss = squared_output(model, batch)
        watched.loss(loss)
        loss.backward()
        optimizer.step()


@pytest.mark.parametrize("code", LOOPS, ids=lambda code: re.search(r'"([a-z-]+)"', code)[1])
def test_each_loop_of_the_document_runs_and_writes_its_rows(tmp_path, monkeypatch, code):
    monkeypatch.setenv("STEADYSTEP_STORE", str(tmp_path))
    monkeypatch.setattr(torch.distributed, "get_rank", lambda: 0)
    model, optimizer, batches = make_loop()
    names = {"torch": torch, "model": model, "optimizer": optimizer, "batches": [*batches, *batches[:2]], "lr": 0.1}
    names |= {"compute_loss": squared_output, "scaler": torch.amp.GradScaler("cpu"), "device": "cpu"}
    names |= {"measure_grad_norm": lambda model: torch.nn.utils.get_total_norm([p.grad for p in model.parameters()])}
    names |= {"take_steps": lambda watched: take_steps(model, optimizer, batches, watched)}
    imports = "from analysis.runlog import RunWriter\nfrom runners.attach import describe_optimizer, watch\n"
    exec(imports + code, names)
    (entry,) = list_studies()
    (run,) = read_study(entry.name)
    assert run.steps.num_rows == (2 if "i % 4" in code else BATCHES if "take_steps" in code else BATCHES + 2)
    assert run.record[schema.STATUS] == "finished"
    assert run.log.grad_norm == "before-clipping"
