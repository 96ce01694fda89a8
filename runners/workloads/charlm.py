"""Workload charlm: a decoder-only character transformer of 83 thousand parameters, whose normalisation can move."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from analysis.runlog import schema
from runners.workloads import topics
from runners.workloads.charlm_stacked import stacked_loss
from runners.workloads.workload import Workload

Norm = Literal["post", "pre", "res_post", "none"]
WIDTH = 32
DEPTH = 6
HEADS = 4
CONTEXT = 32
EVAL_WINDOWS = 64  # ours: 2,048 characters of the held-out text


def charlm(norm: Norm = "post", rezero: bool = False, batch_size: int = 16) -> Workload:
    """Returns the workload.

    Args:
        norm: Where LayerNorm stands in a residual sum: post Norm(x + f(x)), pre x + f(Norm(x)), res_post
            x + Norm(f(x)), none x + f(x). Where the sum itself is not normalised, one more Norm stands before the head.
        rezero: Multiply the residual branches of each block by a learned scalar that starts at 0.
        batch_size: Windows of 32 characters a step.
    """
    data = topics.load()
    return Workload(
        make_model=partial(CharTransformer, data.num_symbols, norm, rezero),
        batches=partial(topics.draw_batches, data.text, batch_size, CONTEXT),
        loss=next_symbol_loss,
        evaluate=_evaluator(data.eval_text),
        batch_size=batch_size,
        optimizer="adam",
        max_train_steps=400,
        baseline_loss=topics.unigram_entropy(data.text),
        # The original transformer's Adam: "Attention is all you need", section 5.3.
        optimizer_options={"beta1": 0.9, "beta2": 0.98, "eps": 1e-9},
        stacked_loss=partial(stacked_loss, norm, HEADS, _embedding_scale(norm)),
    )


def _embedding_scale(norm: Norm) -> float:
    """Returns what makes the elements of the stream start at 1, but for pre-norm, whose stream starts small."""
    return 1.0 if norm == "pre" else WIDTH**0.5


def next_symbol_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Returns the mean cross-entropy in nats a character."""
    return F.cross_entropy(logits.flatten(0, -2), targets.flatten())


def _evaluator(text: Tensor) -> Callable[[nn.Module], Mapping[str, float]]:
    inputs, targets = topics.spread_windows(text, EVAL_WINDOWS, CONTEXT)

    @torch.no_grad()
    def evaluate(model: nn.Module) -> Mapping[str, float]:
        logits = model(inputs)
        wrong = logits.argmax(-1) != targets
        return {
            schema.EVAL_LOSS: next_symbol_loss(logits, targets).item(),
            schema.EVAL_ERROR: wrong.double().mean().item(),
        }

    return evaluate


class Block(nn.Module):
    """Causal self-attention, then a ReLU layer four times as wide, each in a residual sum."""

    def __init__(self, norm: Norm, rezero: bool):
        """Makes the layers."""
        super().__init__()
        self.norm = norm
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH, bias=False)
        self.attention_out = nn.Linear(WIDTH, WIDTH, bias=False)
        self.ff_in, self.ff_out = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)
        for layer in (self.qkv, self.attention_out, self.ff_in, self.ff_out):
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        self.norm1, self.norm2 = (nn.Identity() if norm == "none" else nn.LayerNorm(WIDTH) for _ in range(2))
        self.branch_scale = nn.Parameter(torch.zeros(1)) if rezero else None

    def forward(self, x: Tensor, causal_mask: Tensor) -> Tensor:
        """Returns the block's output."""
        x = self.add(x, lambda y: self.attend(y, causal_mask), self.norm1)
        return self.add(x, lambda y: self.ff_out(F.relu(self.ff_in(y))), self.norm2)

    def add(self, x: Tensor, branch: Callable[[Tensor], Tensor], norm: nn.Module) -> Tensor:
        """Returns the residual sum, normalised where the variant says."""
        y = branch(norm(x) if self.norm == "pre" else x)
        if self.norm == "res_post":
            y = norm(y)
        if self.branch_scale is not None:
            y = self.branch_scale * y
        return norm(x + y) if self.norm == "post" else x + y

    def attend(self, x: Tensor, causal_mask: Tensor) -> Tensor:
        """Returns multi-head attention over [batch, length, width]; the mask is added to the scores."""
        batch, length, width = x.shape
        q, k, v = self.qkv(x).view(batch, length, 3, HEADS, width // HEADS).permute(2, 0, 3, 1, 4)
        weights = (q @ k.transpose(-2, -1) * (width // HEADS) ** -0.5 + causal_mask).softmax(-1)
        return self.attention_out((weights @ v).transpose(1, 2).reshape(batch, length, width))


class CharTransformer(nn.Module):
    """Embedding, learned positions, six blocks, head; parameters named as in the blocks."""

    def __init__(self, num_symbols: int, norm: Norm, rezero: bool):
        """Makes the layers; with pre-norm the stream starts small."""
        super().__init__()
        self.embedding = nn.Embedding(num_symbols, WIDTH)
        self.positions = nn.Parameter(0.02 * torch.randn(CONTEXT, WIDTH))
        nn.init.normal_(self.embedding.weight, std=0.02 if norm == "pre" else WIDTH**-0.5)
        self.embedding_scale = _embedding_scale(norm)
        self.blocks = nn.ModuleList(Block(norm, rezero) for _ in range(DEPTH))
        self.last_norm = nn.LayerNorm(WIDTH) if norm in ("pre", "res_post") else nn.Identity()
        self.head = nn.Linear(WIDTH, num_symbols)
        nn.init.normal_(self.head.weight, std=WIDTH**-0.5)
        nn.init.zeros_(self.head.bias)
        mask = torch.full((CONTEXT, CONTEXT), -torch.inf).triu(1)
        self.register_buffer("causal_mask", mask, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Returns the logits of the next symbol at each position, from whole windows [batch, 32]."""
        x = self.embedding(x) * self.embedding_scale + self.positions
        for block in self.blocks:
            x = block(x, self.causal_mask)
        return self.head(self.last_norm(x))
