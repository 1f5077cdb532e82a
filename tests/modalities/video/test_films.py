"""Films of all kinds of files become clips with the right frames at the right times."""

import tarfile
import zipfile
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image
from test_cli import sparring

from sparring.data import Items
from sparring.errors import InputError
from sparring.modalities import find
from sparring.modalities.video import Video, av_files, fitting, reading
from sparring.modalities.video.clips import decode
from sparring.modalities.video.films import Films
from sparring.modalities.video.shown import Shown, at_rate

av = pytest.importorskip("av")

SIZE = 16


def counting(n, size=SIZE, step=10):
    """Frames (n, size, size, 3) of which each has its own brightness, so that it can be told which one was shown."""
    return np.stack([np.full((size, size, 3), 20 + step * i, np.uint8) for i in range(n)])


def which(frame, step=10):
    """Number of the frame of `counting`, from its brightness."""
    return round((float(np.mean(frame)) - 20) / step)


def encoded(path, frames, rate=10, codec="libx264", times=None, format="yuv420p", **options):
    with av.open(str(path), "w") as file:
        stream = file.add_stream(codec, rate=rate, options=options)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = format
        if times is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        for i, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgba" if pixels.shape[-1] == 4 else "rgb24")
            if times is not None:
                frame.pts, frame.time_base = times[i], Fraction(1, 1000)
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
    return path


def animated(path, frames, delay=100, **options):
    first, *others = map(Image.fromarray, frames)
    first.save(path, save_all=True, append_images=others, duration=delay, loop=0, **options)
    return path


def clips(path, **settings):
    """All clips of a path (n, channels, frames, size, size), the fitted kind, and which film each is of. Unlike in a
    training, they may be identical.
    """
    items = reading.read(path, frames=True)
    modality = Video(**settings).fit(items)
    decoded = decode(items.items, modality.cut)
    return decoded.rows.load().numpy(), modality, decoded


def notes(path, **settings):
    """What is said about the films of a path."""
    items = reading.read(path, frames=True)
    return fitting.notes_on(items.items, Video(**settings).chosen(items))


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [(".mp4", "libx264"), (".mkv", "libx264"), (".mov", "libx264"), (".webm", "libvpx-vp9")],
)
def test_film_files(suffix, codec, tmp_path):
    """In order and complete, also in formats that do not tell the number of their frames."""
    for i in range(2):
        encoded(tmp_path / f"{i}{suffix}", counting(12), codec=codec)
    values, modality, _ = clips(tmp_path, frames=6)
    assert (modality.size, modality.channels, modality.rate) == (SIZE, 1, 10.0)
    assert [which(f) for f in values[0, 0]] == [0, 1, 2, 3, 4, 5]
    assert [which(f) for f in values[-1, 0]] == [6, 7, 8, 9, 10, 11]


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png", ".apng"])
def test_animations(suffix, tmp_path):
    for i in range(2):
        options = {"lossless": True} if suffix == ".webp" else {}
        animated(tmp_path / f"{i}{suffix}", counting(8), 50, **options)
    values, modality, _ = clips(tmp_path, frames=8)
    assert modality.rate == 20
    assert [which(f) for f in values[0, 0]] == list(range(8))


def test_odd_sizes(tmp_path):
    for i in range(2):
        encoded(tmp_path / f"{i}.mkv", counting(8)[:, :13, :15], codec="ffv1", format="bgr0")
    values, modality, _ = clips(tmp_path, frames=8)
    assert modality.size == 13
    assert values.shape == (2, 1, 8, 13, 13)


def test_variable_rates_follow_presentation_times(tmp_path):
    """A frame that stays for 300 ms fills three intervals of 100 ms."""
    times = [0, 100, 200, 500, 600, 700, 800]
    for i in range(2):
        encoded(tmp_path / f"{i}.mkv", counting(7), times=times)
    values, _, _ = clips(tmp_path, frames=8, rate=10)
    assert [which(f) for f in values[0, 0]] == [0, 1, 2, 2, 2, 3, 4, 5]
    assert any("uneven times: all are brought to 10" in note for note in notes(tmp_path, rate=10))


