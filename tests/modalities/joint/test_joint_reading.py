"""Which files belong together, what is missing, and what is refused."""

import numpy as np
import pytest
import torch
from things import picture, write_films, write_stems, write_table

from sparring import recipes
from sparring.errors import InputError
from sparring.modalities import find
from sparring.modalities.joint import Joint
from sparring.modalities.joint.tuples import MISSING, Tuples, checked
from sparring.modalities.tables.columns import Number


def asked(path):
    return find(path, recipes.find("joint").takes)


def test_files_of_one_stem_belong_together(tmp_path):
    data = write_stems(tmp_path / "things", parts=("png", "json", "txt", "wav"))
    (data / "notes.md").write_text("of no part")
    items = find(data)
    assert (items.kind, len(items)) == ("joint", 24)
    assert list(items.items.parts) == ["picture", "sound", "text", "row"]
    assert any("1 files of no part (notes.md)" in note for note in items.notes)
    fitted = Joint().fit(items)
    tensors = fitted.encode(items).tensors
    decoded = fitted.decode(fitted.batch(tensors))
    for i in (0, 10, 23):
        color = decoded.parts["row"]["color"].iloc[i]
        assert color in decoded.parts["text"][i]
        assert ["red", "green", "blue"].index(color) == decoded.parts["picture"][i].mean((0, 1)).argmax()


def test_the_size_of_pictures_is_not_that_of_a_vocabulary(tmp_path):
    data = write_stems(tmp_path / "things", parts=("png", "txt"))
    sizes = {size: {part.name: part for part in Joint(size=size).fit(find(data)).parts} for size in (0, 4)}
    assert sizes[4]["picture"].shape[1:] == (4, 4)
    vocabularies = [parts["text"].text.tokenizer.vocabulary for parts in sizes.values()]
    assert len(vocabularies[0]) > 4
    assert vocabularies[0] == vocabularies[1]


def test_second_files_of_a_stem_are_named(tmp_path):
    data = write_stems(tmp_path / "things")
    for i in (2, 5):
        picture(i + 1).save(data / f"{i:03}.jpg")
    items = find(data)
    assert len(items) == 24
    assert "2 more pictures of stems that have one already are left out (002.png, 005.png)" in items.notes


def test_a_single_column_of_numbers_is_a_number(tmp_path):
    table = write_table(tmp_path / "things")
    lines = [f"pictures/{i:03}.png,{i * 1.37:.2f}" for i in range(24)]
    table.write_text("\n".join(["file,size", *lines]))
    (column,) = Joint().fit(asked(table)).row.table.columns
    assert isinstance(column, Number)


def test_missing_parts_are_masked_and_said(tmp_path):
    data = write_stems(tmp_path / "things", lacking=[(3, "json"), (5, "png")])
    items = find(data)
    assert items.items.rows["row"][3] == MISSING
    assert any("2 of 24 items have one part alone (003, 005)" in note for note in items.notes)
    fitted = Joint().fit(items)
    encoded = fitted.encode(items)
    assert "1 of 24 items have no row, which is masked in training" in encoded.notes
    batch = fitted.batch(encoded.tensors)
    given = fitted.layout.given(batch["condition"])
    assert given.present[3].tolist() == [1, 0]
    assert given.present[5].tolist() == [0, 1]
    values = fitted.layout.split(batch["values"])
    assert not values[1][3].any()
    assert not values[0][5].any()
    assert not given.fields[3, 1:].any()  # what is missing is never given


@pytest.mark.parametrize(("suffix", "content"), [("txt", "0 0.5 0.5 0.2 0.1"), ("json", '{"boxes": [[1, 2, 3, 4]]}')])
def test_annotations_beside_pictures_are_no_parts(suffix, content, tmp_path):
    data = write_stems(tmp_path / "boxes", parts=("png",))
    for i in range(24):
        (data / f"{i:03}.{suffix}").write_text(content)
    assert find(data).kind == "images"
    if suffix == "json":
        with pytest.raises(InputError, match=r"000.json holds no JSON object of plain values"):
            asked(data)


def test_survey_counts_the_parts(tmp_path):
    items = asked(write_stems(tmp_path / "things", lacking=[(i, "json") for i in range(14)]))
    survey = Joint.survey(items, "things")
    assert survey.parts == {"picture": 24, "row": 10}
    assert survey.advice()[0].startswith("most items lack a row")
    assert survey.content()["parts"] == {"picture": 24, "row": 10}


def test_a_column_names_the_files(tmp_path):
    table = write_table(tmp_path / "things")
    (tmp_path / "things" / "pictures" / "other.png").write_bytes((table.parent / "pictures" / "000.png").read_bytes())
    for path in (table, table.parent):
        items = asked(path)
        assert list(items.items.parts) == ["picture", "row"]
        assert list(items.items.parts["row"].items) == ["color", "size"]
        assert any("1 files are of no row (pictures/other.png)" in note for note in items.notes)


