"""Texts in files, as tokens, on request; what is wrong with them, and their judge."""

import gzip
import json
import sys
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pytest
import torch
from captions import captions, write_captions, write_labeled
from hypothesis import given, settings
from hypothesis import strategies as st
from sentences import sentences

import sparring
from sparring.cli import main
from sparring.data.tensors import VALUES
from sparring.errors import InputError
from sparring.modalities import Samples, Table, find
from sparring.modalities.text import Text
from sparring.modalities.text.judge import TextJudge
from sparring.modalities.text.passages import apart, held_lines
from sparring.modalities.text.tokens import Tokenizer, fit
from sparring.use.augment import augment

PLAY = "\n\n".join(
    f"{name}:\nWhat {verb} you, my {noun}, in this\nhour of the night, so far from {place}?"
    for name in ("ROMEO", "DUKE", "NURSE")
    for verb in ("bring", "hold", "give")
    for noun in ("lord", "friend", "sword")
    for place in ("Rome", "home", "Mantua")
)


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    items = find(write_captions(tmp_path_factory.mktemp("text") / "captions.txt"))
    return Text().fit(items), items


def test_lines_of_a_file(tmp_path):
    (tmp_path / "a.txt").write_bytes("\ufeffOne cat.\r\n\r\n  Two cats. \r\nThree".encode())
    items = find(tmp_path / "a.txt")
    assert (items.kind, items.items.texts) == ("text", ("One cat.", "", "Two cats.", "Three"))
    assert Text().fit(items).encode(items).items.tolist() == [0, 2, 3]
    with gzip.open(tmp_path / "z.txt.gz", "wt") as file:
        file.write("a b c\nd e f\n")
    assert len(find(tmp_path / "z.txt.gz")) == 2
    (tmp_path / "w.txt").write_bytes("caf\xe9 au lait\nth\xe9 vert\n".encode("cp1252"))
    assert find(tmp_path / "w.txt").notes == ("w.txt is not UTF-8; it is read as Windows-1252",)


@pytest.mark.parametrize(
    "content",
    [
        "a,b\n1,2\n3,4\n",
        "x\ty\nu\tv\nw\tz\n",
        "1.5\n2.5\n" * 10,
        "Rome 12\nOslo 9\nBonn 7\n",
        "Smith, John\nDoe, Jane\nRoe, Ann\n",
    ],
)
def test_tables_in_txt_files_stay_tables(tmp_path, content):
    (tmp_path / "t.txt").write_text(content)
    assert find(tmp_path / "t.txt").kind in ("rows", "series")


def test_prose_with_commas_is_text(tmp_path):
    lines = ["First, we go.", "Then, after a while, we stop.", "No comma here.", "One, two, three, and four."]
    (tmp_path / "t.txt").write_text("\n".join(lines))
    assert find(tmp_path / "t.txt").items.texts == tuple(lines)


def test_a_long_text_is_cut_into_windows_that_begin_with_its_lines(tmp_path):
    (tmp_path / "play.txt").write_text(PLAY)
    items = find(tmp_path / "play.txt")
    modality = Text(window=40).fit(items)
    encoded = modality.encode(items)
    texts = modality.decode({VALUES: modality.scale(encoded.values)})
    assert (modality.continuous, modality.tokenizer.unit, encoded.values.shape[1]) == (True, "characters", 41)
    for text, line in zip(texts, encoded.items, strict=True):
        assert len(text) == 40
        assert text in PLAY
        assert text.startswith(items.items.texts[line][:5])
    split = modality.split(items, encoded.readable)
    train, held = split.samples(encoded.items, encoded.span)
    assert len(train) > 5 * len(held) > 0
    assert not {texts[i] for i in held} & {texts[i] for i in train if texts[i][:5] == "#"}
    spans = [set(range(encoded.items[i], encoded.items[i] + encoded.span)) for i in held]
    assert not any(span & set(split.train.tolist()) for span in spans)
    assert Text(cut="lines").fit(items).continuous is False


@pytest.mark.parametrize("unit", ["words", "subwords"])
def test_windows_of_words_are_parts_of_the_text(tmp_path, unit):
    if unit == "subwords":
        pytest.importorskip("tokenizers", reason="needs the extra 'text'")
    (tmp_path / "play.txt").write_text(PLAY)
    items = find(tmp_path / "play.txt")
    modality = Text(window=12, unit=unit).fit(items)
    texts = modality.decode({VALUES: modality.scale(modality.encode(items).values)})
    assert all(text in PLAY for text in texts)
    assert modality.request(prompt="ROMEO:").condition.tolist()[1:] == modality.tokenizer.codes("ROMEO:")


