"""The base class of games: nets, a prior, and the generation of samples from latents."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from sparring.data.tensors import VALUES, Tensors
from sparring.errors import InputError
from sparring.games.graph import DataKind, GeneratorNet, Graph, sampling_graph
from sparring.games.prior import Prior
from sparring.games.space import LatentSpace, PriorSpace
from sparring.nets.discriminator import Discriminator
from sparring.seeds import Seeds, seeded

Reconstruct = Callable[[Tensor, Tensor | None], Tensor]  # samples (n, ...), their conditions -> reconstructions


class Game(nn.Module, ABC):
    """Everything that players move and that lasts from step to step: nets and buffers.

    A checkpoint holds a game's whole state; a model is a game with its averaged weights.

    Attributes:
        averaged: names of the nets whose moving averages become the model. Others keep their last weights.
        batch_dependent: True if `sample` draws further random numbers for the batch as a whole, so that a sample
            depends on how many are drawn together. `sample` and `sample_truncated` of other games draw nothing.
        truncates: False if latents are never truncated: samples are made more typical in another way, such as by
            a temperature.
        prior: distribution of the latents.
        classes: number of classes that samples are conditioned on; 0 if they are not.
    """

    averaged: tuple[str, ...] = ("G",)
    batch_dependent: bool = False
    truncates: bool = True
    prior: Prior
    classes: int = 0

    @property
    def conditional(self) -> bool:
        """True if samples are generated for conditions."""
        return self.classes > 0

    def draw(
        self,
        n: int,
        device: torch.device,
        truncation: float | None = None,
        length: int | None = None,
        every: float = 1.0,
        seeds: Mapping[str, int] | None = None,
    ) -> Tensor:
        """Latents of the prior, (n, width); see `Prior.draw`.

        Args:
            length: of the samples, for kinds of any length.
            every: steps of the training data from one step of a sample to the next.
            seeds: parts that all samples share, and the seed that each is drawn from.

        Raises:
            InputError: if the game does not generate samples for any time, or has no such part.
        """
        prior = self.prior if length is None and every == 1 else self.prior.stretched(length, every)
        truncation = truncation if self.truncates else None
        z = prior.draw(n, device, truncation)
        for name, seed in (seeds or {}).items():
            if name not in (part.name for part in prior.parts):
                raise InputError(f"{name}={seed} was given, but the latents of this recipe have no part {name!r}")
            with seeded(Seeds(seed).key("part", name), device):
                z[:, prior.place(name)] = prior.draw(1, device, truncation)[:, prior.place(name)]
        return z

    def begun(
        self,
        z: Tensor,
        condition: Tensor | None,  # noqa: ARG002
        beginnings: Tensor,  # noqa: ARG002
        truncation: float | None,  # noqa: ARG002
    ) -> Tensor:
        """Latents of samples of which half begin with one of some sequences each; the same where that is impossible.

        Args:
            beginnings: codes (m, length), -1 after the end of each.
            truncation: that samples will be generated with.
        """
        return z

    def space(self) -> LatentSpace | None:
        """The latent space to explore; None if latents alone do not determine a sample."""
        if not self.prior.width or self.batch_dependent:
            return None
        return PriorSpace(self.prior, self.generate, next(self.parameters()).device)

    def discriminator(self) -> Discriminator | None:
        """The net that judges samples and their condition; None if there is none."""
        return None

    def critic(self) -> Discriminator | None:
        """The net that judges what `Modality.rank` shows it of items, usually their values; None if there is none."""
        return self.discriminator()

    def autoencoder(self) -> Reconstruct | None:
        """What encodes and decodes samples; None if the game has no autoencoder."""
        return None

    def without_D(self) -> Game | None:
        """The generator without what the adversarial training has added to it, for comparison; None if it learns from
        that alone.
        """
        return None

    def state_metrics(self) -> dict[str, Tensor]:
        """State of adaptive parts for the log: 0-d tensors by name."""
        return {}

    @abstractmethod
    def values(self, z: Tensor, condition: Tensor | None) -> Tensor:
        """The values of samples, (n, ...).

        Args:
            z: latents (n, width).
            condition: (n, ...), if the game is conditional.
        """

    def generate(self, z: Tensor, condition: Tensor | None) -> Tensors:
        """Samples as named tensors. A game whose samples have more parts than values overrides this."""
        return {VALUES: self.values(z, condition)}

    def sample(self, z: Tensor, condition: Tensor | None, requested: Tensor | None = None) -> Tensors:  # noqa: ARG002
        """Samples as a model returns them; may cost more than training could afford.

        Args:
            requested: the part of a condition that the user asked for, negative where it is free; None for nothing.
        """
        return self.generate(z, condition)

    def complete(self, given: Tensors, known: Tensor) -> Tensors:
        """Samples of which a part is given, for games that learn to fill in the rest.

        Args:
            given: the samples; their unknown part is ignored.
            known: True in the part that is given; its shape is the game's own.
        """
        raise NotImplementedError(f"{type(self).__name__} generates whole samples")

    def sample_truncated(self, z: Tensor, condition: Tensor | None, truncation: float) -> Tensors:  # noqa: ARG002
        """More typical samples, from latents that were drawn with this truncation."""
        return self.generate(z, condition)

    def graph(self, kind: DataKind, reverse: bool = False) -> Graph:
        """What is exported: the values of samples as a function of all that they are generated from.

        A game that overrides `sample` or `generate` overrides this too, or it cannot be exported.

        Args:
            kind: of data of the samples.
            reverse: the opposite direction, for games that learn both.

        Raises:
            ValueError: if there is no such direction.
        """
        if reverse:
            raise ValueError("it generates from noise and has one direction only")
        return sampling_graph(self, kind)

    def generators(self) -> tuple[GeneratorNet, ...]:
        """The nets that generate samples and can be made smaller; () if there are none."""
        return (GeneratorNet("G", self.values),) if "G" in dict(self.named_children()) else ()