def test_a_gif_of_hundredths_with_repeated_frames(tmp_path):
    """33.3 frames a second; Pillow merges equal frames into one that is shown for longer."""
    frames = counting(9)
    frames[4] = frames[5] = frames[3]
    for i in range(2):
        animated(tmp_path / f"{i}.gif", frames, 30)
    assert Image.open(tmp_path / "0.gif").n_frames == 7
    values, modality, _ = clips(tmp_path, frames=9)
    assert modality.rate == pytest.approx(33.333)
    assert [which(f) for f in values[0, 0]] == [0, 1, 2, 3, 3, 3, 6, 7, 8]


def test_rates_are_brought_to_one(tmp_path):
    encoded(tmp_path / "a.mkv", counting(16), rate=10)
    encoded(tmp_path / "b.mkv", counting(16), rate=10)
    encoded(tmp_path / "c.mkv", counting(20, step=5), rate=20)
    values, modality, decoded = clips(tmp_path, frames=8)
    assert modality.rate == 10
    assert "frames per second from 10 to 20" in notes(tmp_path)[0]
    last = values[decoded.kept == 2]
    assert [which(f, 5) for f in last[0, 0]] == [0, 2, 4, 6, 8, 10, 12, 14]


def test_nearest_frames_at_other_rates():
    image = [Image.new("L", (1, 1), i) for i in range(6)]
    shown = [Shown(i / 30, (i + 1) / 30, image[i]) for i in range(6)]
    assert [image.index(i) for i in at_rate(shown, 10)] == [1, 4]
    assert [image.index(i) for i in at_rate(shown, 60)] == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]


def test_alpha(tmp_path):
    frames = np.concatenate([counting(8), np.full((8, SIZE, SIZE, 1), 255, np.uint8)], -1)
    frames[:, :4, :, 3] = 0
    for i in range(2):
        encoded(tmp_path / f"{i}.mov", frames, codec="png", format="rgba")
        animated(tmp_path / f"{i}.webp", frames, lossless=True)
    values, modality, _ = clips(tmp_path, frames=8)
    assert modality.channels == 4
    assert (values[:, 3, :, :4] == 0).all()
    assert (values[:, 3, :, 4:] == 255).all()
    white, _, _ = clips(tmp_path, frames=8, alpha=False)
    assert (white[:, :, :, :4] == 255).all()


@pytest.mark.parametrize("codec", ["libvpx", "libvpx-vp9"])
def test_alpha_of_webm(codec, tmp_path):
    """It is a second stream inside of the packets, which FFmpeg's own decoders leave out."""
    frames = np.concatenate([counting(8), np.full((8, SIZE, SIZE, 1), 255, np.uint8)], -1)
    frames[:, :8, :, 3] = 0
    for i in range(2):
        encoded(tmp_path / f"{i}.webm", frames, codec=codec, format="yuva420p", **{"auto-alt-ref": "0"})
    values, modality, _ = clips(tmp_path, frames=8)
    assert modality.channels == 4
    assert (values[:, 3, :, :7] < 20).all()
    assert (values[:, 3, :, 9:] > 235).all()
    assert [which(f[:, 9:]) for f in values[0, :3].transpose(1, 0, 2, 3)] == list(range(8))


def test_folders_of_frames_in_the_order_of_their_numbers(tmp_path):
    for film in "ab":
        (tmp_path / film).mkdir()
        for i, pixels in enumerate(counting(12)):
            Image.fromarray(pixels).save(tmp_path / film / f"frame{i}.png")
    assert find(tmp_path).kind == "images"
    assert find(tmp_path, (Video,)).kind == "video"
    values, modality, _ = clips(tmp_path, frames=12)
    assert modality.rate == 25
    assert "no times" in notes(tmp_path)[0]
    assert [which(f) for f in values[0, 0]] == list(range(12))