def test_one_long_line_is_a_long_text(tmp_path):
    (tmp_path / "book.txt").write_text(" ".join(text for text, _ in captions(300)))
    items = find(tmp_path / "book.txt")
    assert "".join(items.items.texts) == (tmp_path / "book.txt").read_text()
    assert Text().fit(items).continuous


def test_windows_that_do_not_overlap():
    assert apart(np.array([0, 1, 2, 5, 6, 9]), 3).tolist() == [0, 3, 5]
    held = held_lines(1000)
    assert held.mean() == 0.1
    assert np.flatnonzero(np.diff(held.astype(int)) == 1).shape == (10,)


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet", ".jsonl", ".csv.gz"])
def test_texts_with_labels_in_tables(tmp_path, suffix):
    frame = pd.DataFrame(captions(60), columns=["caption", "topic"])
    path = tmp_path / f"t{suffix}"
    if suffix == ".parquet":
        frame.to_parquet(path)
    elif suffix == ".jsonl":
        frame.to_json(path, orient="records", lines=True)
    else:
        frame.to_csv(path, index=False, sep="\t" if suffix == ".tsv" else ",")
    items = find(path)
    assert (items.kind, items.classes, items.items.column) == ("text", ("animals", "food"), "caption")
    assert items.items.texts[1] == captions(60)[1][0]
    assert items.labels[:3].tolist() == [0, 1, 0]
    assert items.notes[-2:] == ("texts are in column 'caption'", "classes are in column 'topic'")
    assert find(path, (Table,)).kind == "rows"  # a table where a recipe for tables asks first


def test_a_table_stays_a_table_unless_text_is_asked_for(tmp_path):
    frame = pd.DataFrame({"age": range(60), "review": [t for t, _ in captions(60)], "stars": [1, 5, 3] * 20})
    frame["title"] = "good " + frame["age"].astype(str)
    frame.to_csv(tmp_path / "t.csv", index=False)
    assert find(tmp_path / "t.csv").kind == "rows"
    items = find(tmp_path / "t.csv", (Text,))
    assert (items.kind, items.items.column, items.classes) == ("text", "review", ("1", "3", "5"))
    other = Text(column="title").fit(items)
    assert other.passages(items).lines[3] == "good 3"
    with pytest.raises(
        InputError, match="column=titel was given, but 't' has no such column of text; did you mean 'title'"
    ):
        Text(column="titel").fit(items)
    rows = find(tmp_path / "t.csv", (Table,))
    assert Text(column="title").passages(rows).lines == other.passages(items).lines


def test_one_column_of_text(tmp_path):
    pd.DataFrame({"name": ["anna", "bert", "carla"] * 4}).to_csv(tmp_path / "n.csv", index=False)
    assert find(tmp_path / "n.csv").kind == "text"
    (tmp_path / "s.csv").write_text("x\n" + "\n".join(str(i * 0.5) for i in range(30)))
    assert find(tmp_path / "s.csv").kind == "series"
    assert find([text for text, _ in captions(5)]).kind == "text"
    assert find(pd.DataFrame(captions(60), columns=["a", "b"])).classes == ("animals", "food")
    assert find(pd.DataFrame({"a": range(60), "b": ["x y z", "u"] * 30})).kind == "rows"


@pytest.mark.parametrize("packed", [False, True])
def test_folders_of_files_are_classes(tmp_path, packed):
    for i, (text, topic) in enumerate(captions(40)):
        path = tmp_path / "texts" / topic / f"{i:02}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\nAnd more.\n")
    source = tmp_path / "texts"
    if packed:
        source = tmp_path / "texts.zip"
        with zipfile.ZipFile(source, "w") as archive:
            for path in sorted((tmp_path / "texts").rglob("*.txt")):
                archive.write(path, path.relative_to(tmp_path).as_posix())
    items = find(source)
    assert (items.kind, len(items), items.classes) == ("text", 40, ("animals", "food"))
    assert items.items.texts[0].endswith("\nAnd more.")


def test_folders_with_other_files_are_not_texts(pictures):
    folder = pictures(3)
    (folder / "readme.txt").write_text("Pictures of things.\nBy somebody.\n")
    assert find(folder).kind == "images"


