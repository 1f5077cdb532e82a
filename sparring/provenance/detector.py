"""A detector of pictures that some models generated: what their D says, the radial spectrum, and a small net."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
import safetensors.torch
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from torch import Tensor, nn
from torch.nn import functional as F

from sparring.errors import InputError, one_line
from sparring.files import write_bytes, write_json
from sparring.folders import check_folder, output_folder
from sparring.json_files import mismatch, read_json
from sparring.layers.degrade import pixels
from sparring.model import Model, load
from sparring.nets.packed import logits, score
from sparring.provenance.degradations import DEGRADATIONS
from sparring.provenance.watermark_nets import resized

DETECTOR = "detector"  # in the marker of its folder
DESCRIPTION, WEIGHTS = "detector.json", "net.safetensors"
WIDTH = 32  # channels of the net
BINS = 16  # of the spectrum
BATCH = 100
MAX_SIZE = 4096  # pixels of a side
SURE = 0.9  # probability from which a verdict is given, one way or the other
SOURCES = ("D", "spectrum", "net")  # of evidence


class PatchNet(nn.Module):
    """Pictures (n, c, h, w) in [-1, 1] -> evidence of each place that they are generated, (n, 1, h / 2, w / 2). Its
    mean is a logit, so that the evidence of places can be seen (BagNets, Brendel and Bethge 2019, arXiv:1904.00760).
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inputs, stride in ((2 * channels, 1), (WIDTH, 2), (WIDTH, 1)):
            layers += [nn.Conv2d(inputs, WIDTH, 3, stride, 1), nn.LeakyReLU(0.2)]
        self.body = nn.Sequential(*layers, nn.Conv2d(WIDTH, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        rough = F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
        evidence: Tensor = self.body(torch.cat([x, 8 * (x - rough)], 1))  # upsampling leaves traces in fine detail
        return evidence


def spectrum(x: Tensor) -> Tensor:
    """Logarithm of the power of pictures (n, c, h, h) at BINS spatial frequencies, (n, BINS): generators have too
    little or too much at high ones (Durall et al. 2020, arXiv:2003.01826).
    """
    gray = pixels.grayscale(x)[:, 0]
    side = gray.shape[-1]
    window = torch.hann_window(side, periodic=False)
    centered = (gray - gray.mean((1, 2), keepdim=True)) * window * window[:, None]
    power = torch.fft.fft2(centered).abs().square()
    frequencies = torch.fft.fftfreq(side)
    radius = torch.hypot(frequencies[:, None], frequencies).flatten()
    bins = (radius / 0.5 * BINS).long()
    inside = bins < BINS
    sums = torch.zeros(len(x), BINS).index_add_(1, bins[inside], power.flatten(1)[:, inside])
    return (sums / torch.bincount(bins[inside], minlength=BINS).clamp(min=1) + 1e-6).log()


class Scores(TypedDict):
    """How well a detector does after a degradation."""

    accuracy: float
    auc: float
    tpr: float
    ece: float


class Judged(TypedDict):
    """What a detector was judged on, and the share of samples of unseen models that it takes for generated."""

    real: int
    generated: int
    unseen: dict[str, float]


class Described(TypedDict):
    """The content of `detector.json`."""

    size: int
    channels: int
    models: list[str]
    data: list[str]
    mean: list[float]
    scale: list[float]
    weights: list[float]
    bias: float
    judged: dict[str, Any]  # `Judged`, and the `Scores` after each degradation


@dataclass(frozen=True)
class Verdict:
    """What a detector says of a picture.

    Attributes:
        probability: that one of its models generated the picture, if half of the pictures are generated.
        evidence: of each source, in logits; positive speaks for generated.
        places: evidence of the net's places, (h, w).
    """

    probability: float
    evidence: dict[str, float]
    places: NDArray[np.float32]

    @property
    def words(self) -> str:
        if self.probability >= SURE:
            return "generated"
        return "not recognized" if self.probability <= 1 - SURE else "cannot be told"


class Detector:
    """Recognizes pictures of some models.

    Attributes:
        models: whose pictures it recognizes.
        net: evidence of places.
        about: what is stored of it besides.
    """

    def __init__(self, models: Sequence[Model], net: PatchNet, about: Described) -> None:
        self.models, self.net, self.about = models, net.eval(), about

    @torch.no_grad()
    def fitted(self, x: Tensor) -> Tensor:
        """Pictures (n, c, h, w) in [-1, 1] in the size and the channels of the models'."""
        x = resized(x, self.about["size"], self.about["size"])
        if self.about["channels"] == 1:
            return pixels.grayscale(x)
        return x.expand(-1, 3, -1, -1)

    @torch.no_grad()
    def features(self, x: Tensor) -> Tensor:
        """What is known of pictures (n, c, h, w) in [-1, 1], in the order of `sources`: (n, features)."""
        parts = []
        for part in torch.split(self.fitted(x), BATCH):
            judged = [logit(model, part) for model in self.models if has_critic(model)]
            own = self.net(part).mean((1, 2, 3))[:, None]
            parts.append(torch.cat([*judged, spectrum(part), own], 1))
        return torch.cat(parts)

    @property
    def sources(self) -> list[str]:
        """The source of each feature."""
        return ["D"] * sum(map(has_critic, self.models)) + ["spectrum"] * BINS + ["net"]

    def weighed(self, features: Tensor) -> Tensor:
        """Evidence of each feature in logits, (n, features)."""
        mean, scale, weights = (torch.tensor(self.about[name]) for name in ("mean", "scale", "weights"))
        return (features - mean) / scale * weights

    def probabilities(self, x: Tensor) -> Tensor:
        """That each of some pictures (n, c, h, w) in [-1, 1] is generated: (n,)."""
        return torch.sigmoid(self.weighed(self.features(x)).sum(1) + self.about["bias"])

    @torch.no_grad()
    def look(self, x: Tensor) -> Verdict:
        """What is said of one picture (1, c, h, w) in [-1, 1]."""
        weighed = self.weighed(self.features(x))[0]
        by_source = dict.fromkeys(SOURCES, 0.0)
        for name, value in zip(self.sources, weighed.tolist(), strict=True):
            by_source[name] += value
        probability = float(torch.sigmoid(weighed.sum() + self.about["bias"]))
        return Verdict(probability, by_source, self.net(self.fitted(x))[0, 0].numpy())

    def save(self, folder: Path, force: bool = False) -> None:
        """Write the detector to a folder, with the models whose D it asks.

        Raises:
            InputError: if something is there and `force` is not set.
        """
        check_folder(folder, DETECTOR, force)
        with output_folder(folder, DETECTOR) as part:
            part.mkdir()
            write_json(part / DESCRIPTION, self.about)
            write_bytes(part / WEIGHTS, safetensors.torch.save(dict(self.net.state_dict())))
            for i, model in enumerate(self.models):
                model.save(part / f"{i}.safetensors")

    @classmethod
    def load(cls, folder: Path, trust: bool = False) -> Detector:
        """
        Args:
            trust: as for `sparring.load`.

        Raises:
            InputError: if there is no detector, or it is damaged.
        """
        if not (folder / DESCRIPTION).is_file():
            raise InputError(f"{folder} is no detector; make one with sparring detector RUN... -o {folder}")
        about = read_json(folder / DESCRIPTION, Described)
        if not 0 < about["size"] <= MAX_SIZE or about["channels"] not in (1, 3):
            raise InputError(f"{folder} is damaged: its pictures have {about['size']} pixels; make another detector")
        models = [load(folder / f"{i}.safetensors", trust=trust) for i in range(len(about["models"]))]
        net = PatchNet(about["channels"])
        known = sum(map(has_critic, models)) + BINS + 1
        if {len(about["mean"]), len(about["scale"]), len(about["weights"])} != {known}:
            raise InputError(
                f"{folder} is damaged: it does not weigh {known} sources of evidence; make another detector"
            )
        judged = about["judged"]
        degraded = {name: judged.get(name) for name in DEGRADATIONS}
        if problem := mismatch(judged, Judged, "judged") or mismatch(degraded, dict[str, Scores], "judged"):
            raise InputError(f"{folder} is damaged: {problem}; make another detector")
        try:
            net.load_state_dict(safetensors.torch.load_file(folder / WEIGHTS))
        except (OSError, SafetensorError, RuntimeError) as error:
            raise InputError(f"{folder} is damaged: {one_line(error)}; make another detector") from error
        return cls(models, net, about)


def has_critic(model: Model) -> bool:
    """True if a model's D judges pictures alone, without their class."""
    return model.game.discriminator() is not None and not model.game.conditional


def logit(model: Model, x: Tensor) -> Tensor:
    """How real a model's D takes pictures for, (n, 1)."""
    D = model.game.discriminator()
    assert D is not None
    return score(logits(D, x.to(model.device), None)).float().cpu()[:, None]