@pytest.mark.parametrize("suffix", [".zip", ".tar", ".tar.xz"])
def test_strips_with_classes_in_archives(suffix, tmp_path):
    """The layout of Weizmann's set: the frames of a film side by side."""
    folder = tmp_path / "data"
    for i in range(6):
        place = folder / ("run" if i % 2 else "walk")
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.concatenate(list(counting(8)), 1)).save(place / f"{i}.png")
    archive = tmp_path / f"data{suffix}"
    files = sorted(folder.rglob("*.png"))
    if suffix == ".zip":
        with zipfile.ZipFile(archive, "w") as out:
            for file in files:
                out.write(file, file.relative_to(folder))
    else:
        with tarfile.open(archive, "w:xz" if suffix.endswith("xz") else "w") as out:
            for file in reversed(files):
                out.add(file, file.relative_to(folder))
    items = reading.read(archive, frames=True)
    assert items.classes == ("run", "walk")
    values, modality, _ = clips(archive, frames=8)
    assert values.shape == (6, 1, 8, SIZE, SIZE)
    assert [which(f) for f in values[0, 0]] == list(range(8))
    assert modality.size == SIZE


def test_long_films_give_many_clips_and_parts_that_are_held_out(tmp_path):
    encoded(tmp_path / "long.mp4", counting(200, step=1), rate=10)
    items = reading.read(tmp_path / "long.mp4")
    assert len(items) == 10
    assert "few films (1): divided into 10 parts" in items.notes[0]
    modality = Video(frames=4).fit(items)
    decoded = modality.encode(items)
    values = decoded.values.load().numpy()
    starts = [which(clip[0, 0], 1) for clip in values]
    assert starts == sorted(starts)
    assert max(starts) >= 195
    for item, clip in zip(decoded.items, values, strict=True):  # no clip reaches into another part
        first, last = which(clip[0, 0], 1), which(clip[0, -1], 1)
        assert 20 * item - 1 <= first < last <= 20 * (item + 1)


def test_loops_are_recognized(tmp_path):
    turning = [np.roll(np.eye(SIZE, dtype=np.uint8) * 255, 2 * i, 1) for i in range(8)]
    for i in range(4):
        animated(tmp_path / f"{i}.gif", turning)
    _, modality, _ = clips(tmp_path)
    assert modality.loop
    assert modality.frames == 8
    for i in range(4):
        animated(tmp_path / f"{i}.gif", counting(8)[..., 0])
    _, modality, _ = clips(tmp_path)
    assert not modality.loop


def test_animations_are_films_unless_a_kind_is_asked_for(tmp_path):
    for i in range(2):
        animated(tmp_path / f"{i}.gif", counting(8))
    assert find(tmp_path).kind == "video"
    assert isinstance(find(tmp_path).items, Films)
    for path in tmp_path.iterdir():
        Image.open(path).save(path)  # the first frame
    assert find(tmp_path).kind == "images"


@pytest.mark.parametrize(
    ("name", "count", "shape", "rate", "loop", "held"),
    [("walks", 2000, (4, 8, 64, 64), 10, True, 0), ("weizmann", 36, (3, 16, 64, 64), 25, False, 4)],
)
def test_sets_by_name(name, count, shape, rate, loop, held):
    try:
        items = find(name)
    except InputError:
        pytest.skip(f"{name} is not under $SPARRING_DATA")
    modality = Video().fit(items)
    assert (len(items), modality.shape, modality.rate, modality.loop) == (count, shape, rate, loop)
    assert (0 if items.held is None else items.held.sum()) == held


def test_the_recipe_for_few_films():
    items = Items("some", "video", range(1))
    for count, device, fields in (
        (500, "cpu", {"augment": "places", "batch": 16}),
        (500, "cuda", {"augment": "places"}),
    ):
        few = replace(items, items=range(count))
        assert Video.recommend(few, device, None).fields == fields
    assert Video.recommend(replace(items, items=range(20_000)), "cpu", None).fields == {}
    assert Video.recommend(replace(items, kind="images"), "cpu", None) is None


