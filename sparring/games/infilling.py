"""A game of voices whose G fills in what is unknown; samples are drawn by filling in again and again."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import Dim
from torch.optim import Optimizer

from sparring.data.tensors import VALUES, Tensors
from sparring.games.discriminator_pass import DiscriminatorPass
from sparring.games.gan import GAN
from sparring.games.graph import BATCH, DataKind, Graph, Spec
from sparring.games.terms import Term
from sparring.loop import Losses, Player, Round
from sparring.nets.infilling import Generator

OptimizerFactory = Callable[[Iterable[nn.Parameter]], Optimizer]
BLOCKS = (1, 2, 4, 8)  # steps that are unknown together; each sample has blocks of one of these lengths
WHOLE = 0.25  # share of the samples of which entire voices are unknown, and the others known
FIRST, LAST, FALLING = 1.0, 0.1, 0.75  # share of unknown cells in the first pass and from FALLING of the passes on
DRAFT = 12  # passes of samples that are scored during training
SHARPEST = 0.05  # lowest temperature


class Likelihood(Term):
    """Mean negative log likelihood of unknown cells, given those that are known: the loss of an orderless
    autoregressive model. Uria et al. 2013, arXiv:1310.1757, eq. 9; on chorales Huang et al. 2019, arXiv:1903.07227.

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
    """Mean negative log likelihood of the unknown cells of real voices (n, channels, steps), in nats per cell."""
    unknown = hidden(real, G.voices.count, torch.rand(len(real), 1, 1, device=real.device))
    z = torch.randn(len(real), G.z, real.shape[2], device=real.device)
    logits = G(*given(G, real, ~unknown), z).float()
    cells = -G.voices.likelihood(logits, real.float()) * unknown
    each = cells.sum((1, 2)) / unknown.sum((1, 2)).clamp(min=1)
    return each.mean()


def hidden(like: Tensor, voices: int, share: Tensor) -> Tensor:
    """Random cells that are unknown, (n, voices, steps): blocks of voices, or voices as a whole.

    Args:
        like: samples (n, channels, steps).
        share: of unknown cells in each sample, (n, 1, 1).
    """
    n, _, steps = like.shape
    blocks = blocked(n, voices, steps, share, like.device)
    whole = torch.rand(n, voices, 1, device=like.device).argsort(1) >= torch.randint(
        1, max(2, voices), (n, 1, 1), device=like.device
    )
    entire = torch.rand(n, 1, 1, device=like.device) < WHOLE
    return torch.where(entire, whole, blocks)


