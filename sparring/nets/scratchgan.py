"""ScratchGAN's discriminator. de Masson d'Autume et al. 2019, arXiv:1905.09922."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sparring.layers.condition import embedding


class TokenDiscriminator(nn.Module):
    """Codes (n, length)[, classes (n,)] -> a logit for each code, given those before it, (n, length).

    Args:
        tokens: number of tokens.
        embedding_length: of a token's vector.
        width: units of the recurrent layer.
        dropout: share of the vectors' units that are dropped during training.
        classes: number of classes; 0 for none.
    """

    def __init__(self, tokens: int, embedding_length: int, width: int, dropout: float = 0.1, classes: int = 0) -> None:
        super().__init__()
        self.embedding, self.places = nn.Embedding(tokens + 1, embedding_length), nn.Linear(1, embedding_length)
        self.condition = embedding(classes, embedding_length)
        self.dropout = nn.Dropout(dropout)
        self.net, self.norm = nn.LSTM(embedding_length, width, batch_first=True), nn.LayerNorm(width)
        self.head = nn.Linear(width, 1)

    def forward(self, codes: Tensor, classes: Tensor | None = None) -> Tensor:
        place = torch.linspace(0, 1, codes.shape[1], device=codes.device)[:, None]
        x = self.embedding(codes) + self.places(place)  # (n, length, embedding_length)
        if self.condition is not None:
            x = x + self.condition(classes)[:, None]
        logits: Tensor = self.head(self.norm(self.net(self.dropout(x))[0]))
        return logits.squeeze(2)
