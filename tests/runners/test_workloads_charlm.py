import math

import pytest
import torch
import torch.nn.functional as F

from analysis.runlog import RunLogError, schema
from runners.config import RunConfig
from runners.plan import MemoryWriter
from runners.train import train
from runners.workloads import charlm, make_workload, topics

NORMS = ("post", "pre", "res_post", "none")


def train_losses(base_lr, steps, **variant):
    workload, writer = make_workload("charlm", variant), MemoryWriter()
    options = workload.optimizer_options
    train(RunConfig("charlm", "adam", base_lr, steps, variant=variant, optimizer_options=options), writer)
    return [row[schema.TRAIN_LOSS] for row in writer.rows], writer.record


def first_logits(**variant):
    workload = make_workload("charlm", variant)
    torch.manual_seed(0)
    model, (inputs, _) = workload.make_model(), next(workload.batches(0))
    return model, inputs, model(inputs)


@pytest.fixture
def fresh_text():
    topics.load.cache_clear()
    yield
    topics.load.cache_clear()


def test_the_transformer_has_the_size_of_its_description():
    assert sum(parameter.numel() for parameter in first_logits()[0].parameters()) == 83_175


def test_post_norm_falls_to_the_unigram_plateau_at_0_03_and_below_it_at_0_003():
    stuck, record = train_losses(0.03, 70)
    learning, _ = train_losses(0.003, 70)
    plateau = record[schema.BASELINE_LOSS]
    assert plateau == pytest.approx(3.25, abs=0.01)
    assert max(stuck) == stuck[0]  # it never rises, so no rule that looks for a rise can see it
    assert sum(stuck[-10:]) / 10 > plateau - 0.05
    assert sum(learning[-10:]) / 10 < plateau - 0.15


def test_the_four_places_of_the_norm_are_four_networks():
    logits = [first_logits(norm=norm)[2] for norm in NORMS]
    assert all(not torch.allclose(a, b, atol=0.1) for i, a in enumerate(logits) for b in logits[:i])
    heights = [a.flatten(0, 1).std(1).mean().item() for a in logits]
    assert max(heights[:3]) < 2 < heights[3]  # only without any norm does the stream grow through the blocks


@pytest.mark.parametrize("norm", ["pre", "res_post", "none"])
def test_rezero_starts_as_the_identity(norm):
    model, _, _ = first_logits(norm=norm, rezero=True)
    stream = torch.randn(2, charlm.CONTEXT, charlm.WIDTH)
    for block in model.blocks:
        assert torch.equal(block(stream, model.causal_mask), stream)


def test_no_logit_depends_on_a_later_symbol():
    model, inputs, logits = first_logits()
    changed = inputs.clone()
    changed[:, 20] = (changed[:, 20] + 1) % 103
    after = model(changed)
    assert torch.equal(after[:, :20], logits[:, :20])
    assert not torch.allclose(after[:, 20:], logits[:, 20:])


def test_attention_agrees_with_that_of_torch():
    model, _, _ = first_logits()
    block, stream = model.blocks[0], torch.randn(2, charlm.CONTEXT, charlm.WIDTH)
    q, k, v = (part.view(2, 32, 4, 8).transpose(1, 2) for part in block.qkv(stream).chunk(3, -1))
    expected = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(stream.shape)
    assert torch.allclose(block.attend(stream, model.causal_mask), block.attention_out(expected), atol=1e-6)


def test_held_out_blocks_are_spread_over_the_text_and_targets_follow_their_inputs():
    data = topics.load()
    assert (len(data.text), len(data.eval_text), data.num_symbols) == (442_000, 22_000, 103)
    assert topics.unigram_entropy(data.eval_text) == pytest.approx(topics.unigram_entropy(data.text), abs=0.1)
    inputs, targets = next(make_workload("charlm", {}).batches(0))
    assert inputs.shape == targets.shape == (16, charlm.CONTEXT)
    assert torch.equal(inputs[:, 1:], targets[:, :-1])


def test_the_loss_of_uniform_logits_is_the_log_of_the_number_of_symbols():
    targets = torch.zeros(2, 5, dtype=torch.long)
    assert charlm.next_symbol_loss(torch.zeros(2, 5, 103), targets).item() == pytest.approx(math.log(103))


def test_a_damaged_or_missing_text_is_refused_in_one_line(tmp_path, monkeypatch, fresh_text):
    content = bytearray(topics.FILE.read_bytes())
    content[5000] ^= 1
    path = tmp_path / "text.xz"
    path.write_bytes(content)
    monkeypatch.setattr(topics, "FILE", path)
    with pytest.raises(RunLogError, match=r"text\.xz is damaged .* Restore it with git checkout$"):
        make_workload("charlm", {})
    path.unlink()
    with pytest.raises(RunLogError, match=r"text\.xz cannot be read \(No such file or directory\)"):
        make_workload("charlm", {})


def test_a_sweep_takes_the_optimizer_options_of_the_workload_unless_others_are_given(tmp_path, monkeypatch):
    from runners import lr_sweep

    planned = []
    monkeypatch.setattr("runners.launch.launch", lambda plan, arguments: planned.extend(plan))
    command = ["--workload", "charlm", "--base-lr", "0.01", "--study", "x"]
    lr_sweep.main(command)
    lr_sweep.main([*command, "--optimizer-option", "beta2=0.9"])
    lr_sweep.main([*command, "--optimizer", "nadam"])
    options = [planned_run.config.optimizer_options for planned_run in planned]
    assert options == [
        {"beta1": 0.9, "beta2": 0.98, "eps": 1e-9},
        {"beta1": 0.9, "beta2": 0.9, "eps": 1e-9},
        {"beta1": 0.9, "beta2": 0.999, "eps": 1e-8},
    ]
