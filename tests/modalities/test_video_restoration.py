"""Films that are restored frame by frame, each from itself and its neighbors."""

import numpy as np
import pytest
import torch
from PIL import Image
from test_cli import sparring as typed

import sparring
from sparring.data.tensors import CONDITION, VALUES
from sparring.errors import InputError
from sparring.evaluation.evaluate import evaluate
from sparring.modalities import DegradedVideo, find
from sparring.modalities.video import animations
from sparring.modalities.video_restoration.judge import findings, measured, numbers
from sparring.modalities.video_restoration.windows import windows
from sparring.nets.image_to_image import ImageToImage
from sparring.nets.neighbors import Neighbors
from sparring.use.apply import apply

av = pytest.importorskip("av")

SIZE = 16


def scene(frames, start, size=SIZE):
    """A still gradient with a block that moves, (frames, size, size, 3)."""
    clip = np.repeat(np.linspace(40, 200, size).astype(np.uint8)[None, None, :, None], frames, 0)
    clip = np.repeat(np.repeat(clip, size, 1), 3, 3)
    for t in range(frames):
        clip[t, 4:8, [(start + t + i) % size for i in range(4)]] = (250, 30, 90)
    return clip


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    folder = tmp_path_factory.mktemp("films")
    for i in range(24):
        first, *others = map(Image.fromarray, scene(9, i))
        first.save(folder / f"{i:02}.webp", save_all=True, append_images=others, duration=100, lossless=True)
    return folder


@pytest.fixture(scope="module")
def run(films, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "restore_video"
    small = {"width": 4, "depth": 1, "D": 4, "batch": 4}
    sparring.train("restore_video", films, out=out, steps=4, quiet=True, device="cpu", degrade="noise20", **small)
    return out


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7, 9])
def test_every_frame_is_restored_once_between_its_neighbors(count):
    seen = []
    for window, new in windows(range(count)):
        assert len(window) == 5
        seen += [tuple(window[i - 1 : i + 2]) for i in range(1, 1 + new)]
    last = count - 1
    assert seen == [(max(0, i - 1), i, min(last, i + 1)) for i in range(count)]


def test_the_net_restores_the_three_frames_in_the_middle():
    class Triple(ImageToImage):
        reach = 0

        def forward(self, x):
            return 100 * x[:, :1] + 10 * x[:, 1:2] + x[:, 2:]  # the frame, the one before it, the one after it

    frames = torch.arange(1.0, 6.0)[None, :, None, None].expand(2, -1, 3, 3)
    assert Neighbors(Triple())(frames)[0, :, 0, 0].tolist() == [213, 324, 435]


def test_frames_of_a_window_are_degraded_alike(films):
    modality = DegradedVideo(degrade=("noise0-50",), flip=False).fit(find(films, (DegradedVideo,)))
    clean = torch.zeros(6, 5 * 3, SIZE, SIZE)
    torch.manual_seed(0)
    noise = modality.degraded(clean).view(6, 5, -1)
    strengths = noise.std(2)
    assert (strengths.amax(1) < 1.2 * strengths.amin(1)).all()  # one level of noise in a window
    assert strengths.mean(1).std() > 0.05  # and others in other windows
    assert not torch.equal(noise[:, 0], noise[:, 1])


def test_batches_hold_the_frames_between(films):
    modality = DegradedVideo(degrade=("noise0",), flip=False).fit(find(films, (DegradedVideo,)))
    encoded = modality.encode(find(films, (DegradedVideo,)))
    batch = modality.batch({VALUES: encoded.values.map()[1][:3]})
    assert batch[CONDITION].shape == (3, *modality.source.shape) == (3, 15, SIZE, SIZE)
    assert batch[VALUES].shape == (3, *modality.shape) == (3, 9, SIZE, SIZE)
    assert torch.allclose(batch[CONDITION][:, 3:12], batch[VALUES], atol=0.01)


def test_flicker_is_a_number_of_its_own():
    """Two restorations with the same error and the same sharpness in every frame differ in flicker."""
    clean = torch.from_numpy(scene(8, 0)).permute(0, 3, 1, 2).float() / 127.5 - 1
    pattern = torch.randn(1, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0)) * 0.1
    steady = dict(measured(clean + pattern, clean))
    signs = torch.tensor([1.0, -1.0] * 4)[:, None, None, None]
    flickering = dict(measured(clean + pattern * signs, clean))
    assert steady["psnr"] == pytest.approx(flickering["psnr"], abs=1e-3)
    assert steady["flicker"] < 0.1
    assert flickering["flicker"] == pytest.approx(2 * 127.5 * pattern.abs().mean().item(), rel=0.15)


def test_worse_than_a_trivial_method():
    def table(psnr, distance):
        return numbers({"psnr": [psnr] * 2, "spectral_distance": [distance] * 2, "flicker": [1.0] * 2})

    assert [f.name for f in findings(table(20, 0.5), table(25, 0.1), "median")] == ["worse than median"]
    assert not findings(table(20, 0.1), table(25, 0.5), "median")


