"""Long films take no more memory than short ones, in training and in `apply`: in processes of their own."""

import subprocess
import sys

import numpy as np
import pytest

av = pytest.importorskip("av")

MAX_TRAINING = 2048  # MiB of a training on ten minutes of 720p
MAX_GROWTH = 60  # MiB by which 1,000 frames may exceed 100
PEAK = "import resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"

TRAIN = f"""
import sys, sparring
model = sparring.train("video", sys.argv[1], out=sys.argv[2], steps=2, quiet=True, device="cpu", width=4, batch=4)
print(model.about["items"])
{PEAK}
"""

COPY = f"""
import sys
import torch
from pathlib import Path
from sparring.modalities.translation.files.video import transform_video
from sparring.nets.tiles import Mapper
print(transform_video(Mapper(lambda x: x, 3, 3), Path(sys.argv[1]), Path(sys.argv[2])))
{PEAK}
"""

CONTINUE = f"""
import sys
from pathlib import Path
import sparring
from sparring.use.apply import apply
print(apply(sys.argv[3], sys.argv[1], sys.argv[2], length=8).count)
{PEAK}
"""


def film(path, width, height, seconds, repeated=1, rate=25):
    """A moving gradient. Its packets are repeated, which is much faster than to encode the whole film."""
    begun = path.with_name(f"begun-{path.name}")
    with av.open(str(begun), "w") as file:
        stream = file.add_stream("libx264", rate=rate, options={"preset": "ultrafast", "bf": "0"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        slope = np.linspace(0, 255, width, dtype=np.uint8)
        for i in range(rate * seconds):
            pixels = np.repeat(np.roll(slope, 5 * i)[None, :, None], height, 0).repeat(3, 2)
            file.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")))
        file.mux(stream.encode())
    with av.open(str(begun)) as source:
        packets = [packet for packet in source.demux(video=0) if packet.dts is not None]
        step = packets[1].pts - packets[0].pts
        with av.open(str(path), "w") as file:
            copied = file.add_stream_from_template(source.streams.video[0])
            times = [(packet.pts, packet.dts) for packet in packets]
            for i in range(repeated):
                for packet, (pts, dts) in zip(packets, times, strict=True):
                    packet.pts, packet.dts, packet.stream = (
                        pts + i * step * len(packets), dts + i * step * len(packets), copied,
                    )  # fmt: skip
                    file.mux(packet)
    begun.unlink()
    return path


def run(code, *arguments):
    """What a process prints, and its peak of memory in MiB."""
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], check=True, capture_output=True, text=True
    )
    printed, peak = done.stdout.split()[-2:]
    return int(printed), float(peak)


@pytest.mark.slow
def test_ten_minutes_of_720p_are_trained_on_in_two_gigabytes(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    source = film(tmp_path / "long.mp4", 1280, 720, 10, repeated=60)
    with av.open(str(source)) as file:
        assert file.duration / 1e6 == pytest.approx(600, abs=1)
    _, peak = run(TRAIN, source, tmp_path / "run")
    assert peak < MAX_TRAINING, peak


@pytest.mark.slow
def test_apply_takes_the_same_memory_for_a_hundred_and_a_thousand_frames(tmp_path):
    """Frames, duration and rate are those of the film."""
    peaks = []
    for seconds in (4, 40):
        source, out = (
            film(tmp_path / f"{seconds}.mp4", 320, 240, 4, repeated=seconds // 4),
            tmp_path / f"o{seconds}.mp4",
        )
        count, peak = run(COPY, source, out)
        assert count == 25 * seconds
        with av.open(str(source)) as given, av.open(str(out)) as made:
            assert made.streams.video[0].frames == count
            assert made.streams.video[0].average_rate == given.streams.video[0].average_rate == 25
            assert made.duration == pytest.approx(given.duration, abs=1e4)
        peaks.append(peak)
    assert peaks[1] < peaks[0] + MAX_GROWTH, peaks


@pytest.mark.slow
def test_a_thousand_frames_are_continued_in_the_memory_of_a_hundred(tmp_path):
    import sparring

    films = tmp_path / "films"
    films.mkdir()
    for i in range(4):
        film(films / f"{i}.mp4", 32, 32, 4)
    small = {"steps": 2, "width": 4, "D": 4, "batch": 4, "quiet": True, "device": "cpu"}
    sparring.train("predict", films, out=tmp_path / "run", given=2, made=4, size=16, **small)
    peaks = []
    for seconds in (4, 40):
        source, out = (
            film(tmp_path / f"{seconds}.mp4", 320, 240, 4, repeated=seconds // 4),
            tmp_path / f"o{seconds}.mp4",
        )
        count, peak = run(CONTINUE, source, out, tmp_path / "run")
        with av.open(str(out)) as made:
            assert made.streams.video[0].frames == 25 * seconds + 8
        assert count == 1
        peaks.append(peak)
    assert peaks[1] < peaks[0] + MAX_GROWTH, peaks
