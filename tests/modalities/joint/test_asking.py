"""Some parts are given, the others are made; samples are written, read again and sent as JSON."""

import base64
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from things import picture

import sparring
from sparring import recipes
from sparring.errors import InputError
from sparring.modalities import find
from sparring.modalities.joint.conditions import GIVEN
from sparring.modalities.joint.writing import write_folder


def test_a_given_picture_is_in_every_sample(model, tmp_path):
    picture(7).save(tmp_path / "given.png")
    samples = model.sample(5, seed=1, given={"picture": tmp_path / "given.png"})
    assert (samples.items.parts["picture"] == np.asarray(picture(7))).all()
    free = model.sample(5, seed=1)
    assert (free.items.parts["picture"] != np.asarray(picture(7))).any()


def test_a_given_sound_and_text_are_in_every_sample(model, tmp_path):
    import soundfile
    from things import sound

    soundfile.write(tmp_path / "given.wav", sound(4), 8000)
    samples = model.sample(3, seed=1, given={"sound": tmp_path / "given.wav", "text": "a blue thing of size small"})
    assert list(samples.items.parts["text"]) == ["a blue thing of size small"] * 3
    sounds = samples.items.parts["sound"]
    assert np.array_equal(sounds[0], sounds[2])
    heard = np.corrcoef(sounds[0, :, 0], np.pad(sound(4), (0, len(sounds[0])))[: len(sounds[0])])[0, 1]
    assert heard > 0.99


def test_a_word_that_is_base64_too_is_a_text(model):
    assert base64.b64decode("blue", validate=True)
    assert list(model.sample(2, seed=1, given=["text=blue"]).items.parts["text"]) == ["blue"] * 2


def test_a_text_is_read_from_a_file_too(model, tmp_path):
    (tmp_path / "given.txt").write_text("a blue thing\n")
    (given,) = (ask for ask in model.modality.asks if ask.name == "given")
    asked = given.parse([f"text={tmp_path / 'given.txt'}"])
    assert list(model.sample(2, seed=1, given=asked).items.parts["text"]) == ["a blue thing"] * 2
    (tmp_path / "given.txt").write_bytes("größer".encode("latin-1"))
    with pytest.raises(InputError, match=r"given text=.*given.txt is not text in UTF-8"):
        given.parse([f"text={tmp_path / 'given.txt'}"])


def test_columns_are_given_with_where(model):
    samples = model.sample(6, seed=2, where=["color=blue", "weight>=1"])
    assert (samples.items.parts["row"]["color"] == "blue").all()
    assert (samples.items.parts["row"]["weight"] >= 1).all()
    assert "color=blue and weight>=1" in samples.notes[0]


def test_files_are_read_on_the_command_line_only(model, tmp_path):
    picture(7).save(tmp_path / "given.png")
    (text,) = GIVEN.parse([f"picture={tmp_path / 'given.png'}"])
    assert base64.b64decode(text.partition("=")[2]) == (tmp_path / "given.png").read_bytes()
    samples = model.sample(2, given=[text])  # as it comes over HTTP
    assert (samples.items.parts["picture"] == np.asarray(picture(7))).all()
    with pytest.raises(InputError, match=r"is no file, and no content of one in Base64"):
        model.sample(1, given={"picture": str(tmp_path / "given.png")})


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"given": {"pictures": b""}}, "items have no such part; did you mean 'picture'"),
        ({"given": ["picture"]}, "names no part; write PART=FILE"),
        ({"given": {"row": b""}}, "rows are given by their columns; use --where"),
        ({"given": {"text": "a purple thing"}}, "words that were not learned: 'purple'"),
        ({"given": {"picture": b"no picture"}}, "given picture=bytes cannot be read"),
        ({"given": {"picture": Path("nowhere.png")}}, "given nowhere.png cannot be read"),
        ({"where": ["hue=1"]}, "hue"),
        ({"label": "red"}, "this model was trained without labels"),
    ],
)
def test_what_cannot_be_given_is_named(model, asked, message):
    with pytest.raises(InputError, match=message):
        model.sample(1, **asked)


def test_samples_are_written_with_a_table_that_can_be_trained_on(model, tmp_path):
    samples = model.sample(4, seed=3)
    samples.save(tmp_path / "out")
    items = find(tmp_path / "out", recipes.find("joint").takes)
    assert {"picture", "sound", "row"} <= set(items.items.parts)
    read = Image.open(tmp_path / "out" / "pictures" / items.items.parts["picture"].items.names[2].split("/")[-1])
    assert np.array_equal(np.asarray(read), samples.items.parts["picture"][2])
    assert list(items.items.parts["row"].items["color"]) == list(samples.items.parts["row"]["color"])
    samples.save(tmp_path / "sheet.png")
    assert Image.open(tmp_path / "sheet.png").width > 100


def test_columns_that_are_called_like_parts_are_kept(model, tmp_path):
    parts = model.modality.parts_of(model.sample(4, seed=3))
    row = parts["row"].items.rename(columns={"color": "picture", "weight": "text"})
    renamed = type("Renamed", (), {"as_frame": staticmethod(lambda _: row)})
    write_folder({**parts, "row": replace(parts["row"], modality=renamed)}, tmp_path)
    table = pd.read_csv(tmp_path / "items.csv")
    assert list(table["picture"]) == list(row["picture"])
    assert list(table["text"]) == pytest.approx(list(row["text"]))
    assert all((tmp_path / name).is_file() for name in table["picture.1"])
    assert list(table["text.1"].fillna("")) == list(parts["text"].items)


def test_json_holds_every_part(model):
    samples = model.sample(2, seed=3)
    parts = json.loads(json.dumps(samples.modality.as_json(samples)))["parts"]
    shown = Image.open(io.BytesIO(base64.b64decode(parts["picture"]["images"][1])))
    assert np.array_equal(np.asarray(shown), samples.items.parts["picture"][1])
    assert len(parts["sound"]["sounds"]) == len(parts["row"]["rows"]) == len(parts["text"]["texts"]) == 2


def test_a_damaged_part_is_refused(model, tmp_path):
    model.save(tmp_path / "model")
    path = tmp_path / "model" / "model.json"
    content = json.loads(path.read_text())
    content["modality"]["parts"][0]["kind"] = "points"
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match="a part of the model is damaged: its kind is 'points'"):
        sparring.load(tmp_path / "model")
