"""Nets of a GAN in the code space of an autoencoder of texts. Diao et al. 2021, "TILGAN: transformer-based implicit
latent GAN for diverse and coherent text generation", Findings of ACL.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sparring.losses.adversarial import Logits
from sparring.nets import mlp
from sparring.nets.discriminator import Discriminator

SPANS = (1, 3, 5)  # places of a code that the parts of D see


def _transformer(width: int, layers: int, heads: int) -> nn.TransformerEncoder:
    layer = nn.TransformerEncoderLayer(width, heads, 4 * width, dropout=0.0, batch_first=True, norm_first=True)
    return nn.TransformerEncoder(layer, layers, nn.LayerNorm(width), enable_nested_tensor=False)


class Encoder(nn.Module):
    """Texts as codes of tokens (n, length) -> means and logarithms of variances of their codes, (n, channels, length)
    each.

    Args:
        tokens: number of tokens.
        length: of texts.
        channels: numbers of a code for each place.
        width, layers, heads: of the transformer.
    """

    def __init__(self, tokens: int, length: int, channels: int, width: int, layers: int, heads: int) -> None:
        super().__init__()
        self.embedding, self.places = nn.Embedding(tokens + 1, width), nn.Parameter(0.02 * torch.randn(length, width))
        self.net, self.end = _transformer(width, layers, heads), nn.Linear(width, 2 * channels)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        h = self.end(self.net(self.embedding(x) + self.places))
        mean, log_variance = h.transpose(1, 2).chunk(2, 1)
        return mean, log_variance - 2


class Decoder(nn.Module):
    """Codes (n, channels, length) -> logits of tokens, (n, length, tokens + 1), all places at once.

    The arguments are those of `Encoder`.
    """

    def __init__(self, tokens: int, length: int, channels: int, width: int, layers: int, heads: int) -> None:
        super().__init__()
        self.enter, self.places = nn.Linear(channels, width), nn.Parameter(0.02 * torch.randn(length, width))
        self.net, self.end = _transformer(width, layers, heads), nn.Linear(width, tokens + 1)

    def forward(self, code: Tensor) -> Tensor:
        logits: Tensor = self.end(self.net(self.enter(code.transpose(1, 2)) + self.places))
        return logits


class CodeDiscriminator(Discriminator):
    """Codes (n, channels, length)[, classes (n,)] -> logits of the whole code (n,), and of all its spans of 1, 3 and 5
    places.

    Args:
        channels, length: of a code.
        width: of the hidden layers.
        classes: number of classes; 0 for none.
    """

    def __init__(self, channels: int, length: int, width: int, classes: int = 0) -> None:
        super().__init__()
        self.channels, self.length = channels, channels * length
        self.whole = mlp.Discriminator((channels, length), (width, width), condition=classes)
        self.local = nn.ModuleList(
            nn.Sequential(
                nn.Conv1d(channels, width, span, padding=span // 2), nn.LeakyReLU(0.2), nn.Conv1d(width, 1, 1)
            )
            for span in SPANS
        )

    def features(self, x: Tensor, label: Tensor | None = None) -> Tensor:  # noqa: ARG002
        return x.flatten(1)

    def judge(self, h: Tensor, label: Tensor | None = None) -> Logits:
        code = h.view(len(h), self.channels, -1)
        whole = self.whole(code, label)
        assert isinstance(whole, Tensor)
        return [whole, *(layer(code).flatten(1) for layer in self.local)]


class Generator(nn.Module):
    """Latents (n, latents)[, classes (n,)] -> codes (n, channels, length).

    Args:
        latents: length of the latent vector.
        channels, length: of a code.
        width: of the hidden layers.
        classes: number of classes; 0 for none.
    """

    def __init__(self, latents: int, channels: int, length: int, width: int, classes: int = 0) -> None:
        super().__init__()
        self.first = mlp.Generator(latents, (width, length), (width, width), True, "leaky", "linear", classes)
        self.along = nn.Conv1d(width, width, 5, padding=2)
        self.end = nn.Conv1d(width, channels, 1)

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        h = F.leaky_relu(self.first(z, label), 0.2)
        code: Tensor = self.end(h + F.leaky_relu(self.along(h), 0.2))
        return code
