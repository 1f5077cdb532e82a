"""Grey pictures are coloured."""

from __future__ import annotations

from dataclasses import dataclass

from sparring.errors import InputError
from sparring.layers.degrade import parse
from sparring.losses.adversarial import AdversarialLoss, non_saturating
from sparring.modalities import Degraded
from sparring.nets.patchgan import PatchGAN, deep
from sparring.nets.picture_net import PictureNet
from sparring.nets.unet import UNet
from sparring.recipes.base import Count, Restoring, Weight, Words, generator


@dataclass(frozen=True)
class Colorize(Restoring):
    """Grey pictures get colours.

    Nazeri et al. 2018, "Image colorization with generative adversarial networks", arXiv:1803.05400: the U-Net of
    pix2pix with grey for what is given. D sees the grey picture too; without D, the mean of all likely colours would
    do, which is brown.

    sparring train photos/ --recipe colorize
    """

    degrade: Words = ("grey",)
    width: Count = generator(32, "channels of the first layer")
    content: Weight = 0.0

    def check(self) -> None:
        super().check()
        chain = parse(self.degrade)
        if chain.channels(3) != 1 or chain.times != 1:
            raise InputError(
                f"degrade={','.join(self.degrade)} is not to be coloured; let it take colours, not pixels: grey"
            )

    def net(self, modality: Degraded) -> PictureNet:
        if modality.channels < 3:
            raise InputError("these pictures have no colours to learn; give coloured ones")
        depth = max(1, min(5, modality.size.bit_length() - 3))
        return UNet(modality.given, modality.channels, self.width, depth, "batch", "resize", dropout=0.0)

    def judge(self, modality: Degraded) -> PatchGAN:
        return PatchGAN(
            modality.channels, modality.given, self.D, deep(modality.size, self.layers), norm="none", spectral=True
        )

    def adversary(self) -> AdversarialLoss:
        return non_saturating()