# Tokens.


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=30), min_size=1, max_size=5), st.sampled_from(["characters", "words"]))
def test_tokens_are_the_text(texts, unit):
    tokenizer = Tokenizer(unit, tuple(sorted({t for text in texts for t in Tokenizer(unit, ()).tokenize(text)})))
    length = 2 + max(len(tokenizer.tokenize(text)) for text in texts)
    codes = np.array([tokenizer.codes(text) + [0] * (length - len(tokenizer.codes(text))) for text in texts])
    assert tokenizer.texts(codes) == texts


def test_words_keep_their_spaces_and_are_the_same_at_the_beginning():
    assert Tokenizer("words", ()).tokenize("Don't stop,  now 3.5%") == [
        " Don't", " stop", ",", " ", " now", " 3", ".", "5", "%",
    ]  # fmt: skip
    tokenizer = fit(["a cat", "the cat", "a dog", "the dog"], "words", 99)
    assert tokenizer.vocabulary == (" a", " cat", " dog", " the")
    assert fit(["a cat", "a dog"], "words", 99).vocabulary == (" a", "\N{REPLACEMENT CHARACTER}")


def test_subwords_of_rare_words():
    pytest.importorskip("tokenizers", reason="needs the extra 'text'")
    texts = [f"the {a}{b}ing of {b}{a}" for a in ("walk", "talk", "jump", "play") for b in ("over", "under", "out")]
    tokenizer = fit(texts, "subwords", 60)
    codes = [tokenizer.codes(text) for text in texts]
    length = 1 + max(map(len, codes))
    assert tokenizer.texts(np.array([row + [0] * (length - len(row)) for row in codes])) == texts
    assert len(tokenizer.tokenize("overjumping")) < len("overjumping")
    assert tokenizer.unknown in tokenizer.codes("ж")
    assert (
        Text(tokenizer=json.loads(json.dumps(vars(tokenizer) | {"_subwords": None}, default=str))).tokenizer.codes(
            texts[0]
        )
        == codes[0]
    )


@pytest.mark.parametrize(
    ("texts", "unit"),
    [
        (["anna", "bert", "carla maria"] * 4, "characters"),
        (["我们今天去公园散步。", "他们昨天在家里看书。"] * 5, "characters"),
        ([text for text, _ in captions(60)], "words"),
    ],
)
def test_units_that_suit_the_data(texts, unit):
    items = find(texts)
    assert Text().fit(items).tokenizer.unit == unit


def test_round_trip_and_split(fitted):
    modality, items = fitted
    encoded = modality.encode(items)
    assert tuple(modality.decode({VALUES: modality.scale(encoded.values)})) == items.items.texts
    assert torch.equal(modality.unscale(modality.scale(encoded.values)), encoded.values)
    train, held = modality.sides(items)
    assert (len(train.texts), len(held.texts)) == (360, 40)


def test_long_texts_are_cut_and_unseen_words_named(fitted):
    modality, items = fitted
    short = Text(longest=5).fit(items)
    encoded = short.encode(items)
    assert encoded.notes[-1].startswith("400 texts have 5 words or more and are cut there")
    assert short.decode({VALUES: short.scale(encoded.values)})[0] == " ".join(captions()[0][0].split()[:5])
    with pytest.raises(
        InputError, match="has no text that can be learned; row 1: 'Nothing' does not occur in the training"
    ):
        modality.encode(find(["Nothing known", "Nothing else"]))


# Requests.


def test_prompts_are_conditions(fitted):
    modality, _ = fitted
    request = modality.request(prompt="a black dog")
    assert request.alone
    drawn = modality.draw_conditions(3, torch.device("cpu"), request.condition)
    assert drawn.shape == (3, 4)
    assert modality.tokenizer.texts(drawn[:, 1:].numpy()) == ["a black dog"] * 3
    labeled = modality.with_classes(("x", "y"), np.array([0] * 9 + [1]))
    free = labeled.draw_conditions(400, torch.device("cpu"), labeled.request(prompt="a").condition)
    assert 0.8 < (free[:, 0] == 0).float().mean() < 1
    assert labeled.labels_of(free).tolist() == free[:, 0].tolist()
    asked = labeled.draw_conditions(9, torch.device("cpu"), labeled.request(prompt="a", label="y").condition)
    assert (asked[:, 0] == 1).all()
    assert labeled.draw_conditions(9, torch.device("cpu"), labeled.request(label="y").condition).tolist() == [1] * 9


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"prompt": "a purple dog"}, "prompt 'a purple dog' has words that were not learned: 'purple'; leave them out"),
        ({"prompt": "a dog " * 40}, "has 80 words, texts have at most [0-9]+; shorten it"),
        ({"length": 20}, "does not support length; it supports prompt"),
        ({"label": "x"}, "trained without labels"),
    ],
)
def test_unusable_requests(fitted, asked, message):
    with pytest.raises(InputError, match=message):
        fitted[0].request(**asked)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    fields = {"width": 48, "embedding": 24, "D": 8, "batch": 32, "lr": 1e-2, "ema_kimg": 0.5}
    run = {"out": folder / "run", "steps": 150, "quiet": True, "device": "cpu"}
    return sparring.train("text", write_labeled(folder / "captions.csv"), **run, **fields)


