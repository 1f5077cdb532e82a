"""The tab for samples with a model of items of several parts: without its page."""

import shutil

import gradio as gr
import numpy as np
import pytest
import soundfile
from things import picture, write_stems

import sparring
from sparring.studio import ask_form, parts
from sparring.studio.tabs import sample

TINY = {"steps": 2, "quiet": True, "device": "cpu", "width": 4, "inner": 16, "codes": 8, "z": 8, "batch": 8}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("parts")
    data = write_stems(home / "things", 24, parts=("png", "json", "txt", "wav"))
    sparring.train("joint", data, out=home / "runs" / "things", **TINY)
    return home


@pytest.fixture
def studio(home, unserved):
    return unserved(home / "runs")


@pytest.fixture
def output():
    with gr.Blocks():
        return sample._output(gr.File())


def by_name(shown):
    return {part.name: part for part in shown}


def test_every_part_has_what_shows_it(studio, output):
    drawn = sample._draw(studio, output, "things", [], "things", 5, 1, 0)
    shown = by_name(drawn[output.parts])
    assert {name: part.element for name, part in shown.items()} == {
        "picture": "image", "sound": "audio", "text": "table", "row": "table",
    }  # fmt: skip
    assert len(shown["row"].content) == len(shown["text"].content) == 5
    one = by_name(parts.shown(studio, drawn[output.drawn].parts, 3))
    assert one["row"].content.values.tolist() == shown["row"].content.iloc[[3]].values.tolist()
    all_frames, frames = (soundfile.read(each["sound"].content)[0] for each in (shown, one))
    expected = sparring.load(studio.runs.path("things")).sample(5, seed=1).items.parts["sound"][3]
    np.testing.assert_allclose(frames, expected[:, 0], atol=1e-3)
    assert len(all_frames) >= 5 * len(frames)


def test_parts_are_given_by_upload(studio, output, home):
    """A picture as a file, whose name the page repeats, and a text as it is typed."""
    model = studio.model("things")
    form = ask_form.entries(model.modality, ["picture", "text", "color"])
    assert [len(ask_form.components(entry, "run")) for entry in form] == [1, 1, 1]
    assert isinstance(ask_form.components(form[0], "run")[0], gr.File)
    given = shutil.copy(home / "things" / "004.png", home / "mine.png")
    drawn = sample._draw(studio, output, "things", form, "things", 2, 0, 0, str(given), "a blue thing", "")
    assert drawn[output.status] == "2 items of seed 0 with `picture=mine.png` and `text=a blue thing`"
    samples = drawn[output.drawn].parts.samples
    np.testing.assert_array_equal(samples["picture"].items[1], np.asarray(picture(4)))
    assert samples["text"].items[0] == "a blue thing"
    assert ask_form.asked(form, [None, " ", "red"]) == {"where": ["color=red"]}


def test_samples_of_one_kind_have_no_parts(studio, output, home):
    sparring.train("dcgan", "digits", out=home / "runs" / "digits", steps=1, width=4, quiet=True, device="cpu")
    drawn = sample._draw(studio, output, "digits", [], "digits", 2, 0, 0)
    assert drawn[output.parts] == ()
