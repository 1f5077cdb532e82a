"""The nets of other projects in the layouts in which they are published, written from PyTorch's layers alone: an
independent reference for `sparring import`. Weights are random.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import weight_norm

HIFIGAN = {  # the JSON of the versions
    name: {
        "resblock": block, "upsample_rates": rates, "upsample_kernel_sizes": [2 * rate for rate in rates],
        "upsample_initial_channel": width, "resblock_kernel_sizes": kernels, "resblock_dilation_sizes": dilations,
        "segment_size": 8192, "num_mels": 80, "n_fft": 1024, "hop_size": 256, "win_size": 1024,
        "sampling_rate": 22050, "fmin": 0, "fmax": 8000,
    }
    for name, block, rates, width, kernels, dilations in (
        ("V1", "1", [8, 8, 2, 2], 512, [3, 7, 11], [[1, 3, 5]] * 3),
        ("V2", "1", [8, 8, 2, 2], 128, [3, 7, 11], [[1, 3, 5]] * 3),
        ("V3", "2", [8, 8, 4], 256, [3, 5, 7], [[1, 2], [2, 6], [3, 12]]),
    )
}  # fmt: skip


def randomize(net: nn.Module, seed: int = 0) -> nn.Module:
    """Weights and running statistics that reveal errors."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in net.state_dict().items():
            if name.endswith("running_var"):
                tensor.uniform_(0.5, 2, generator=generator)
            elif tensor.is_floating_point():
                inputs = tensor[0].numel() if tensor.ndim else 1
                factor = inputs == 1 and name.endswith(("weight", "original0"))  # of a channel
                tensor.normal_(1.5 if factor else 0.0, 0.2 if inputs == 1 else inputs**-0.5, generator=generator)
    return net.eval()


class Block(nn.Module):
    def __init__(self, width: int, dropout: bool) -> None:
        super().__init__()
        layers = [nn.ReflectionPad2d(1), nn.Conv2d(width, width, 3), nn.InstanceNorm2d(width), nn.ReLU()]
        layers += [nn.Dropout(0.5)] if dropout else []
        self.conv_block = nn.Sequential(
            *layers, nn.ReflectionPad2d(1), nn.Conv2d(width, width, 3), nn.InstanceNorm2d(width)
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv_block(x)


class Resnet(nn.Module):
    """CycleGAN's generator."""

    def __init__(self, width: int = 64, blocks: int = 9, channels: int = 3, dropout: bool = False) -> None:
        super().__init__()
        w = width
        self.model = nn.Sequential(
            nn.ReflectionPad2d(3), nn.Conv2d(channels, w, 7), nn.InstanceNorm2d(w), nn.ReLU(),
            nn.Conv2d(w, 2 * w, 3, stride=2, padding=1), nn.InstanceNorm2d(2 * w), nn.ReLU(),
            nn.Conv2d(2 * w, 4 * w, 3, stride=2, padding=1), nn.InstanceNorm2d(4 * w), nn.ReLU(),
            *[Block(4 * w, dropout) for _ in range(blocks)],
            nn.ConvTranspose2d(4 * w, 2 * w, 3, stride=2, padding=1, output_padding=1), nn.InstanceNorm2d(2 * w),
            nn.ReLU(), nn.ConvTranspose2d(2 * w, w, 3, stride=2, padding=1, output_padding=1), nn.InstanceNorm2d(w),
            nn.ReLU(), nn.ReflectionPad2d(3), nn.Conv2d(w, channels, 7), nn.Tanh(),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x)


class Level(nn.Module):
    """A level of pix2pix's generator, with the next one inside."""

    def __init__(self, outer: int, inner: int, inside: nn.Module | None, given: int = 0, norm: str = "batch") -> None:
        super().__init__()
        self.outermost, bias = given > 0, norm == "instance"
        normed = nn.BatchNorm2d if norm == "batch" else nn.InstanceNorm2d
        down = nn.Conv2d(given or outer, inner, 4, stride=2, padding=1, bias=bias)
        up = nn.ConvTranspose2d(
            inner if inside is None else 2 * inner, outer, 4, stride=2, padding=1, bias=bias or self.outermost
        )
        if self.outermost:
            layers = [down, inside, nn.ReLU(), up, nn.Tanh()]
        elif inside is None:
            layers = [nn.LeakyReLU(0.2, inplace=True), down, nn.ReLU(), up, normed(outer)]
        else:
            layers = [nn.LeakyReLU(0.2, inplace=True), down, normed(inner), inside, nn.ReLU(), up, normed(outer)]
        self.model = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        y = self.model(x)
        return y if self.outermost else torch.cat([x, y], 1)


class Unet(nn.Module):
    """pix2pix's generator."""

    def __init__(self, depth: int = 8, width: int = 64, given: int = 3, channels: int = 3, norm: str = "batch") -> None:
        super().__init__()
        widths = [width * min(8, 2**i) for i in range(depth)]
        level = None
        for outer, inner in reversed(list(pairwise(widths))):
            level = Level(outer, inner, level, norm=norm)
        self.model = Level(channels, width, level, given, norm)

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x)


