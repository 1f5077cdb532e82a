"""Image translation without pairs in one direction, by patchwise contrastive learning (CUT). Park et al. 2020,
arXiv:2007.15651.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sparring.games.discriminator_pass import DiscriminatorPass
from sparring.games.terms import Term
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
        found, chosen = [], []
        for i, (h, head) in enumerate(zip(self.net.taps(x), self.heads, strict=True)):
            flat = h.flatten(2).transpose(1, 2)  # (n, places, channels)
            where = torch.randperm(flat.shape[1], device=x.device)[:patches] if places is None else places[i]
            found.append(F.normalize(head(flat[:, where]).float(), dim=2))
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
        losses = []
        for query, key in zip(found, wanted, strict=True):
            alike = query @ key.transpose(1, 2) / TEMPERATURE  # (n, patches, patches)
            own = torch.arange(alike.shape[1], device=alike.device).expand(len(alike), -1)
            losses.append(F.cross_entropy(alike.flatten(0, 1), own.flatten()))
        return torch.stack(losses).mean()
