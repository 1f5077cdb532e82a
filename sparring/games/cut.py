"""Image translation without pairs in one direction, by patchwise contrastive learning (CUT). Park et al. 2020,
arXiv:2007.15651.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sparring.games.discriminator_pass import DiscriminatorPass
from sparring.games.terms import Term
from sparring.nets import perceptual
from sparring.nets.image_to_image import ImageToImage
from sparring.nets.translator import Translator

TEMPERATURE = 0.07


class Contrasted(ImageToImage):
    """CUT's G with projection heads for its layers: two linear layers each, onto the unit sphere.

    Args:
        net: the generator.
        width: of the heads.
    """

    def __init__(self, net: Translator, width: int) -> None:
        super().__init__()
        self.net = net
        self.times, self.stride, self.reach = net.times, net.stride, net.reach
        self.heads = nn.ModuleList(
            nn.Sequential(nn.Linear(channels, width), nn.ReLU(), nn.Linear(width, width)) for channels in net.channels
        )

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.net(x)
        return y

    def vectors(self, x: Tensor, places: list[Tensor] | None, patches: int) -> tuple[list[Tensor], list[Tensor]]:
        """Unit vectors (n, patches, width) of some positions of each layer; and the positions."""
        found, chosen = at_places(self.net.taps(x), places, patches)
        return [F.normalize(head(h).float(), dim=2) for h, head in zip(found, self.heads, strict=True)], chosen


def at_places(maps: Sequence[Tensor], places: list[Tensor] | None, patches: int) -> tuple[list[Tensor], list[Tensor]]:
    """The vectors (n, patches, channels) at some positions of each map (n, channels, h, w); and the positions.

    Args:
        places: positions of each map; None to draw as many as `patches`.
    """
    found, chosen = [], []
    for i, h in enumerate(maps):
        flat = h.flatten(2).transpose(1, 2)  # (n, places, channels)
        where = torch.randperm(flat.shape[1], device=h.device)[:patches] if places is None else places[i]
        found.append(flat[:, where])
        chosen.append(where)
    return found, chosen


class Contrast(Term):
    """PatchNCE loss: a patch of the output should match the patch at the same position of the input, and no other. With
    `identity`, the same for images that are in the target domain already. Section 3, eq. 4 and 5.

    Args:
        G: the generator whose layers are compared.
        weight: of either half.
        patches: number of patches per layer and image.
        identity: whether to include the second half.
    """

    def __init__(self, G: Contrasted, weight: float, patches: int, identity: bool) -> None:
        super().__init__("contrast", weight, of=("G",))
        self._G = (G,)  # in a tuple, so that it stays the game's own
        self.patches, self.identity = patches, identity

    def forward(self, outputs: DiscriminatorPass) -> Tensor:
        assert outputs.condition is not None
        (G,) = self._G
        apart = self._apart(outputs.condition, outputs.fake)
        return (apart + self._apart(outputs.real, G.padded(outputs.real))) / 2 if self.identity else apart

    def _apart(self, given: Tensor, made: Tensor) -> Tensor:
        (G,) = self._G
        with torch.no_grad():  # only what is made is to move
            wanted, places = G.vectors(given, None, self.patches)
        found, _ = G.vectors(made, places, self.patches)
        return patch_nce(found, wanted)


class PerceptualContrast(Term):
    """PatchNCE loss in the maps of a fixed net trained on ImageNet, without heads: `perceptual.maps`.

    Args:
        weight: of the term.
        patches: number of patches per map and image.
    """

    def __init__(self, weight: float, patches: int) -> None:
        super().__init__("perceptual", weight, of=("G",))
        self.patches = patches

    def forward(self, outputs: DiscriminatorPass) -> Tensor:
        assert outputs.condition is not None
        given, made = perceptual.crop(outputs.condition, outputs.fake)
        with torch.no_grad():
            wanted, places = at_places(perceptual.maps(given), None, self.patches)
        found, _ = at_places(perceptual.maps(made), places, self.patches)
        return patch_nce(found, wanted)


def patch_nce(found: Sequence[Tensor], wanted: Sequence[Tensor]) -> Tensor:
    """Cross entropy of each unit vector's own position among all positions of its image, 0-d. Eq. 3 of the paper.

    Args:
        found, wanted: vectors (n, patches, channels) of each layer of generated and of given images.
    """
    losses = []
    for query, key in zip(found, wanted, strict=True):
        alike = query @ key.transpose(1, 2) / TEMPERATURE  # (n, patches, patches)
        own = torch.arange(alike.shape[1], device=alike.device).expand(len(alike), -1)
        losses.append(F.cross_entropy(alike.flatten(0, 1), own.flatten()))
    return torch.stack(losses).mean()
