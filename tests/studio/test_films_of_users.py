"""The tab for a user's own file, with models that transform films and sounds: without its page."""

import gradio as gr
import numpy as np
import pytest
import soundfile
from PIL import Image

import sparring
from sparring import InputError
from sparring.studio.studio import Studio
from sparring.studio.tabs import file, sample

av = pytest.importorskip("av")

CLIPS = {"steps": 2, "quiet": True, "device": "cpu", "width": 4, "batch": 4}
SMALL = {**CLIPS, "D": 4}


def moving(frames, start, size=16):
    """A bright square that crosses the picture, (frames, size, size, 3)."""
    clip = np.full((frames, size, size, 3), 20, np.uint8)
    for t in range(frames):
        clip[t, 4:9, [(start + t + i) % size for i in range(5)]] = (240, 200, 60)
    return clip


def write_film(path, frames=9, rate=10):
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=rate)
        stream.width = stream.height = 16
        stream.pix_fmt = "yuv420p"
        for pixels in moving(frames, 0):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        out.mux(stream.encode())
    return path


def frames_of(path):
    with av.open(str(path)) as made:
        return sum(1 for _ in made.decode(video=0))


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Runs that continue films, restore films, translate images and clean sounds."""
    home = tmp_path_factory.mktemp("films")
    for i in range(24):
        first, *others = map(Image.fromarray, moving(9, i))
        (home / "films").mkdir(exist_ok=True)
        (home / "images").mkdir(exist_ok=True)
        (home / "sounds").mkdir(exist_ok=True)
        first.save(home / "films" / f"{i:02}.webp", save_all=True, append_images=others, duration=100, lossless=True)
        first.save(home / "images" / f"{i:02}.png")
        tone = np.sin(np.arange(2000) * 0.02 * (i + 1), dtype=np.float32) / 2
        soundfile.write(home / "sounds" / f"{i:02}.wav", tone, 8000)
    sparring.train("predict", home / "films", out=home / "runs" / "predict", given=3, made=4, z=2, **SMALL)
    restoring = {**SMALL, "depth": 1}
    sparring.train("restore_video", home / "films", out=home / "runs" / "films", degrade="noise20", **restoring)
    sparring.train("denoise", home / "images", out=home / "runs" / "images", **restoring)
    sparring.train(
        "audio_denoise", home / "sounds", out=home / "runs" / "sounds", steps=2, quiet=True, device="cpu", batch=2
    )
    return home


@pytest.fixture
def studio(home, unserved):
    return unserved(home / "runs")


@pytest.fixture
def parts():
    with gr.Blocks():
        state = [gr.State() for _ in range(3)]
        return file.Components(*state, *file._input(), *file._output())


def run(studio, parts, name, image=None, given=None, **asked):
    """What the button does, with values in the fields of what is asked for."""
    values = [asked.get(ask) for ask in parts.asks]
    return file._run(
        studio, parts, name, None if image is None else str(image), None if given is None else str(given), None, "",
        200, False, 1.0, *values,
    )  # fmt: skip


def test_clips_are_played(home, tmp_path):
    """Those of a model that generates them from noise, in the tab for samples."""
    sparring.train("video", home / "films", out=tmp_path / "runs" / "clips", **CLIPS)
    (tmp_path / "files").mkdir()
    studio = Studio([tmp_path / "runs"], "cpu", tmp_path / "files")
    with gr.Blocks():
        output = sample._output(gr.File())
    drawn = sample._draw(studio, output, "clips", [], "clips", 4, 0, 0)
    assert drawn[output.video].visible
    assert drawn[output.video].value["orig_name"] == "clips-4.mp4"
    assert frames_of(drawn[output.video].value["path"]) == 9
    studio.jobs.close()


@pytest.mark.parametrize(
    ("name", "asks", "film", "image"),
    [
        ("predict", ["length", "variant"], "Your file", False),
        ("films", [], "Your file", False),
        ("images", [], "Or a film", True),
        ("sounds", [], "Your file", False),
    ],
)
def test_the_tab_fits_models_that_transform_files(studio, parts, name, asks, film, image):
    assert file.can_use_files(studio.model(name))
    fitted = file._fit(studio, parts, studio.stamp(name))
    assert [ask for ask, part in parts.asks.items() if fitted[part].visible] == asks
    assert (fitted[parts.file].visible, fitted[parts.file].label) == (True, film)
    assert (fitted[parts.image].visible, fitted[parts.comparison].visible) == (image, image)
    assert not fitted[parts.video].visible


@pytest.mark.parametrize(("name", "kept"), [("predict", False), ("films", False), ("sounds", False), ("images", True)])
def test_no_image_is_left_where_it_cannot_be_seen(studio, parts, name, kept):
    """Uploaded for another run, it would be sent beside the film, and could not be removed."""
    changed = file._fit(studio, parts, studio.stamp(name))[parts.image].constructor_args
    assert ("value" not in changed) if kept else (changed["value"] is None and not changed["visible"])


def test_a_film_is_continued_as_asked_for(studio, parts, tmp_path):
    film = write_film(tmp_path / "walk.mp4")
    shown = run(studio, parts, "predict", given=film, length=6, variant=2)
    made = shown[parts.result].value[0]["path"]
    assert frames_of(made) == 9 + 6
    assert shown[parts.status] == "1 film in walk-predict.mp4."
    assert shown[parts.video].visible
    assert shown[parts.video].value["orig_name"] == "walk-predict.mp4"
    assert not shown[parts.comparison].visible
    first = run(studio, parts, "predict", given=film)[parts.result].value[0]["path"]
    assert frames_of(first) == 9 + 4
    with pytest.raises(InputError, match="length=0 is out of range"):
        run(studio, parts, "predict", given=film, length=0)


@pytest.mark.parametrize(
    ("name", "suffix"), [("films", ".mp4"), ("images", ".mp4"), ("films", ".mkv"), ("images", ".mov")]
)
def test_films_are_restored_and_played(studio, parts, tmp_path, name, suffix):
    """In a format that browsers play, whatever was given."""
    shown = run(studio, parts, name, given=write_film(tmp_path / f"walk{suffix}"))
    made = shown[parts.result].value[0]
    assert made["orig_name"].endswith(".mp4")
    assert frames_of(made["path"]) == 9
    assert shown[parts.status].startswith("9 frames in walk-")
    assert shown[parts.video].visible


def test_images_are_compared_as_before(studio, parts, home):
    shown = run(studio, parts, "images", image=home / "images" / "00.png")
    assert shown[parts.status] == "16 x 16 became 16 x 16 pixels."
    assert shown[parts.comparison].visible
    assert not shown[parts.video].visible


def test_sounds_are_cleaned_and_played(studio, parts, home):
    shown = run(studio, parts, "sounds", given=home / "sounds" / "00.wav")
    assert shown[parts.audio].visible
    assert shown[parts.result].value[0]["orig_name"] == "00-audio_denoise.wav"
    assert soundfile.info(shown[parts.result].value[0]["path"]).frames == 2000


def test_what_cannot_be_used_is_refused_in_one_line(studio, parts, home, tmp_path):
    (tmp_path / "text.mp4").write_text("no film")
    film = write_film(tmp_path / "short.mp4", 2)
    for name, image, given, message in [
        ("predict", None, tmp_path / "text.mp4", "cannot be read as a video"),
        ("predict", None, film, "has 2 frames at 10 a second, and this model needs 3"),
        ("predict", None, None, "no file is given"),
        ("images", home / "images" / "00.png", film, "an image and a film are given; remove one of them"),
    ]:
        with pytest.raises(InputError, match=message) as error:
            run(studio, parts, name, image, given)
        assert "\n" not in str(error.value)
