"""A generator of short texts from a code: all places at once, by a recurrent net in both directions."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sparring.nets.choices import Choices


class Generator(Choices):
    """Codes with Gumbel noise, (n, latents + length * tokens) -> one-hot texts (n, length, tokens).

    Draws are exact, and gradients are those of the softmax (the straight-through estimator, Jang et al. 2016,
    arXiv:1611.01144). After the first end (token 0), all tokens are ends.

    Args:
        latents: length of the code.
        length: places of a text.
        tokens: of the vocabulary, with the end.
        width: of the hidden layers.
    """

    stage = 1

    def __init__(self, latents: int, length: int, tokens: int, width: int) -> None:
        super().__init__()
        self.latents, self.length, self.tokens = latents, length, tokens
        self.enter = nn.Linear(latents, width)
        self.places = nn.Parameter(torch.randn(length, width) * 0.5)
        self.body = nn.GRU(width, width // 2, batch_first=True, bidirectional=True)
        self.end = nn.Linear(width + 2 * (width // 2), tokens)

    def logits(self, code: Tensor) -> Tensor:
        """Logits of all tokens in all places, (n, length, tokens)."""
        h = self.enter(code)[:, None] + self.places
        logits: Tensor = self.end(torch.cat([h, self.body(F.leaky_relu(h, 0.2))[0]], 2))
        return logits

    def surprise(self, z: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
        return -self.logits(z[:, : self.latents]).float().log_softmax(2) * real, real

    def forward(self, z: Tensor) -> Tensor:
        noise = z[:, self.latents :].view(-1, self.length, self.tokens)
        soft = (self.logits(z[:, : self.latents]) + noise).softmax(2)
        hard = F.one_hot(soft.argmax(2), self.tokens).to(soft.dtype)
        text = hard - soft.detach() + soft
        ended = (hard[..., 0].cumsum(1) - hard[..., 0] > 0)[..., None]
        end = F.one_hot(torch.zeros_like(hard[..., 0], dtype=torch.int64), self.tokens).to(text.dtype)
        return torch.where(ended, end, text)
