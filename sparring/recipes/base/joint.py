"""Recipes for items of several parts, each of which is made and judged by nets of its own kind of data."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from torch import nn

from sparring.errors import InputError
from sparring.games.gan import GAN
from sparring.games.joint import Contrast, JointGAN, PartPenalty
from sparring.games.prior import Gumbel, Normal, Prior, Times
from sparring.games.prior import Part as Latents
from sparring.games.terms import Term
from sparring.layers.parts import Parts
from sparring.modalities import Audio, Video
from sparring.modalities.joint import Joint
from sparring.modalities.joint.parts import Part, RowPart
from sparring.nets import caption, dcgan, joint, spectral, table, video
from sparring.nets.discriminator import Discriminator
from sparring.nets.relgan import RepresentationsDiscriminator
from sparring.recipes.base.adversarial import Adversarial
from sparring.recipes.base.fields import Count, Natural, Pixels, Weight, Words, data, generator, losses
from sparring.recipes.base.relativistic import RelativisticGan
from sparring.schedules import cosine

ROW_DEPTH = 2  # residual blocks of the nets of rows
MOST = 256  # channels of a layer of the nets of sounds at most
# Recipe audio penalizes gradients with respect to spectra of compressed magnitudes, which are that much smaller than
# those with respect to waveforms: in silence, small changes of a waveform are large ones of its compressed spectrum.
SOUND_GAMMA = 0.004
MOTION, WAVES = 32, 16  # length of the latents of a film's motion, and waves that it consists of
REPRESENTATIONS = 4  # of a text


@dataclass(frozen=True)
class PartNets:
    """The nets of a part.

    Attributes:
        G: (n, code + own latents) -> (n, *shape).
        judge: makes a net that judges the part alone; another one encodes given parts.
        own: latents of G besides the code.
        gamma: strength of the gradient penalty that such data need.
    """

    G: nn.Module
    judge: Callable[[], Discriminator]
    own: tuple[Latents, ...] = ()
    gamma: float = 1.0


def _pictures(part: Part, code: int, width: int, inner: int, own: int) -> PartNets:  # noqa: ARG001
    channels, size, _ = part.shape
    G = dcgan.Generator(code + own, size, channels, width)
    gamma = 0.4 * (size / 32) ** 2
    return PartNets(G, lambda: dcgan.Discriminator(size, channels, width, "none"), _own(part, own), gamma)


def _rows(part: Part, code: int, width: int, inner: int, own: int) -> PartNets:  # noqa: ARG001
    assert isinstance(part, RowPart)
    rows, columns = part.table, len(part.fields)
    G = joint.Unasked(table.Generator(code, rows.spans(), inner, ROW_DEPTH), columns)

    def judge() -> Discriminator:
        spans = rows.spans()
        return joint.UnaskedDiscriminator(table.Discriminator(spans, inner, ROW_DEPTH), columns, spans.width)

    return PartNets(G, judge, own=(Gumbel(f"{part.name} choices", sum(rows.widths)),), gamma=0.5)


def _sounds(part: Part, code: int, width: int, inner: int, own: int) -> PartNets:  # noqa: ARG001
    channels, length = part.shape
    sounds = part.modality
    assert isinstance(sounds, Audio)

    def spectra() -> spectral.Spectra:
        return spectral.Spectra(channels, length, sounds.frame)

    def judge() -> Discriminator:
        return joint.Viewed(spectral.TurnedSpectra(spectra()), spectral.Discriminator(spectra(), width, MOST))

    return PartNets(spectral.Generator(code + own, spectra(), width, MOST), judge, _own(part, own), SOUND_GAMMA)


def _films(part: Part, code: int, width: int, inner: int, own: int) -> PartNets:  # noqa: ARG001
    channels, frames, size, _ = part.shape
    assert isinstance(part.modality, Video)
    G = video.Generator(code + own, MOTION, WAVES, frames, size, channels, width, loop=bool(part.modality.loop))
    latents = (*_own(part, own), Normal(f"{part.name} motion", MOTION), Times(f"{part.name} times", frames))
    gamma = 2.0 * (size / 32) ** 2
    return PartNets(G, lambda: video.ClipDiscriminator(size, channels, width, frames), own=latents, gamma=gamma)


def _texts(part: Part, code: int, width: int, inner: int, own: int) -> PartNets:  # noqa: ARG001
    length, tokens = part.shape
    G = caption.Generator(code, length, tokens, inner)

    def judge() -> Discriminator:
        return RepresentationsDiscriminator(tokens - 1, REPRESENTATIONS, max(1, inner // 4))

    return PartNets(G, judge, own=(Gumbel(f"{part.name} choices", length * tokens),))


def _own(part: Part, width: int) -> tuple[Latents, ...]:
    """Latents that a part has besides the code, in which it would be alike for all items that share what is given."""
    return (Normal(f"{part.name} z", width),) if width else ()


NETS: Mapping[str, Callable[[Part, int, int, int, int], PartNets]] = {
    "images": _pictures, "rows": _rows, "audio": _sounds, "video": _films, "text": _texts,
}  # fmt: skip


def part_nets(recipe: str, part: Part, code: int, width: int, inner: int, own: int) -> PartNets:
    """The nets of a part.

    Args:
        recipe: its name, for messages.
        code: length of the code that G receives.
        width: channels of convolutions next to the item.
        inner: width of fully connected layers.
        own: number of latents that a picture, a sound or a film has of its own.

    Raises:
        InputError: if no nets are known for this kind of data.
    """
    if part.kind not in NETS:
        raise InputError(f"recipe {recipe!r} cannot join {part.kind}, the kind of part {part.name!r}; leave it out")
    return NETS[part.kind](part, code, width, inner, own)


@dataclass(frozen=True)
class JointRecipe(Adversarial[Joint]):
    """How items of several parts are read."""

    takes: ClassVar[tuple[Joint, ...]] = (Joint(),)
    path_fields: ClassVar[tuple[str, ...]] = ("table", "match")

    table: str = data("", "table that names the files; empty: one beside them, if any", sets="table")
    match: str = data("", "another data set, whose items of the same class are the other part", sets="match")
    columns: Words = data((), "columns that rows consist of; empty: all that are suitable", sets="columns")
    size: Pixels = data(0, "height and width of pictures and frames; 0: chosen from the data", sets="size")
    seconds: Weight = data(0.0, "length of sounds; 0: covers most of the sounds", sets="seconds")


@dataclass(frozen=True)
class JointNets(JointRecipe, RelativisticGan[Joint]):
    """A generator and a discriminator of each part by its own kind of data, and a D of all parts together, with the
    game of `RelativisticGan`.
    """

    bf16: ClassVar[tuple[str, ...]] = ("joint",)

    codes: Count = generator(128, "length of the code from which a part is generated")
    own: Natural = generator(64, "latents of each picture, sound and film, besides those of all parts together")
    width: Count = generator(32, "channels of the layers next to pictures, frames and spectra, in G and D")
    inner: Count = generator(256, "width of fully connected layers, in G and D")
    depth: Natural = generator(2, "residual blocks before the heads")
    contrast: Weight = losses(0.5, "weight of finding an item's other parts in the batch, in the losses of D and G")
    read: Weight = losses(2.0, "weight of the likelihood of rows and texts given other parts, in G's loss")

    def game_class(self, modality: Joint) -> Callable[..., GAN]:  # noqa: ARG002
        return partial(JointGAN, read=self.read)

    @abstractmethod
    def latents(self, modality: Joint) -> list[Latents]:
        """Latents of the trunks."""

    @abstractmethod
    def build_generator(
        self, layout: Parts, heads: list[nn.Module], own: list[int], encoders: list[nn.Module]
    ) -> nn.Module:
        """G of heads, which have some latents of their own, and of encoders of given parts."""

    def nets_of_parts(self, modality: Joint) -> list[PartNets]:
        """The nets of each part."""
        return [part_nets(self.name, part, self.codes, self.width, self.inner, self.own) for part in modality.parts]

    def prior(self, modality: Joint) -> Prior:
        own = [part for nets in self.nets_of_parts(modality) for part in nets.own]
        return Prior(*self.latents(modality), *own)

    def nets(self, modality: Joint) -> tuple[nn.Module, Discriminator]:
        each = self.nets_of_parts(modality)
        own = [sum(part.width for part in nets.own) for nets in each]
        encoders: list[nn.Module] = [joint.Encoder(nets.judge(), joint.EMBEDDING) for nets in each]
        G = self.build_generator(modality.layout, [nets.G for nets in each], own, encoders)
        return G, joint.Discriminator(modality.layout, [nets.judge() for nets in each], self.inner)

    def terms(self, modality: Joint, G: nn.Module, D: Discriminator) -> Sequence[Term]:  # noqa: ARG002
        strengths = [nets.gamma for nets in self.nets_of_parts(modality)]
        gamma = partial(cosine, self.gamma, self.gamma_end, share=self.burn_in)
        penalties = [PartPenalty(name, gamma, modality.layout, strengths, self.lazy) for name in ("R1", "R2")]
        return [*penalties, *([Contrast(modality.layout, self.contrast)] if self.contrast else [])]