def test_a_set_that_is_missing_says_where_it_belongs(tmp_path, monkeypatch):
    monkeypatch.setenv("SPARRING_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(InputError, match=r"'walks' was not found; put its archive at .*walks\.zip"):
        find("walks")


# Bad input.


def test_identical_clips(tmp_path):
    for i in range(2):
        animated(tmp_path / f"{i}.gif", counting(8))
    items = reading.read(tmp_path)
    with pytest.raises(InputError, match=r"all 2 clips of .* are identical"):
        Video(frames=8).fit(items).encode(items)


def refused(words, monkeypatch, capsys):
    status, _, error = sparring(monkeypatch, capsys, *words)
    assert status == 2
    assert len(error.strip().splitlines()) == 1
    return error


def test_a_folder_without_film(tmp_path, monkeypatch, capsys):
    (tmp_path / "notes.txt").write_text("no film")
    assert "is not recognized as data" in refused(["train", tmp_path, "--recipe", "video"], monkeypatch, capsys)


def test_a_film_of_one_frame(tmp_path, monkeypatch, capsys):
    encoded(tmp_path / "one.mp4", counting(1))
    assert "one frame only" in refused(["train", tmp_path / "one.mp4", "--out", tmp_path / "run"], monkeypatch, capsys)


def test_a_truncated_film(tmp_path, monkeypatch, capsys):
    path = encoded(tmp_path / "cut.mp4", np.random.default_rng(0).integers(0, 255, (40, 64, 64, 3), dtype=np.uint8))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert "cut.mp4" in refused(["train", path, "--out", tmp_path / "run"], monkeypatch, capsys)


def test_a_film_that_is_cut_off_within_its_frames(tmp_path):
    path = tmp_path / "cut.mp4"
    frames = np.random.default_rng(0).integers(0, 255, (60, 64, 64, 3), dtype=np.uint8)
    with av.open(str(path), "w", options={"movflags": "faststart"}) as file:
        stream = file.add_stream("libx264", rate=10)
        stream.height = stream.width = 64
        stream.pix_fmt = "yuv420p"
        for pixels in frames:
            file.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        file.mux(stream.encode())
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    with pytest.raises(InputError, match=r"cut off after|cannot be read"):
        list(av_files.shown(path, path.name))


def test_a_damaged_film_is_left_out_whole(tmp_path):
    for i in range(3):
        encoded(tmp_path / f"{i}.mkv", counting(12))
    (tmp_path / "1.mkv").write_bytes((tmp_path / "1.mkv").read_bytes()[:900])
    _, _, decoded = clips(tmp_path, frames=4)
    assert [name for name, _ in decoded.skipped] == ["1.mkv"]
    assert set(decoded.kept) == {0, 2}


def test_frames_of_unequal_size(tmp_path, monkeypatch, capsys):
    for i in range(6):
        Image.fromarray(counting(1, 16 if i < 3 else 20)[0]).save(tmp_path / f"{i}.png")
    error = refused(["train", tmp_path, "--recipe", "video", "--out", tmp_path / "run"], monkeypatch, capsys)
    assert "unequal size: 16 x 16 and 20 x 20" in error


def test_check_names_short_and_still_and_broken_films(tmp_path, monkeypatch, capsys):
    for i in range(4):
        animated(tmp_path / f"good{i}.gif", counting(16))
    animated(tmp_path / "short.gif", counting(3))
    (tmp_path / "broken.gif").write_bytes(b"GIF89a nothing")
    encoded(tmp_path / "still.mkv", counting(1).repeat(16, 0))
    status, printed, _ = sparring(monkeypatch, capsys, "check", tmp_path, "--out", tmp_path / "report")
    assert status == 0
    lines = {line.split()[0]: line for line in printed.splitlines() if line.split()}
    assert "short.gif" in lines["short"]
    assert "still.mkv" in lines["still"]
    assert "broken.gif" in lines["unreadable"]
    assert (tmp_path / "report" / "sheet.png").exists()