def write(path):
    """Eleven frames of 40 x 32 pixels, 24 a second."""
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=24, options={"crf": "1"})
        stream.width, stream.height, stream.pix_fmt = 40, 32, "yuv444p"
        for pixels in scene(11, 0, 40)[:, :32]:
            file.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")))
        file.mux(stream.encode())


def test_a_folder_of_films(run, tmp_path):
    (tmp_path / "in" / "sub").mkdir(parents=True)
    write(tmp_path / "in" / "sub" / "film.mkv")
    write(tmp_path / "in" / "film.avi")
    (tmp_path / "in" / "text.mp4").write_text("no film")
    assert apply(run, tmp_path / "in", tmp_path / "out").count == 2
    made = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.m*")}
    assert made == {"sub/film.mkv", "film.avi.mp4"}


def test_animations_are_restored(run, films, tmp_path):
    """Alone and in a folder, as animations of the same times."""
    assert apply(run, films / "00.webp", tmp_path / "one.apng", smooth=False).count == 9
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "walk.webp").write_bytes((films / "00.webp").read_bytes())
    assert apply(run, tmp_path / "in", tmp_path / "out", smooth=False).count == 1
    for made in (tmp_path / "one.apng", tmp_path / "out" / "walk.webp"):
        shown = list(animations.shown(made, made.name))
        assert [round(frame.begin, 3) for frame in shown] == [round(0.1 * i, 3) for i in range(9)]
        # After four steps, the net still returns about what it is given.
        frames = [np.asarray(frame.image.convert("RGB"), int) for frame in shown]
        assert all(np.abs(a - b).mean() < 25 for a, b in zip(frames, scene(9, 0), strict=True))


def test_a_film_keeps_its_frames_rate_and_size(run, tmp_path):
    write(tmp_path / "in.mp4")
    assert apply(run, tmp_path / "in.mp4", tmp_path / "out.mp4", smooth=False).count == 11
    with av.open(str(tmp_path / "in.mp4")) as given, av.open(str(tmp_path / "out.mp4")) as made:
        assert made.streams.video[0].average_rate == 24
        assert made.duration == given.duration
        one, other = ([f.to_ndarray(format="rgb24") for f in file.decode(video=0)] for file in (given, made))
    assert [frame.shape for frame in other] == [frame.shape for frame in one] == [(32, 40, 3)] * 11
    # After four steps, the net still returns about what it is given, in the right order.
    assert all(np.abs(a.astype(int) - b).mean() < 25 for a, b in zip(one, other, strict=True))


def test_bad_input_is_one_line(run, films, tmp_path, monkeypatch, capsys):
    (tmp_path / "text.mp4").write_text("no film")
    (stills := tmp_path / "stills").mkdir()
    Image.fromarray(scene(1, 0)[0]).save(stills / "still.webp")
    for given, out, message in [
        (stills, tmp_path / "out", "holds no films"),
        (tmp_path, tmp_path / "out", "none of the 1 films"),  # the picture in it does not move
        (tmp_path, tmp_path / "o.mp4", "is the name of a file"),
        (tmp_path / "text.mp4", tmp_path / "o.png", "a name that ends in .mp4"),
        (tmp_path / "text.mp4", tmp_path / "o.mp4", "cannot be read as a video"),
    ]:
        status, _, error = typed(monkeypatch, capsys, "apply", run, given, "-o", out)
        assert (status, error.count("\n")) == (2, 1)
        assert message in error
    with pytest.raises(InputError, match="makes holes, which recipe 'inpaint' fills"):
        sparring.train("restore_video", films, steps=1, quiet=True, degrade="boxes")


def test_films_smaller_than_a_crop_are_named(films):
    modality = DegradedVideo(degrade=("noise5",), size=SIZE, wide=SIZE + 8, channels=3, given=3, rate=10.0, every=5)
    large = DegradedVideo.fit(modality, find(films, (DegradedVideo,)))
    assert large.size == SIZE  # the smallest side of the films


def test_evaluation_and_export(run, tmp_path, monkeypatch, capsys):
    result = evaluate(run, device="cpu")
    assert result.head == ["metric", "samples", "real", "without D", "median"]
    assert [number.name for number, _ in result.rows()] == ["psnr", "spectral_distance", "flicker"]
    assert result.of_real("flicker") < 0.1 < result["flicker"]
    assert result.picture is not None
    pytest.importorskip("onnxruntime")
    status, _, error = typed(monkeypatch, capsys, "export", run, "--format", "onnx", "-o", tmp_path / "m.onnx")
    assert status == 0, error


def test_a_frame_depends_on_its_neighbors_alone(run):
    model = sparring.load(run)
    clip = scene(7, 3)
    whole = model.apply(clip)
    assert whole.shape == clip.shape
    assert np.array_equal(model.apply(clip[:5])[:4], whole[:4])  # the last frame lacks its neighbor