def blocked(n: int, voices: int, steps: int, share: Tensor | float, device: torch.device) -> Tensor:
    """Random blocks of cells, (n, voices, steps), of a length that each sample draws, from a random step on."""
    place = torch.arange(steps, device=device)
    length = torch.tensor(BLOCKS, device=device)[torch.randint(len(BLOCKS), (n, 1, 1), device=device)]
    first = torch.randint(max(BLOCKS), (n, voices, 1), device=device)
    return torch.rand(n, voices, steps + max(BLOCKS), device=device).gather(2, (place + first) // length) < share


def given(G: Generator, x: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
    """What G is given of samples: the channels of known cells, and which those are."""
    return x * G.voices.wide(known), known


class InfillingGAN(GAN):
    """A GAN of voices. G fills in unknown cells in one pass, and D judges the voices with their known parts. Samples
    are drawn by block Gibbs sampling with a falling share of unknown cells (Yao et al. 2014, arXiv:1409.0585, eq. 7).

    D sees what the sampler makes: in training, a large part of real voices is filled in, then a smaller part of the
    result again, through which G's gradient flows.

    Args:
        passes: of a sample that a model returns.
        temperature: of the choices in a sample's passes.
    """

    batch_dependent = True
    G: Generator

    def __init__(self, *args: Any, passes: int, temperature: float, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.passes, self.temperature = passes, temperature

    def likely(self, G: OptimizerFactory, **settings: Any) -> list[Player]:
        """G without D, by maximum likelihood."""
        return [Player("G", self.likelihood_losses, G(self.G.parameters()), (self.G,), **settings)]

    def likelihood_losses(self, round: Round) -> Losses:
        """Losses that G minimizes without D."""
        return {"likelihood": likelihood(self.G, round["values"])}

    def _fake(self, round: Round) -> Tensor:
        return round.once("fake", lambda: self.refilled(round["values"]), self.G)

    def refilled(self, real: Tensor) -> Tensor:
        """Real voices of which most was filled in, and then a part again."""
        voices, device = self.G.voices.count, real.device
        with torch.no_grad():
            first = hidden(real, voices, 0.5 + 0.5 * torch.rand(len(real), 1, 1, device=device))
            x = self.fill_in(real, first, *self._noise(real))
        again = blocked(len(real), voices, real.shape[2], 0.5 * torch.rand(len(real), 1, 1, device=device), device)
        return self.fill_in(x, first & again, *self._noise(real))

    def _noise(self, like: Tensor) -> tuple[Tensor, Tensor]:
        n, channels, steps = like.shape
        noise = torch.randn(n, self.G.z + channels, steps, device=like.device)
        return noise[:, : self.G.z], noise[:, self.G.z :]

    def fill_in(self, x: Tensor, unknown: Tensor, z: Tensor, noise: Tensor, temperature: float = 1.0) -> Tensor:
        """Voices of which unknown cells (n, voices, steps) were drawn at once."""
        logits = self.G(*given(self.G, x, ~unknown), z).float() / temperature
        return torch.where(self.G.voices.wide(unknown), self.G.voices.chosen(logits, noise), x)

    def values(self, z: Tensor, condition: Tensor | None) -> Tensor:  # noqa: ARG002
        """All cells in one pass: the first of those that make a sample."""
        noise = z.view(len(z), -1, self.G.z + self.G.voices.channels).transpose(1, 2)
        nothing = noise.new_zeros(len(z), self.G.voices.channels, noise.shape[2])
        unknown = torch.ones(len(z), self.G.voices.count, noise.shape[2], dtype=torch.bool, device=z.device)
        return self.fill_in(nothing, unknown, noise[:, : self.G.z], noise[:, self.G.z :])

    @torch.no_grad()
    def refine(self, x: Tensor, free: Tensor, passes: int, temperature: float) -> Tensor:
        """Voices whose free cells are drawn by block Gibbs sampling.

        Args:
            x: channels (n, channels, steps).
            free: True where a cell is drawn, (n, voices, steps).
        """
        n, voices, steps = free.shape
        for i in range(passes):
            share = max(LAST, FIRST - (FIRST - LAST) * i / max(1.0, FALLING * (passes - 1)))
            unknown = free & blocked(n, voices, steps, share, x.device)
            x = self.fill_in(x, unknown, *self._noise(x), temperature)
        return x

    def _drawn(self, z: Tensor, passes: int, temperature: float) -> Tensors:
        x = self.values(z, None)
        free = torch.ones(len(x), self.G.voices.count, x.shape[2], dtype=torch.bool, device=x.device)
        return {VALUES: self.refine(x, free, passes, temperature)}

    def generate(self, z: Tensor, condition: Tensor | None) -> Tensors:  # noqa: ARG002
        return self._drawn(z, min(DRAFT, self.passes), self.temperature)

    def sample(self, z: Tensor, condition: Tensor | None, requested: Tensor | None = None) -> Tensors:  # noqa: ARG002
        return self._drawn(z, self.passes, self.temperature)

    def graph(self, kind: DataKind, reverse: bool = False) -> Graph:
        """One pass: voices whose unknown cells are drawn at once. The sampler of `refine` calls it again and again."""
        if reverse:
            raise ValueError("it fills in voices and has one direction only")
        voices, width = self.G.voices, self.G.z + self.G.voices.channels
        steps = kind.shape[-1]
        dynamic = {0: BATCH, 2: Dim("steps", min=2)}
        inputs = (
            Spec("voices", ("n", voices.channels, "steps"), "voices; unknown cells are ignored", "0 or 1", dynamic),
            Spec("known", ("n", voices.count, "steps"), "True where a voice is given in a step", "", dynamic),
            Spec("z", ("n", width, "steps"), f"{self.G.z} latents and the noise of {voices.channels} choices", "normal",
                 dynamic),
        )  # fmt: skip
        output = Spec("sample", ("n", voices.channels, "steps"), kind.words.items, kind.describe_values())

        def draw(n: int, variation: int = 0) -> tuple[Tensor, ...]:
            length = steps + 8 * variation
            known = torch.rand(n, voices.count, length) < (0.5 if variation else 0.0)
            x = voices.chosen(torch.zeros(n, voices.channels, length), torch.randn(n, voices.channels, length))
            return x, known, torch.randn(n, width, length)

        return Graph(FillIn(self), inputs, output, draw)

    def complete(self, given: Tensors, known: Tensor) -> Tensors:
        """
        Args:
            known: True where a voice is given in a step, (n, voices, steps).
        """
        return {VALUES: self.refine(given[VALUES], ~known, self.passes, self.temperature)}

    def sample_truncated(self, z: Tensor, condition: Tensor | None, truncation: float) -> Tensors:  # noqa: ARG002
        """Samples whose temperature is lower by this factor."""
        return self._drawn(z, self.passes, max(SHARPEST, self.temperature * min(1.0, truncation)))


class FillIn(nn.Module):
    """Voices (n, channels, steps), which cells are known (n, voices, steps), and noise (n, z + channels, steps) ->
    voices.

    Args:
        game: whose samples are generated.
    """

    def __init__(self, game: InfillingGAN) -> None:
        super().__init__()
        self.game = game

    def forward(self, voices: Tensor, known: Tensor, z: Tensor) -> Tensor:
        noise, choices = z[:, : self.game.G.z], z[:, self.game.G.z :]
        return self.game.fill_in(voices, ~known, noise, choices, self.game.temperature)
