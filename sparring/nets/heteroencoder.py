"""An autoencoder of token sequences, and a generator and a discriminator of its codes. Prykhodko et al. 2019,
doi:10.1186/s13321-019-0397-9; with gated recurrent units, smaller, so that it learns in minutes.

Sequences are codes of tokens, int64 (n, length): 1 to `tokens`, and 0 after the end.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sparring.nets.discriminator import Discriminator as Base
from sparring.nets.sequence import CHECK_EVERY, END, until_end

SLOPE = 0.2
LAYERS = 4  # hidden ones of the generator,
JUDGING_LAYERS = 2  # and of the discriminator


class Encoder(nn.Module):
    """Sequences -> means and log variances of codes, (n, code) each; the variance is the same for all.

    Args:
        tokens: number of tokens.
        embedding: length of a token's vector.
        width: units of each direction.
        code: length of a code.
        noise: standard deviation of the noise that is added to codes during training.
    """

    def __init__(self, tokens: int, embedding: int, width: int, code: int, noise: float) -> None:
        super().__init__()
        self.embedding = nn.Embedding(tokens + 1, embedding)
        self.net = nn.GRU(embedding, width, batch_first=True, bidirectional=True)
        self.end = nn.Linear(2 * width, code)
        self.log_variance = 2 * torch.tensor(max(noise, 1e-6)).log().item()

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        known = until_end(x)
        states, _ = self.net(self.embedding(x))  # (n, length, 2 width)
        mean: Tensor = self.end(states.masked_fill(~known[..., None], -torch.inf).amax(1)).tanh()
        return mean, torch.full_like(mean, self.log_variance)


class Decoder(nn.Module):
    """Codes (n, code) -> the most likely sequences, (n, length), token by token.

    Args:
        tokens, embedding: as for `Encoder`.
        width: units.
        code: length of a code.
        length: of sequences, their end included.
    """

    def __init__(self, tokens: int, embedding: int, width: int, code: int, length: int) -> None:
        super().__init__()
        self.start, self.length = tokens + 1, length
        self.first = nn.Linear(code, width)
        self.embedding = nn.Embedding(tokens + 2, embedding)
        self.net = nn.GRU(embedding + code, width, batch_first=True)
        self.end = nn.Linear(width, tokens + 1)

    def negative_log_likelihood(self, x: Tensor, code: Tensor) -> Tensor:
        """Of each sequence up to its end, given its code, (n,)."""
        before = F.pad(x[:, :-1], (1, 0), value=self.start)
        hidden, _ = self.net(self._inputs(before, code), self._state(code))
        losses = F.cross_entropy(self.end(hidden).float().transpose(1, 2), x, reduction="none")
        return (losses * until_end(x)).sum(1)

    def forward(self, code: Tensor) -> Tensor:
        x = torch.zeros(len(code), self.length, dtype=torch.int64, device=code.device)
        last, state = torch.full((len(code), 1), self.start, device=code.device), self._state(code)
        ended = torch.zeros(len(code), dtype=torch.bool, device=code.device)
        for i in range(self.length - 1):
            hidden, state = self.net(self._inputs(last, code), state)
            likeliest = torch.where(ended, END, self.end(hidden[:, 0]).argmax(1))
            x[:, i] = likeliest
            ended = ended | (likeliest == END)
            if i % CHECK_EVERY == CHECK_EVERY - 1 and bool(ended.all()):
                break
            last = likeliest[:, None]
        return x

    def _state(self, code: Tensor) -> Tensor:
        state: Tensor = self.first(code).tanh()[None].contiguous()
        return state

    def _inputs(self, x: Tensor, code: Tensor) -> Tensor:
        return torch.cat([self.embedding(x), code[:, None].expand(-1, x.shape[1], -1)], 2)


class Generator(nn.Module):
    """Latents (n, z) -> codes (n, code), unbounded.

    Args:
        z: length of the latent vector.
        code: length of a code.
        width: units of the hidden layers.
    """

    def __init__(self, z: int, code: int, width: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before in (z, *[width] * (LAYERS - 1)):
            layers += [nn.Linear(before, width), nn.BatchNorm1d(width), nn.LeakyReLU(SLOPE, inplace=True)]
        self.layers = nn.Sequential(*layers, nn.Linear(width, code))

    def forward(self, z: Tensor, condition: Tensor | None = None) -> Tensor:  # noqa: ARG002
        code: Tensor = self.layers(z)
        return code


class Discriminator(Base):
    """Codes (n, code) -> logits (n,).

    Args:
        code: length of a code.
        width: units of the hidden layers.
    """

    def __init__(self, code: int, width: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before in (code, *[width] * (JUDGING_LAYERS - 1)):
            layers += [nn.Linear(before, width), nn.LeakyReLU(SLOPE, inplace=True)]
        self.layers, self.head, self.length = nn.Sequential(*layers), nn.Linear(width, 1), width

    def features(self, x: Tensor, label: Tensor | None = None) -> Tensor:  # noqa: ARG002
        h: Tensor = self.layers(x)
        return h

    def judge(self, h: Tensor, label: Tensor | None = None) -> Tensor:  # noqa: ARG002
        logit: Tensor = self.head(h)
        return logit.squeeze(1)
