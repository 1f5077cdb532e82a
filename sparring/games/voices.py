"""A game of voices whose G draws them step by step, around those that are given."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from sparring.data.tensors import VALUES, Tensors
from sparring.games.discriminator_pass import DiscriminatorPass
from sparring.games.gan import GAN
from sparring.games.graph import DataKind, Graph, Spec, batch
from sparring.games.terms import Term
from sparring.loop import Losses, Player, Round
from sparring.nets.voices import Generator

OptimizerFactory = Callable[[Iterable[nn.Parameter]], Optimizer]
GIVEN = 0.5  # share of the samples of which some voices are given in training
SHARPEST = 0.05  # lowest temperature


class Likelihood(Term):
    """Mean negative log likelihood of cells that are not given, each given the cells before it.

    Args:
        G: the generator.
        weight: of the term.
    """

    def __init__(self, G: Generator, weight: float) -> None:
        super().__init__("likelihood", weight, of=("G",))
        self._G = (G,)  # in a tuple, so that its weights stay its own

    def forward(self, outputs: DiscriminatorPass) -> Tensor:
        return likelihood(self._G[0], outputs.real)


def likelihood(G: Generator, real: Tensor) -> Tensor:
    """Mean negative log likelihood of real voices (n, channels, steps), some of which are given, in nats per cell."""
    real = real.float()
    cells = some_voices(len(real), G.voices.count, real.shape[2], real.device)
    logits = G(real, real * G.voices.wide(cells), cells).float()
    drawn = ~cells
    return -(G.voices.likelihood(logits, real) * drawn).sum() / drawn.sum()


def some_voices(n: int, voices: int, steps: int, device: torch.device) -> Tensor:
    """Random voices that are given for all steps, (n, voices, steps): none, or a number that is drawn first."""
    count = torch.randint(1, max(2, voices), (n, 1), device=device)
    first = torch.rand(n, voices, device=device).argsort(1) < count
    some = torch.rand(n, 1, device=device) < GIVEN
    return (first & some & (voices > 1))[:, :, None].expand(-1, -1, steps)


class VoicesGAN(GAN):
    """A GAN of voices. G draws each voice in each step, given what came before and voices that are given for all steps.
    D judges the voices together.

    Args:
        temperature: of the choices.
    """

    truncates = False
    G: Generator

    def __init__(self, *args: Any, temperature: float, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.temperature = temperature

    def likely(self, G: OptimizerFactory, **settings: Any) -> list[Player]:
        """G without D, by maximum likelihood."""
        return [Player("G", self.likelihood_losses, G(self.G.parameters()), (self.G,), **settings)]

    def likelihood_losses(self, round: Round) -> Losses:
        """Losses that G minimizes without D."""
        return {"likelihood": likelihood(self.G, round["values"])}

    def _fake(self, round: Round) -> Tensor:
        return round.once("fake", lambda: self._around(round["values"], self._latents(round)), self.G)

    def _around(self, real: Tensor, z: Tensor) -> Tensor:
        """Voices that are drawn around some of the real ones."""
        cells = some_voices(len(real), self.G.voices.count, real.shape[2], real.device)
        return self.drawn(self._noise(z), real, cells, self.temperature)

    def _noise(self, z: Tensor) -> Tensor:
        """Latents as noise of the choices, (n, steps, channels)."""
        return z.view(z.shape[0], -1, self.G.voices.channels)

    def drawn(self, noise: Tensor, given: Tensor, cells: Tensor, temperature: float) -> Tensor:
        """Voices (n, channels, steps), drawn step by step; gradients reach G through all steps.

        Args:
            noise: standard normal, (n, steps, channels).
            given: channels of voices, (n, channels, steps).
            cells: True where a voice is given in a step, (n, voices, steps).
        """
        wide = self.G.voices.wide(cells)
        known = (given * wide).transpose(1, 2)
        heard, wide = self.G.hear(given * wide, cells), wide.transpose(1, 2)
        before, state = torch.zeros_like(known[:, :1]), None
        steps = []
        for i in range(noise.shape[1]):
            step = slice(i, i + 1)
            h, state = self.G.follow(before, heard[:, step], i, state)
            now = known[:, step]
            for voice in range(self.G.voices.count):
                logits = self.G.voice(voice, h, now, before).float() / temperature
                choice = self.G.voices.choose(voice, logits, noise[:, step])
                now = torch.where(wide[:, step], now, now + choice)
            steps.append(now)
            before = now
        return torch.cat(steps, 1).transpose(1, 2)

    def _composed(self, z: Tensor, temperature: float) -> Tensor:
        noise = self._noise(z)
        nothing = noise.new_zeros(noise.shape).transpose(1, 2)
        cells = torch.zeros(z.shape[0], self.G.voices.count, noise.shape[1], dtype=torch.bool, device=z.device)
        return self.drawn(noise, nothing, cells, temperature)

    def values(self, z: Tensor, condition: Tensor | None) -> Tensor:  # noqa: ARG002
        return self._composed(z, self.temperature)

    def graph(self, kind: DataKind, reverse: bool = False) -> Graph:
        """One pass over all steps: what follows from the steps before each, for the same noise. Called again with its
        own output until nothing changes, it returns the sample that is drawn step by step.
        """
        if reverse:
            raise ValueError("it generates from noise and has one direction only")
        voices, steps = self.G.voices, kind.shape[-1]
        dynamic = {0: batch()}
        inputs = (
            Spec("voices", ("n", voices.channels, steps), "given voices, and what the last pass returned; at first 0",
                 "0 or 1", dynamic),
            Spec("known", ("n", voices.count, steps), "True where a voice is given in a step", "", dynamic),
            Spec("z", ("n", steps, voices.channels), "noise of the choices, the same in all passes", "normal", dynamic),
        )  # fmt: skip
        output = Spec("sample", ("n", voices.channels, steps), kind.words.items, kind.describe_values())

        def draw(n: int, variation: int = 0) -> tuple[Tensor, ...]:
            known = torch.rand(n, voices.count, steps) < (0.5 if variation else 0.0)
            logits = torch.zeros(n, steps, voices.channels)
            noise = torch.randn(n, steps, voices.channels)
            return self.chosen(logits, noise).transpose(1, 2), known, torch.randn_like(noise)

        return Graph(Pass(self), inputs, output, draw)

    def chosen(self, logits: Tensor, noise: Tensor) -> Tensor:
        """A choice of every voice in every step, (n, steps, channels).

        Args:
            logits, noise: (n, steps, channels).
        """
        voices = self.G.voices
        parts = zip(torch.split(logits[..., : voices.places], voices.sizes, 2), range(voices.count), strict=True)
        mark = voices.places
        choices = [
            voices.choose(i, torch.cat([pitches, logits[..., mark + i, None]], 2), noise) for pitches, i in parts
        ]
        return torch.stack(choices).sum(0)

    def complete(self, given: Tensors, known: Tensor) -> Tensors:
        """
        Args:
            known: True where a voice is given in a step, (n, voices, steps).
        """
        noise = torch.randn_like(given[VALUES].float()).transpose(1, 2)
        return {VALUES: self.drawn(noise, given[VALUES].float(), known, self.temperature)}

    def sample_truncated(self, z: Tensor, condition: Tensor | None, truncation: float) -> Tensors:  # noqa: ARG002
        """Samples whose temperature is lower by this factor."""
        return {VALUES: self._composed(z, max(SHARPEST, self.temperature * min(1.0, truncation)))}


class Pass(nn.Module):
    """Voices (n, channels, steps), which of them are given (n, voices, steps), and noise (n, steps, channels) ->
    voices.

    Args:
        game: whose samples are generated.
    """

    def __init__(self, game: VoicesGAN) -> None:
        super().__init__()
        self.game = game

    def forward(self, voices: Tensor, known: Tensor, z: Tensor) -> Tensor:
        G = self.game.G
        wide = G.voices.wide(known)
        logits = G(voices, voices * wide, known).float() / self.game.temperature
        return torch.where(wide, voices, self.game.chosen(logits.transpose(1, 2), z).transpose(1, 2))
