"""Games with an autoencoder, whatever kind of data: real samples have codes, and codes are decoded to samples."""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor

from sparring.games.game import Game, Reconstruct


class Autoencoder(Game):
    """A game with an encoder and a decoder."""

    @abstractmethod
    def encode(self, x: Tensor, condition: Tensor | None) -> Tensor:
        """Codes (n, ...) of samples (n, ...)."""

    @abstractmethod
    def decode(self, code: Tensor, condition: Tensor | None) -> Tensor:
        """Samples (n, ...) of codes (n, ...)."""

    def reconstruct(self, x: Tensor, condition: Tensor | None) -> Tensor:
        """Samples (n, ...), encoded and decoded."""
        return self.decode(self.encode(x, condition), condition)

    def autoencoder(self) -> Reconstruct:
        return self.reconstruct
