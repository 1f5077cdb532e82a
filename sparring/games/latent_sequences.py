"""A latent GAN of token sequences: G and D play with the codes of a recurrent autoencoder."""

from __future__ import annotations

from typing import NoReturn

from sparring.data.tensors import REWRITTEN, VALUES
from sparring.games.gan import OptimizerFactory
from sparring.games.graph import DataKind
from sparring.games.latent import LatentGAN, Schedule
from sparring.games.vae import drawn
from sparring.loop import Losses, Player, Round
from sparring.nets.heteroencoder import Decoder

CLIP = 1.0  # norm of the gradient of the autoencoder


class SequenceLatentGAN(LatentGAN):
    """A latent GAN of token sequences. Prykhodko et al. 2019, doi:10.1186/s13321-019-0397-9.

    The encoder reads another form of a sequence than the decoder writes, if the data have one, such as another SMILES
    of a molecule (a heteroencoder, Bjerrum and Sattarov 2018, arXiv:1806.09300). R is a `Decoder`.
    """

    R: Decoder

    def autoencoding(self, optimizer: OptimizerFactory, schedule: Schedule) -> list[Player]:
        """The player of the first phase: E with R learns the autoencoder."""
        weights = [*self.E.parameters(), *self.R.parameters()]
        nets = (self.E, self.R, self.scale)
        return [Player("E", self.E_losses, optimizer(weights), nets, clip=CLIP, schedule=schedule)]

    def E_losses(self, round: Round) -> Losses:
        """Negative log likelihood of sequences, given their codes with noise, per sequence."""
        given = round.get(REWRITTEN)
        mean, log_variance = self.E(round[VALUES] if given is None else given)
        self.scale(mean.detach())  # collects its statistics
        loss = self.R.negative_log_likelihood(round[VALUES], drawn(mean, log_variance)).mean()
        round.observe(nats=loss)
        return {"likelihood": loss}

    def discriminator(self) -> None:  # type: ignore[override]
        """D judges codes, which have no gradient with respect to tokens."""

    def graph(self, kind: DataKind, reverse: bool = False) -> NoReturn:  # noqa: ARG002
        raise ValueError("its sequences are decoded token by token until they end, which no graph can hold")
