"""A game of rows whose G also imputes single columns by maximum likelihood, by which samples are refined."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from sparring.data.tensors import VALUES, Tensors
from sparring.games.discriminator_pass import DiscriminatorPass
from sparring.games.gan import GAN
from sparring.games.graph import CPU, DataKind, Graph, Spec, condition_specs, conditions, describe_latents, output_spec
from sparring.games.terms import Term
from sparring.nets.table import Generator, Redraw

# Calibration: rounds, and samples per round and per batch; one round of a few samples if there is little time.
ROUNDS, DRAWN, BATCH = 3, 4096, 1024
MIN_DRAWN = 128
MEASURED = 8  # columns, to estimate how long all of them take


class Filled(Term):
    """Cross entropy of the one free column, in rows where all others are given.

    The distribution of one column given all others needs no adversary: maximum likelihood has the same optimum and
    reaches it sooner. The sum over columns is the pseudo-likelihood of Besag 1975, doi:10.2307/2987782.

    Args:
        G: the generator.
        weight: of the term.
    """

    def __init__(self, G: Generator, weight: float) -> None:
        super().__init__("filled", weight, of=("G",))
        self._G = (G,)  # in a tuple, so that its weights stay its own

    def forward(self, outputs: DiscriminatorPass) -> Tensor:
        (G,), condition = self._G, outputs.condition
        assert condition is not None
        z, asked, real = outputs.z, condition, outputs.real
        if z.device.type == "cpu":  # on an accelerator, the host would wait for the number of such rows
            rows = _single_gap(asked)
            z, asked, real = z[rows], asked[rows], real[rows]
        return single_gap_loss(G, z, asked, real)


def _single_gap(asked: Tensor) -> Tensor:
    """True for the rows of conditions (n, columns) in which one column is free."""
    return (asked < 0).sum(1) == 1


def single_gap_loss(G: Generator, z: Tensor, asked: Tensor, real: Tensor) -> Tensor:
    """Mean cross entropy of the free column, over the rows in which one is; 0 if there are none.

    Args:
        z: latents (n, width).
        asked: conditions (n, columns), negative where a column is free.
        real: (n, places and more).
    """
    logits = G.logits(z, asked).float()[:, : G.spans.places]
    single = _single_gap(asked)
    gap = ((asked < 0) & single[:, None])[:, G.spans.span]  # (n, places)
    chosen = (G.spans.softmax(logits) + 1e-9).log() * real[:, : G.spans.places].float()
    return -(chosen * gap).sum() / single.sum().clamp(min=1)


class FilledGAN(GAN):
    """A GAN of rows whose samples are refined by Gibbs sweeps: each column is drawn again given all others.

    Args:
        sweeps: number of sweeps.
        last: the column that is drawn last. The other arguments are those of `GAN`.
    """

    batch_dependent = True
    offset: Tensor

    def __init__(self, *args: Any, sweeps: int, last: int, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.sweeps, self.last = sweeps, last
        assert isinstance(self.G, Generator)
        self.register_buffer(
            "offset", torch.zeros(self.G.z + self.G.spans.places)
        )  # added to the latents of returned samples

    @torch.no_grad()
    def calibrate(self, shares: Tensor, condition: Callable[[int], Tensor], seconds: float = math.inf) -> None:
        """Shift the logits of samples until every level is as frequent as in the data.

        Args:
            shares: relative frequency of each level in its column, (places,).
            condition: n -> conditions of n samples.
            seconds: how long that may take, about. Frequencies are measured on fewer samples if there is less time.
        """
        assert isinstance(self.G, Generator)
        places = self.G.spans.places
        rounds, drawn = self._effort(seconds)
        self.offset.zero_()
        for _ in range(rounds):
            made = torch.zeros(places, device=self.offset.device)
            for begin in range(0, drawn, BATCH):
                given = condition(min(BATCH, drawn - begin))
                made += self.sample(self.draw(len(given), given.device), given)[VALUES][:, :places].float().sum(0)
            known = 1 / drawn + shares.to(made)
            self.offset[self.G.z :] += (known.log() - (1 / drawn + made / drawn).log()).clamp(-1, 1)

    def _effort(self, seconds: float) -> tuple[int, int]:
        """Rounds of a calibration, and samples per round, that take about so long."""
        if math.isinf(seconds):
            return ROUNDS, DRAWN
        least, usual = self.calibration_seconds()
        rounds = int(min(ROUNDS, max(1.0, seconds / least)))
        share = (seconds - rounds * least) / max(1e-9, usual - rounds * least)
        return rounds, MIN_DRAWN + int((DRAWN - MIN_DRAWN) * min(1.0, max(0.0, share)))

    def calibration_seconds(self) -> tuple[float, float]:
        """How long `calibrate` takes at least, and usually, about: a few of its many calls of G are measured."""
        return self._sample_seconds(MIN_DRAWN), ROUNDS * self._sample_seconds(BATCH) * DRAWN / BATCH

    @torch.no_grad()
    def _sample_seconds(self, rows: int) -> float:
        """How long drawing some samples takes: whole rows twice, and every column again in each sweep."""
        assert isinstance(self.G, Generator)
        spans, device = self.G.spans, self.offset.device
        z, asked = self.draw(rows, device), torch.full((rows, spans.spans), -1, device=device)
        columns = range(0, spans.spans, -(-spans.spans // MEASURED))
        for _ in range(2):  # the first one warms up
            began = time.monotonic()
            redraw = Redraw(self.G, spans.codes(self.values(z, asked)[:, : spans.places]))
            whole = time.monotonic()
            for i in columns:
                self._redraw(redraw, i)
            column = (time.monotonic() - whole) / len(columns)
        return 2 * (whole - began) + self.sweeps * spans.spans * column

    def sample(self, z: Tensor, condition: Tensor | None, requested: Tensor | None = None) -> Tensors:
        assert isinstance(self.G, Generator)
        assert condition is not None
        spans = self.G.spans
        x = self.values(z + self.offset, condition)
        free = [requested is None or bool(requested[i] < 0) for i in range(spans.spans)]
        if not any(free):
            return {VALUES: x}
        codes = spans.codes(x[:, : spans.places])
        redraw = Redraw(self.G, codes)
        for sweep in range(self.sweeps):
            order = [i for i in torch.randperm(spans.spans).tolist() if i != self.last]
            *first, last = [i for i in (*order, self.last) if free[i]]
            for i in first if sweep == self.sweeps - 1 else (*first, last):
                self._redraw(redraw, i)
        if self.sweeps:  # the last column with all scalars, which belong to the codes of all others
            codes[:, last] = -1
            x = self.values(self.draw(len(z), z.device) + self.offset, codes)
        return {VALUES: x}

    def _redraw(self, redraw: Redraw, column: int) -> None:
        """Draw a column again, with the latents that `draw` would return."""
        assert isinstance(self.G, Generator)
        n, device, place = len(redraw.codes), redraw.codes.device, self.G.spans.places_of(column)
        *parts, choices = self.prior.parts
        z = torch.cat([part.draw(n, device, None) for part in parts], 1) + self.offset[: self.G.z]
        redraw(column, z, choices.draw_columns(n, device, place) + self.offset[self.G.z :][place])

    def graph(self, kind: DataKind, reverse: bool = False) -> Graph:
        """Rows after one Gibbs sweep, with the latents of every draw and the columns that are kept as inputs."""
        if reverse:
            raise ValueError("it generates from noise and has one direction only")
        net = Sweep(self)
        (label,) = condition_specs(self, kind)

        def draw(n: int, variation: int = 0) -> tuple[Tensor, ...]:
            z = self.draw(n * net.draws, CPU).view(n, net.draws, -1)
            (condition,) = conditions(self, kind, n)
            return z, condition, torch.rand(condition.shape) < (0.5 if variation else 0.0)

        latents = describe_latents(self.prior, "latents of a row and of each redrawn column")
        z = Spec("z", ("n", net.draws, self.prior.width), latents)
        keep = Spec("keep", label.shape, "True if a column is kept as given in label; the others are redrawn")
        return Graph(net, (z, label, keep), output_spec(kind), draw)


class Sweep(nn.Module):
    """Latents (n, draws, width), codes (n, columns), and which of them are kept (n, columns) -> rows, as
    `FilledGAN.sample` generates them, except that columns are always redrawn in the same order.

    Args:
        game: whose samples are generated.

    Attributes:
        draws: latent vectors per row.
    """

    columns: Tensor

    def __init__(self, game: FilledGAN) -> None:
        super().__init__()
        self.game = game
        assert isinstance(game.G, Generator)
        self.spans = game.G.spans
        order = [*(i for i in range(self.spans.spans) if i != game.last), game.last]
        self.order = order * game.sweeps
        self.draws = 1 + len(self.order)
        self.register_buffer("columns", torch.arange(self.spans.spans), persistent=False)

    def forward(self, z: Tensor, label: Tensor, keep: Tensor) -> Tensor:
        game, spans = self.game, self.spans
        x = game.values(z[:, 0] + game.offset, label)
        for i, column in enumerate(self.order):
            codes = torch.where(self.columns == column, -1, spans.codes(x[:, : spans.places]))
            redrawn = game.values(z[:, i + 1] + game.offset, codes)
            x = torch.where(keep[:, column, None], x, redrawn)
        return x