def test_samples_begin_with_the_prompt_and_have_their_class(model, tmp_path):
    samples = model.sample(40, seed=1, prompt="a black", label="food")
    assert all(text.startswith("a black ") for text in samples.items)
    assert samples.labels.tolist() == [1] * 40
    foods = sum(
        any(food in text for food in ("pizza", "cake", "sandwich", "apple", "salad", "soup")) for text in samples.items
    )
    assert foods > 26
    model.save(tmp_path / "copy")
    again = sparring.load(tmp_path / "copy").sample(7, seed=1, prompt="a black", label="food")
    assert again.items.tolist() == samples.items[:7].tolist()
    cold = model.sample(40, seed=1, truncation=0.2)
    assert len(set(cold.items)) < len(set(model.sample(40, seed=1).items))


@pytest.mark.parametrize("suffix", [".txt", ".csv", ".jsonl", ".png"])
def test_written_texts_are_read_again(model, tmp_path, suffix):
    samples = model.sample(30, seed=2)
    samples.save(tmp_path / f"out{suffix}")
    if suffix == ".png":
        return
    again = find(tmp_path / f"out{suffix}", (Text,))
    assert again.items.texts == tuple(samples.items)
    if suffix != ".txt":
        assert again.labels.tolist() == samples.labels.tolist()


def test_texts_of_several_lines_are_written_with_blank_lines_between(fitted, tmp_path):
    Samples(np.array(["one\ntwo\n", "three"], object), None, fitted[0]).save(tmp_path / "o.txt")
    assert (tmp_path / "o.txt").read_text() == "one\ntwo\n\nthree\n\n"


def test_windows_of_any_length(tmp_path):
    (tmp_path / "play.txt").write_text(PLAY)
    fields = {"width": 16, "embedding": 8, "D": 4, "batch": 16, "window": 30}
    run = {"out": tmp_path / "run", "steps": 80, "quiet": True, "device": "cpu"}
    trained = sparring.train("text", tmp_path / "play.txt", **run, **fields)
    assert {len(text) for text in trained.sample(20, seed=1).items} == {30}
    longer = trained.sample(3, seed=1, length=90, prompt="ROMEO:")
    assert all(len(text) == 90 and text.startswith("ROMEO:") for text in longer.items)


# The judge.


@pytest.fixture(scope="module")
def judge():
    texts = sentences()
    held = len(texts) // 4
    return TextJudge(texts[held:], texts[:held], False, "sentences")


# Metrics of trivial generators, and by how much they are worse there than real texts.
CAUGHT = {
    "3-grams": ("c2st_auc", 0.2),
    "5-grams": ("copy_share", 0.3),
    "repeated": ("self_bleu[4]", 0.5),
    "spliced": ("shared_share", 0.15),
    "picked": ("copy_share", 0.3),
}


def test_every_cheat_is_caught_by_a_number(judge):
    """Each trivial generator is worse than real texts by a clear margin in the metric that is named in the docs."""
    real = {number.name: number.value for number in judge.floor(300)}
    made = judge.trivial(300)
    assert made.keys() == CAUGHT.keys()
    for name, (metric, margin) in CAUGHT.items():
        found = {number.name: number.value for number in judge.numbers(made[name])}
        assert found[metric] > real[metric] + margin, (name, metric, found[metric], real[metric])
    assert 0.4 < real["c2st_auc"] < 0.6


def test_findings_name_copies(judge):
    columns = judge.numbers(judge.trivial(200)["picked"])
    found = [finding.name for finding in judge.findings(columns, judge.floor(200), None)]
    assert "copies" in found
    assert not judge.findings(judge.floor(200), judge.floor(200), None)


