"""Nets of recordings: exact lengths, the reach that they state, and what D's features are made of; and long
signals chunk by chunk.
"""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch

from sparring.layers.stft import LOG_FLOOR, STFT
from sparring.nets.audio_discriminators import AudioDiscriminator, PeriodNet, resolutions
from sparring.nets.chunks import chunked
from sparring.nets.hifigan import STRIDES, HifiGan, strides
from sparring.nets.masking import MaskNet
from sparring.nets.signal_to_signal import SignalToSignal
from sparring.nets.tiles import Mapper
from sparring.nets.vocos import Vocos

NETS = {
    "vocos": lambda: Vocos(10, STFT(64, 16), width=16, depth=2),
    "hifigan": lambda: HifiGan(10, 16, width=32),
    "hifigan, odd hop factor": lambda: HifiGan(10, 24, width=32),
    "masking": lambda: MaskNet(STFT(64, 16), width=16, depth=2),
    "masking without additions": lambda: MaskNet(STFT(64, 16), width=16, depth=2, adds=False),
}


def built(name: str) -> tuple[SignalToSignal, int]:
    """A net with random weights in every layer, and the channels of its input."""
    torch.manual_seed(0)
    net = NETS[name]().eval()
    for weight in net.parameters():
        if not weight.any():
            torch.nn.init.normal_(weight, std=0.1)
    return net, 1 if "masking" in name else 10


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("length", [1, 5, 50, 171])
def test_output_is_as_long_as_the_input(name: str, length: int) -> None:
    net, given = built(name)
    assert net.padded(torch.randn(2, given, length)).shape == (2, 1, length * net.times)