def test_pictures_with_a_table_stay_pictures_unless_joint_is_asked_for(tmp_path):
    folder = write_table(tmp_path / "things").parent
    assert find(folder).kind == "images"
    assert recipes.choose(find(folder), "cpu")[0].name != "joint"
    fitted = Joint().fit(find(folder))  # by the table beside the files
    assert [part.name for part in fitted.parts] == ["picture", "row"]


def test_sets_are_matched_by_class(tmp_path):
    for name in ("png", "wav"):
        for i in range(24):
            folder = tmp_path / name / ["red", "green", "blue"][i % 3]
            write_stems(folder, 0)
            write_one(folder, i, name)
    items = find(tmp_path / "wav")
    joint = Joint(match=str(tmp_path / "png"))
    fitted = joint.fit(items)
    encoded = fitted.encode(items)
    assert [part.name for part in fitted.parts] == ["sound", "picture", "label"]
    decoded = fitted.decode(fitted.batch(encoded.tensors))
    colors = np.array(["red", "green", "blue"])
    assert (colors[decoded.parts["picture"].mean((1, 2)).argmax(1)] == decoded.parts["label"]["label"]).all()
    trained = fitted.split(items).train  # only of them, three times: a sound has so many partners
    (column,) = fitted.row.table.columns
    assert sum(column.counts) == np.isin(encoded.items, trained).sum() < len(encoded.items)
    labels = np.array(items.classes)[items.labels[encoded.items]]
    assert (labels == decoded.parts["label"]["label"]).all()


def write_one(folder, i, suffix):
    from things import sound

    if suffix == "png":
        picture(i).save(folder / f"{i:03}.png")
    else:
        import soundfile

        soundfile.write(folder / f"{i:03}.wav", sound(i), 8000)


def test_films_can_be_parts(tmp_path):
    items = asked(write_films(tmp_path / "films"))
    fitted = Joint(columns=("color",)).fit(items)
    assert [part.name for part in fitted.parts] == ["film", "row"]
    assert fitted.parts[0].shape == (3, 4, 8, 8)
    batch = fitted.batch(fitted.encode(items).tensors)
    decoded = fitted.decode(batch)
    assert decoded.parts["film"][1].sum((0, 1, 2)).argmax() == 1
    given = fitted.request(given={"film": tmp_path / "films" / "001.gif"}).condition
    assert torch.equal(fitted.layout.given(given[None]).values[0, : 3 * 4 * 8 * 8], batch["values"][1, : 3 * 4 * 8 * 8])
    game = recipes.find("joint").set({"width": 4, "inner": 8, "codes": 4, "z": 4}).game(fitted)
    made = game.values(game.draw(3, torch.device("cpu")), fitted.draw_conditions(3, torch.device("cpu")))
    assert [len(logits) for logits in game.D(made)] == [3, 3, 3]


def test_a_part_that_no_item_has_is_refused(tmp_path):
    pictures = find(write_stems(tmp_path / "png", 4, parts=("png",)))
    without = {"picture": np.arange(4), "other": np.full(4, MISSING)}
    with pytest.raises(InputError, match="'things': no item has the part 'other'; leave it out, or correct what names"):
        checked("things", Tuples({"picture": pictures, "other": pictures}, without, np.arange(4)))
    apart = {"picture": np.array([0, 1, -1, -1]), "other": np.array([-1, -1, 0, 1])}
    with pytest.raises(InputError, match="belong to different items; none has two of them"):
        checked("things", Tuples({"picture": pictures, "other": pictures}, apart, np.arange(4)))


def test_what_cannot_be_joined_is_refused(tmp_path):
    table = write_table(tmp_path / "wrong", named=lambda i: f"nowhere/{i}.png")
    with pytest.raises(InputError, match=r"column 'file' names files that are not in .*, such as nowhere/0.png"):
        asked(table)
    (tmp_path / "rows.csv").write_text("a,b\n1,2\n3,4\n")
    with pytest.raises(InputError, match="no column names files"):
        asked(tmp_path / "rows.csv")
    plain = find(write_stems(tmp_path / "plain", parts=("png",)))
    with pytest.raises(InputError, match=r"'plain' has images alone; give table=FILE"):
        Joint().fit(plain)
    with pytest.raises(InputError, match="'plain' has no classes, by which"):
        Joint(match=str(tmp_path / "plain")).fit(plain)
    for name in ("a", "b"):
        write_stems(tmp_path / "classes" / name, 8, parts=("png",))
    (tmp_path / "molecules.smi").write_text("\n".join(["CCO", "CCN", "CC=O", "CC#N"] * 4))
    with pytest.raises(InputError, match="molecules cannot be a part of items; choose from audio, images, rows"):
        Joint(match=str(tmp_path / "molecules.smi")).fit(find(tmp_path / "classes"))
    whole = find(write_stems(tmp_path / "whole"))
    lost = find(write_stems(tmp_path / "lost", parts=("png", "txt")))
    fitted = Joint().fit(whole)
    with pytest.raises(InputError, match=r"'lost' has no part 'row', which the model was trained with"):
        fitted.encode(lost)