def test_evaluation_draws_the_front_of_temperatures(model):
    from sparring.evaluation.evaluate import evaluate

    evaluation = evaluate(model, samples=60)
    assert {"without_D", "T=0.8", "T=1.1", "picked"} <= set(evaluation.baselines)
    assert evaluation.of_baseline("T=0.8", "self_bleu[4]") > evaluation.of_baseline("T=1.1", "self_bleu[4]")
    assert evaluation.picture.size[0] > 400
    assert evaluation["conditional_accuracy"] > 0.8
    assert "against the other 59 texts" in evaluation.protocol


def test_samples_augment_a_labeled_set(model, tmp_path):
    result = augment(model, tmp_path / "more.csv", n=40, seeds=3, without=["SMOTE"])
    assert "logistic regression on words and pairs of words, trained on 360 real texts" in result.protocol
    assert all(area > 0.95 for area in result.scores["samples"]["auc"])  # topics have words of their own
    assert result.verdict("samples").startswith("samples: auc ")
    written = find(tmp_path / "more.csv")
    assert len(written) == 400
    assert written.classes == ("animals", "food")


# What is wrong with texts.


def test_survey_names_lines(tmp_path):
    lines = [text for text, _ in captions(40)]
    lines[3], lines[5], lines[7] = (
        "write to ann.lee@example.org",
        "call +49 (30) 1234-5678 now",
        "собака сидит на лавке",
    )
    lines[9], lines[11], lines[13] = "", lines[0], "un caf\u00c3\u00a9 noir"
    (tmp_path / "s.txt").write_text("\n".join(lines))
    survey = Text.survey(find(tmp_path / "s.txt"), "s.txt")
    assert survey.found["personal data"] == ("line 4", "line 6")
    assert survey.found["other scripts"] == ("line 8 (cyrillic)",)
    assert survey.found["empty"] == ("line 10",)
    assert "line 12" in survey.found["duplicates"]
    assert survey.found["damaged"] == ("line 14",)
    assert survey.script == "Latin"
    assert "remove them before training" in survey.advice()[0]
    survey.write(tmp_path / "report")
    assert (tmp_path / "report" / "texts.png").exists()


BAD = [
    ("empty.txt", b"", "is empty"),
    ("blank.txt", b"\n \n", "is empty"),
    ("one.txt", b"A single line.\n", "has 1 line of text; give at least two"),
    ("binary.txt", bytes(range(256)) * 8, "holds binary data, not text"),
    ("cut.txt.gz", gzip.compress(b"a b\nc d\n" * 99)[:-4], "cut off or damaged"),
    ("numbers.csv", b"a,b\n1,2\n3,4\n5,6\n", "has no column of text; its columns are a, b"),
]


@pytest.mark.parametrize(("name", "content", "message"), BAD, ids=[name for name, _, _ in BAD])
def test_bad_files_are_one_line(tmp_path, monkeypatch, capsys, name, content, message):
    (tmp_path / name).write_bytes(content)
    words = ["sparring", "train", str(tmp_path / name), "--recipe", "text", "--out", str(tmp_path / "run")]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    error = capsys.readouterr().err.strip()
    assert message in " ".join(error.split())
    assert "Traceback" not in error


WORDS = ["a", "b c", "1", "2.5", ",", "\t", "\n", "\n\n", '"', "{", '{"a": "b"}', "é", "\0", "\ufeff", "我", " "]


@settings(max_examples=80, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=30), st.sampled_from([".txt", ".csv", ".jsonl", ".md"]), st.booleans())
def test_hostile_files_are_read_or_refused(parts, suffix, asked):
    """In one line of an `InputError`, whatever they hold."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"x{suffix}"
        path.write_text("".join(parts), encoding="utf-8")
        message = ""
        try:
            items = find(path, (Text,) if asked else ())
            if items.kind == "text":
                modality = Text(window=3).fit(items)
                encoded = modality.encode(items)
                assert len(modality.decode({VALUES: modality.scale(encoded.values)})) == len(encoded.items)
                Text.survey(items, "x")
        except InputError as error:
            message = str(error)
        assert "\n" not in message


def test_names_of_sets(tmp_path, monkeypatch):
    monkeypatch.setenv("SPARRING_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(InputError, match=r"the data set 'captions' is not here; put image_coco.txt into .*text"):
        find("captions")
    (tmp_path / "text").mkdir()
    write_captions(tmp_path / "text" / "image_coco.txt", 50)
    write_captions(tmp_path / "text" / "test_coco.txt", 30)
    items = find("captions")
    assert (items.name, len(items), items.held.sum()) == ("captions", 80, 30)