@pytest.mark.parametrize("name", NETS)
def test_nothing_beyond_the_reach_matters(name: str) -> None:
    """A change of the input changes the output, but not farther away than the net states."""
    net, given = built(name)
    assert net.reach is not None
    middle = (net.reach // net.stride + 3) * net.stride
    x = torch.randn(1, given, 2 * middle)
    changed = x.clone()
    changed[..., middle] += 3
    with torch.no_grad():
        moved = (net(changed) - net(x)).abs().amax((0, 1)) > 0
    where = moved.nonzero().flatten() / net.times
    assert len(where)
    assert where.min() >= middle - net.reach
    assert where.max() <= middle + net.reach + 1


@pytest.mark.parametrize("name", ["vocos", "hifigan"])
def test_spectrograms_are_surrounded_by_silence(name: str) -> None:
    """A spectrogram between silent frames sounds as it does alone, as far as the first layer can tell."""
    net, given = built(name)
    seen = []
    layer = net.body.first if name == "vocos" else net.first
    layer.register_forward_hook(lambda _, __, output: seen.append(output))
    x = torch.randn(1, given, 20)
    net(x)
    net(torch.nn.functional.pad(x, (5, 5), value=LOG_FLOOR))
    assert torch.allclose(seen[0], seen[1][..., 5:-5], atol=1e-6)


def test_untrained_mask_changes_nothing() -> None:
    x = torch.randn(2, 1, 640)
    assert torch.allclose(MaskNet(STFT(64, 16)).eval()(x), x, atol=1e-2)


def test_mask_cannot_fill_an_empty_band_but_additions_can() -> None:
    silence = torch.zeros(1, 1, 320)
    masked, adding = (MaskNet(STFT(64, 16), adds=adds).eval() for adds in (False, True))
    for net in (masked, adding):
        torch.nn.init.constant_(net.head.bias, 1.0)
    assert masked(silence).abs().max() == 0
    assert adding(silence).abs().max() > 1e-3


def test_strides_of_hifigan_are_the_papers_and_otherwise_fit_the_hop() -> None:
    assert strides(256) == STRIDES["V3"] == (8, 8, 4)
    assert strides(256, "V1") == STRIDES["V1"] == (8, 8, 2, 2)
    for hop in (64, 120, 128, 300, 441, 512):
        assert math.prod(strides(hop)) == hop
        assert max(strides(hop)) <= 8
    with pytest.raises(ValueError, match="a hop of 26 samples has a prime factor above 8; give one such as 32"):
        strides(26)


def test_periods_see_every_nth_sample_alone() -> None:
    """Logits of one column depend on the samples of that column only."""
    net = PeriodNet(5, 4)
    x = torch.randn(1, 1, 500, requires_grad=True)
    logits = net(x)[-1]
    assert logits.shape[-1] == 5
    (gradient,) = torch.autograd.grad(logits[..., 2].sum(), x)
    touched = gradient[0, 0].nonzero().flatten() % 5
    assert (touched == 2).all()


def test_discriminator_joins_the_maps_of_all_nets() -> None:
    torch.manual_seed(0)
    D = AudioDiscriminator(1024, periods=(2, 3), resolutions=[STFT(128, 32)], width=4)
    x = torch.randn(3, 1, 1024)
    h = D.features(x)
    assert h.shape == (3, D.length) == (3, sum(D.sizes))
    expected = [net(x)[-1] for net in D.nets]
    logits = D(x)
    assert len(logits) == 3
    for mine, theirs in zip(logits, expected, strict=True):
        assert torch.equal(mine, theirs)


def test_discriminator_leaves_out_what_does_not_fit_a_segment() -> None:
    D = AudioDiscriminator(64, periods=(2, 11), resolutions=[STFT(64, 16), STFT(128, 32)])
    assert len(D.nets) == 2
    with pytest.raises(ValueError, match="12 samples are too short"):
        AudioDiscriminator(12, resolutions=[STFT(64, 16)])


def test_resolutions_follow_the_segment() -> None:
    assert [stft.size for stft in resolutions(8192)] == [1024, 512, 256]
    assert all(stft.size <= 512 for stft in resolutions(512))


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("length", [7, 333, 4000])
@pytest.mark.parametrize("chunk", [64, 1000])
def test_chunked_equals_whole(name: str, length: int, chunk: int) -> None:
    net, given = built(name)
    mapper = Mapper(net.padded, given, 1, net.times, net.stride, net.reach)
    x = torch.randn(2, given, length)
    with torch.no_grad():
        whole = net.padded(x)
    places = [0, *sorted(torch.randint(length, (3,)).tolist()), length]
    blocks = [x[..., start:stop] for start, stop in pairwise(places)]
    parts = list(chunked(mapper, blocks, chunk))
    result = torch.cat(parts, -1)
    assert result.shape == whole.shape
    assert torch.allclose(result, whole, atol=1e-5)
    if length > 3 * (chunk + net.reach):
        assert len(parts) > 2


def test_context_is_needed() -> None:
    """A net whose stated reach is too small differs at the seams."""
    net, given = built("vocos")
    x = torch.randn(1, given, 400)
    mapper = Mapper(net.padded, given, 1, net.times, net.stride, reach=0)
    with torch.no_grad():
        assert (torch.cat(list(chunked(mapper, [x], 100)), -1) - net(x)).abs().max() > 1e-3


def test_memory_does_not_grow_with_the_signal() -> None:
    net, given = built("masking")
    longest = 0

    def watched(x: torch.Tensor) -> torch.Tensor:
        nonlocal longest
        longest = max(longest, x.shape[-1])
        return net.padded(x)

    mapper = Mapper(watched, given, 1, 1, net.stride, net.reach)
    total = sum(part.shape[-1] for part in chunked(mapper, (torch.randn(1, 1, 500) for _ in range(100)), 1000))
    assert total == 50_000
    assert longest <= 1000 + 2 * (net.reach + net.stride) + net.stride


def test_nothing_gives_nothing() -> None:
    net, given = built("masking")
    assert list(chunked(Mapper(net.padded, given, 1, 1, net.stride, net.reach), [])) == []