class Residuals(nn.Module):
    """A residual block of HiFi-GAN's generator."""

    def __init__(self, width: int, kernel: int, dilations: list[int], pairs: bool) -> None:
        super().__init__()
        convs = [
            weight_norm(nn.Conv1d(width, width, kernel, dilation=d, padding=d * (kernel - 1) // 2)) for d in dilations
        ]
        plain = [weight_norm(nn.Conv1d(width, width, kernel, padding=(kernel - 1) // 2)) for _ in dilations]
        self.pairs = pairs
        if pairs:
            self.convs1, self.convs2 = nn.ModuleList(convs), nn.ModuleList(plain)
        else:
            self.convs = nn.ModuleList(convs)

    def forward(self, x: Tensor) -> Tensor:
        if not self.pairs:
            for conv in self.convs:
                x = conv(F.leaky_relu(x, 0.1)) + x
            return x
        for first, second in zip(self.convs1, self.convs2, strict=True):
            x = second(F.leaky_relu(first(F.leaky_relu(x, 0.1)), 0.1)) + x
        return x


class Vocoder(nn.Module):
    """HiFi-GAN's generator, of a JSON."""

    def __init__(self, config: dict) -> None:
        super().__init__()
        width = config["upsample_initial_channel"]
        self.conv_pre = weight_norm(nn.Conv1d(config["num_mels"], width, 7, padding=3))
        self.ups, self.resblocks = nn.ModuleList(), nn.ModuleList()
        for rate, kernel in zip(config["upsample_rates"], config["upsample_kernel_sizes"], strict=True):
            up = nn.ConvTranspose1d(width, width // 2, kernel, rate, padding=(kernel - rate) // 2)
            self.ups.append(weight_norm(up))
            width //= 2
            for size, dilations in zip(config["resblock_kernel_sizes"], config["resblock_dilation_sizes"], strict=True):
                self.resblocks.append(Residuals(width, size, dilations, config["resblock"] == "1"))
        self.conv_post = weight_norm(nn.Conv1d(width, 1, 7, padding=3))

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv_pre(x)
        count = len(self.resblocks) // len(self.ups)
        for i, up in enumerate(self.ups):
            x = up(F.leaky_relu(x, 0.1))
            x = sum(block(x) for block in self.resblocks[i * count : (i + 1) * count]) / count
        return torch.tanh(self.conv_post(F.leaky_relu(x)))

    def published(self) -> dict[str, Tensor]:
        """Its state under the names that weight normalization had when it was published."""
        state = self.state_dict()
        for new, old in (("original0", "weight_g"), ("original1", "weight_v")):
            state = {name.replace(f"parametrizations.weight.{new}", old): value for name, value in state.items()}
        return state


class Tutorial(nn.Module):
    """The generator of PyTorch's DCGAN tutorial."""

    def __init__(self, width: int = 64, latents: int = 100, channels: int = 3) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        widths = [latents, 8 * width, 4 * width, 2 * width, width]
        for i, (before, after) in enumerate(pairwise(widths)):
            stride, padding = (1, 0) if i == 0 else (2, 1)
            layers += [
                nn.ConvTranspose2d(before, after, 4, stride, padding, bias=False),
                nn.BatchNorm2d(after),
                nn.ReLU(),
            ]
        self.main = nn.Sequential(*layers, nn.ConvTranspose2d(width, channels, 4, 2, 1, bias=False), nn.Tanh())

    def forward(self, x: Tensor) -> Tensor:
        return self.main(x)


class Dense(nn.Module):
    """StyleGAN2's layer of vectors with an equalized learning rate. Karras et al. 2017, arXiv:1710.10196."""

    def __init__(self, before: int, after: int, rate: float = 1.0) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.zeros(after, before)), nn.Parameter(torch.zeros(after))
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.weight.T * (self.rate / self.weight.shape[1] ** 0.5) + self.bias * self.rate


def leaky(x: Tensor) -> Tensor:
    return torch.where(x > 0, x, 0.2 * x) * 2**0.5


def normalized(x: Tensor) -> Tensor:
    return x / (x.square().mean(1, keepdim=True) + 1e-8).sqrt()


class StyleMapping(nn.Module):
    """StyleGAN2's mapping network, with the embedding of classes of Karras et al. 2020, arXiv:2006.06676."""

    def __init__(self, latents: int, depth: int, classes: int) -> None:
        super().__init__()
        if classes:
            self.embed = Dense(classes, latents)
        for i in range(depth):
            setattr(self, f"fc{i}", Dense(latents * (2 if classes and i == 0 else 1), latents, rate=0.01))
        self.depth, self.classes = depth, classes
        self.register_buffer("w_avg", torch.zeros(latents))

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        x = normalized(z)
        if self.classes:
            x = torch.cat([x, normalized(self.embed(F.one_hot(label, self.classes).float()))], 1)
        for i in range(self.depth):
            x = leaky(getattr(self, f"fc{i}")(x))
        return x


def stuffed(x: Tensor, before: int, after: int) -> Tensor:
    """Images of twice the size: zeros after each pixel and around the image, then the filter [1, 3, 3, 1] in each
    direction, which keeps the brightness.
    """
    n, channels, h, w = x.shape
    wide = x.new_zeros(n, channels, h, 2, w, 2)
    wide[:, :, :, 0, :, 0] = x
    row = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 4
    padded = F.pad(wide.reshape(n * channels, 1, 2 * h, 2 * w), (before, after, before, after))
    filtered = F.conv2d(padded, torch.outer(row, row)[None, None])
    return filtered.reshape(n, channels, *filtered.shape[2:])


class StyleConv(nn.Module):
    """A convolution whose weights are modulated for each sample, eq. 1 and 3 of Karras et al. 2019, arXiv:1912.04958.

    Args:
        size: of its maps, if it has noise.
        up: True if it doubles the size.
    """

    def __init__(self, before: int, after: int, latents: int, kernel: int, size: int = 0, up: bool = False) -> None:
        super().__init__()
        self.weight, self.bias = (
            nn.Parameter(torch.zeros(after, before, kernel, kernel)),
            nn.Parameter(torch.zeros(after)),
        )
        self.affine = Dense(latents, before)
        self.size, self.up = size, up
        if size:
            self.register_buffer("noise_const", torch.zeros(size, size))
            self.noise_strength = nn.Parameter(torch.zeros(()))
            self.register_buffer("resample_filter", torch.zeros(4, 4))

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        styles, made = self.affine(w), []
        for image, style in zip(x, styles, strict=True):
            weight = self.weight * style[None, :, None, None]
            if self.size:
                weight = weight / (weight.square().sum((1, 2, 3), keepdim=True) + 1e-8).sqrt()
            else:
                weight = weight / weight[0].numel() ** 0.5
            if self.up:  # a convolution in the sense of mathematics
                made.append(F.conv2d(stuffed(image[None], 3, 2), weight.flip(2, 3)))
            else:
                made.append(F.conv2d(image[None], weight, padding=weight.shape[-1] // 2))
        y = torch.cat(made)
        if not self.size:
            return y + self.bias[:, None, None]
        return leaky(y + self.noise_const * self.noise_strength + self.bias[:, None, None])


class StyleBlock(nn.Module):
    def __init__(self, before: int, after: int, latents: int, size: int, channels: int) -> None:
        super().__init__()
        self.register_buffer("resample_filter", torch.zeros(4, 4))
        if before:
            self.conv0 = StyleConv(before, after, latents, 3, size, up=True)
        else:
            self.const = nn.Parameter(torch.zeros(after, size, size))
        self.conv1 = StyleConv(after, after, latents, 3, size)
        self.torgb = StyleConv(after, channels, latents, 1)


class StyleSynthesis(nn.Module):
    """StyleGAN2's synthesis network, from widths of 4, 8, ... pixels."""

    def __init__(self, latents: int, widths: list[int], channels: int) -> None:
        super().__init__()
        self.sizes = [4 * 2**i for i in range(len(widths))]
        for size, before, after in zip(self.sizes, [0, *widths], widths, strict=False):
            setattr(self, f"b{size}", StyleBlock(before, after, latents, size, channels))

    def forward(self, w: Tensor) -> Tensor:
        """One style for each layer, (n, layers + 1, latents); an image layer has that of the next layer."""
        x, image, k = self.b4.const.expand(len(w), -1, -1, -1), 0, 0
        for size in self.sizes:
            block = getattr(self, f"b{size}")
            if size > 4:
                x, k = block.conv0(x, w[:, k]), k + 1
                image = stuffed(image, 2, 1)
            x, k = block.conv1(x, w[:, k]), k + 1
            image = image + block.torgb(x, w[:, k])
        return image


class Style(nn.Module):
    """The generator of StyleGAN2-ADA."""

    def __init__(
        self, latents: int, size: int, base: int, most: int = 512, depth: int = 8, channels: int = 3, classes: int = 0
    ) -> None:
        super().__init__()
        self.mapping = StyleMapping(latents, depth, classes)
        widths, now = [], 4
        while now <= size:
            widths.append(min(base // now, most))
            now *= 2
        self.synthesis = StyleSynthesis(latents, widths, channels)
        self.layers = 2 * len(widths) - 1

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        return self.synthesis(self.mapping(z, label)[:, None].repeat(1, self.layers + 1, 1))

    @torch.no_grad()
    def randomize(self) -> Style:
        """Weights of a magnitude by which latents, classes and noise all matter, as in trained nets."""
        randomize(self)
        for module in self.modules():
            if isinstance(module, Dense):
                module.weight.mul_(module.weight.shape[1] ** 0.5 / module.rate)
                module.bias.div_(module.rate)
            if isinstance(module, StyleConv):
                module.affine.bias.add_(1)
        return self


class Far(nn.Module):
    """lightweight-gan's attention: linear attention, eq. 3 of Shen et al. 2018, arXiv:1812.01243, and attention to the
    3 x 3 pixels around each.
    """

    def __init__(self, width: int, heads: int = 8, length: int = 64) -> None:
        super().__init__()
        inner, self.heads, self.length = heads * length, heads, length
        self.to_lin_q, self.to_q = (nn.Conv2d(width, inner, 1, bias=False) for _ in range(2))
        self.to_lin_kv = nn.Module()
        self.to_lin_kv.net = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1, groups=width, bias=False), nn.Conv2d(width, 2 * inner, 1, bias=False)
        )
        self.to_kv = nn.Conv2d(width, 2 * inner, 1, bias=False)
        self.to_out = nn.Conv2d(2 * inner, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        made = [[self.head(maps, i) for i in range(self.heads)] for maps in x]
        far = torch.stack([torch.cat([a for a, _ in image]) for image in made])
        near = torch.stack([torch.cat([b for _, b in image]) for image in made])
        return self.to_out(torch.cat([F.gelu(far), near], 1))

    def head(self, x: Tensor, i: int) -> tuple[Tensor, Tensor]:
        """Both results of one head and one image, (length, h, w)."""
        own, (h, w) = slice(i * self.length, (i + 1) * self.length), x.shape[1:]
        lin_k, lin_v = (part[own].flatten(1) for part in self.to_lin_kv.net(x[None])[0].chunk(2))
        lin_q = self.to_lin_q(x[None])[0][own].flatten(1).softmax(0) / self.length**0.5
        # The similarity of all pairs of pixels, which the paper's order of products avoids.
        far = (lin_q.T @ lin_k.softmax(1) @ lin_v.T).T.reshape(-1, h, w)
        k, v = (F.pad(part[own], (1, 1, 1, 1)) for part in self.to_kv(x[None])[0].chunk(2))
        q, near = self.to_q(x[None])[0][own], torch.zeros_like(far)
        for row in range(h):
            for column in range(w):
                keys, values = (part[:, row : row + 3, column : column + 3].flatten(1) for part in (k, v))
                near[:, row, column] = values @ (keys.T @ q[:, row, column] / self.length**0.5).softmax(0)
        return far, near


class Normed(nn.Module):
    """A layer after a norm over the channels of each pixel."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.fn, self.norm = Far(width), nn.Module()
        self.norm.g, self.norm.b = (nn.Parameter(torch.zeros(1, width, 1, 1)) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        centered = x - x.mean(1, keepdim=True)
        return self.fn(centered / (centered.square().mean(1, keepdim=True) + 1e-5).sqrt() * self.norm.g + self.norm.b)


class Context(nn.Module):
    """Factors of channels, from a weighted mean over pixels. Cao et al. 2020, arXiv:2012.13375."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.to_k, inner = nn.Conv2d(before, 1, 1), max(3, after // 2)
        self.net = nn.Sequential(
            nn.Conv2d(before, inner, 1), nn.LeakyReLU(0.1), nn.Conv2d(inner, after, 1), nn.Sigmoid()
        )

    def forward(self, x: Tensor) -> Tensor:
        weight = self.to_k(x).exp()
        return self.net((x * weight).sum((2, 3), keepdim=True) / weight.sum((2, 3), keepdim=True))


class Silent(nn.Module):
    """Where the published net adds noise: here its mean, 0."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        return x


class Shuffled(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(width, 4 * width, 1))

    def forward(self, x: Tensor) -> Tensor:
        y = self.net(x)
        y = y * y.sigmoid()
        wide = x.new_zeros(*x.shape[:2], 2 * x.shape[2], 2 * x.shape[3])
        for i in range(4):
            wide[:, :, i // 2 :: 2, i % 2 :: 2] = y[:, i::4]
        return wide


class Lightweight(nn.Module):
    """lightweight-gan's generator, version 1.2."""

    def __init__(
        self, size: int, latents: int = 256, most: int = 512, base: int = 4096, channels: int = 3,
        attention: tuple[int, ...] = (32,),
    ) -> None:  # fmt: skip
        super().__init__()
        self.initial_conv = nn.Sequential(
            nn.ConvTranspose2d(latents, 2 * latents, 4), nn.BatchNorm2d(2 * latents), nn.GLU(1)
        )
        sides = [4 * 2**i for i in range(size.bit_length() - 3)]
        widths = [3 if side >= 256 else min(base // side, most) for side in sides]
        self.layers = nn.ModuleList()
        for i, (side, before, after) in enumerate(zip(sides, [latents, *widths], widths, strict=False)):
            same = nn.Sequential(nn.ZeroPad2d((2, 1, 2, 1)), nn.Conv2d(before, 2 * after, 4))
            doubling = nn.Sequential(
                Shuffled(before), nn.Identity(), same, Silent(), nn.BatchNorm2d(2 * after), nn.GLU(1)
            )
            context = Context(after, widths[i + 3]) if 1 <= i <= 4 and i + 3 < len(sides) else None
            self.layers.append(nn.ModuleList([doubling, context, Normed(before) if side in attention else None]))
        self.out_conv = nn.Conv2d(widths[-1], channels, 3, padding=1)

    def forward(self, z: Tensor) -> Tensor:
        x = self.initial_conv(z[:, :, None, None])
        x, factors = x / x.square().sum(1, keepdim=True).sqrt(), {}
        for i, (doubling, context, attention) in enumerate(self.layers):
            x = doubling(x if attention is None else x + attention(x))
            if context is not None:
                factors[i + 3] = context(x)
            x = x * factors.get(i, 1)
        return self.out_conv(x)

    @torch.no_grad()
    def randomize(self) -> Lightweight:
        """Random weights, with the running statistics of their own maps: others drown what comes from the latents."""
        randomize(self)
        norms = [module for module in self.modules() if isinstance(module, nn.BatchNorm2d)]
        for norm in norms:
            norm.momentum = 1.0
        self.train()(torch.randn(4, self.initial_conv[0].in_channels, generator=torch.Generator().manual_seed(2)))
        return self.eval()


def spectrogram(sound: Tensor, config: dict) -> Tensor:
    """Sounds (n, samples) -> the log-mel spectrograms that HiFi-GAN is trained with, (n, mels, frames): Fourier
    transforms as sums, and the mel filters of Slaney's toolbox one by one.
    """
    size, hop, rate = config["n_fft"], config["hop_size"], config["sampling_rate"]
    margin = (size - hop) // 2
    padded = F.pad(sound[:, None].double(), (margin, margin), mode="reflect")[:, 0]
    times = torch.arange(size, dtype=torch.float64)
    frames = padded.unfold(1, size, hop) * (0.5 - 0.5 * torch.cos(2 * torch.pi * times / size))
    angles = 2 * torch.pi / size * torch.outer(torch.arange(size // 2 + 1, dtype=torch.float64), times)
    real, imaginary = frames @ angles.cos().T, frames @ angles.sin().T
    magnitudes = (real**2 + imaginary**2 + 1e-9).sqrt()
    top = 15 + 27 * torch.log(torch.tensor(config["fmax"] / 1000)).item() / torch.log(torch.tensor(6.4)).item()
    edges = []
    for i in range(config["num_mels"] + 2):
        mel = top * i / (config["num_mels"] + 1)
        edges.append(mel * 200 / 3 if mel < 15 else 1000 * 6.4 ** ((mel - 15) / 27))
    filters = torch.zeros(config["num_mels"], size // 2 + 1, dtype=torch.float64)
    for m, (low, center, high) in enumerate(zip(edges, edges[1:], edges[2:], strict=False)):
        for k in range(size // 2 + 1):
            hz = k * rate / size
            if low < hz < high:
                height = (hz - low) / (center - low) if hz <= center else (high - hz) / (high - center)
                filters[m, k] = height * 2 / (high - low)
    return (magnitudes @ filters.T).clamp(min=1e-5).log().mT.float()
