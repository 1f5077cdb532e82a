"""What the page does, without the page."""

import base64
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

import sparring
from sparring import InputError, recipes
from sparring.modalities import Table
from sparring.recipes.base import parse
from sparring.runs.folder import RunFolder
from sparring.studio import cards, charts, edits, forms, paint, sampling, scores
from sparring.studio import table_edits as tables
from sparring.studio.jobs import Jobs, Order
from sparring.studio.launch import folders, launch, loopback
from sparring.studio.models import Models
from sparring.studio.run_index import Shelf, unused
from sparring.studio.studio import Studio
from sparring.studio.tabs import compare, train


@pytest.fixture
def studio(runs, tmp_path):
    """One over runs of its own, which is not served."""
    (tmp_path / "handed").mkdir()
    made = Studio([runs], "cpu", tmp_path / "handed")
    yield made
    made.jobs.close()


def test_whatever_is_typed_is_one_argument_and_no_option(tmp_path):
    order = Order("--force; rm -rf ~", tmp_path / "run", time=" 2m ", fields={"G": "$(id)", "--force": "x y"})
    words = order.words()
    assert words[:3] == ["train", f"--out={tmp_path / 'run'}", "--time=2m"]
    assert words[3:] == ["--", "--force; rm -rf ~", "G=$(id)", "--force=x y"]
    ended = subprocess.run([sys.executable, "-m", "sparring", *words], cwd=tmp_path, capture_output=True, text=True)
    assert ended.returncode == 2
    assert "--force; rm -rf ~" in ended.stderr  # taken for data, which are not there
    assert not list(tmp_path.iterdir())


def test_every_recipe_is_what_its_form_says():
    """Each field's text, passed on, is the value that it stands for; untouched, none is."""
    for name in recipes.names():
        recipe = recipes.find(name)
        table = forms.entries(recipe)
        texts = [entry.value for entry in table]
        assert recipe.set(parse([f"{entry.name}={entry.value}" for entry in table])) == recipe
        assert forms.changed(table, texts) == {}
        assert forms.changed(table, [*texts[:-1], " 7 "]) == {table[-1].name: "7"}
        assert all(entry.value in entry.choices for entry in table if entry.choices)


def test_a_training_is_stopped_with_its_model_and_one_at_a_time(tmp_path):
    jobs = Jobs(tmp_path / "printed")
    run = tmp_path / "run"
    words = Order("digits", run, "dcgan", time="5m", device="cpu", fields={"width": "8"}).words()
    job = jobs.start(run, words)
    with pytest.raises(InputError, match="run is training already"):
        jobs.start(run, words)
    while job.running and not (run / "log.jsonl").is_file():
        time.sleep(0.05)
    assert jobs.of(run).state == "training"
    other = Jobs(tmp_path / "elsewhere")
    again = other.start(run, ["train", f"--out={run}", "--", "digits"])  # the run is there: refused, and that is said
    again.process.wait()
    jobs.close()
    assert job.state == "done", job.said()
    assert sparring.load(run).sample(1)
    with pytest.raises(InputError, match="ending"):
        jobs.start(run, words)
    assert again.state == "failed"
    assert "--resume" in again.said()
    assert again.process.returncode != -signal.SIGINT


def test_runs_are_judged_one_after_the_other(studio, runs):
    """What goes wrong with one is told in its line, and the others are judged."""
    (runs / "lost").mkdir()
    for part in ("model", "recipe.json", "log.jsonl"):
        copy = shutil.copytree if (runs / "people" / part).is_dir() else shutil.copyfile
        copy(runs / "people" / part, runs / "lost" / part)
    model = runs / "lost" / "model" / "model.json"
    content = json.loads(model.read_text())
    content["about"]["data"] = "gone.csv"
    model.write_text(json.dumps(content))
    seen = []
    said = compare.judged(studio, ["people", "lost"], lambda done, desc, **_: seen.append((done, desc)))
    assert re.fullmatch(r"lost could not be judged: there is no .*'gone\.csv'.*\.", said)
    assert seen == [((0, 2), "Judging people"), ((1, 2), "Judging lost")]
    assert (runs / "people" / "evaluation.json").is_file()
    assert "judged: " in compare.judged(studio, ["people", "lost"], lambda *_, **__: None)


def test_new_runs_stay_in_their_home(tmp_path):
    home = tmp_path / "runs"
    for wanted in ("../../etc", "/etc/passwd", "..", "a/b", "x\0y"):
        assert unused(home, wanted).parent == home
    (home / "dcgan-digits").mkdir(parents=True)
    assert unused(home, "dcgan-digits") == home / "dcgan-digits-2"


def test_runs_are_found_and_damage_is_told(runs, tmp_path):
    other = tmp_path / "other" / "deep"
    (runs / "digits").rename(tmp_path / "moved")
    other.mkdir(parents=True)
    (tmp_path / "moved").rename(other / "people")  # two runs of one name
    (runs / "filled" / "recipe.json").write_text('{"format": ')
    (runs / "loop").symlink_to(runs)
    with (runs / "people" / "log.jsonl").open("a") as file:
        file.write('{"step": 99')  # a line that is being written
    shelf = Shelf([runs, tmp_path / "other", other / "people"])
    known = {card.name: card for card in shelf.cards()}
    assert sorted(known) == ["classes", "deep/people", "filled", "people"]
    assert known["filled"].why
    assert not known["filled"].ready
    assert (known["people"].kind, known["people"].step, known["people"].ready) == ("rows", 2, True)
    assert known["classes"].sheet.is_file()
    with pytest.raises(InputError, match=r"there is no run '\.\./runs'"):
        shelf.path("../runs")


@pytest.mark.parametrize(
    ("file", "line", "told"),
    [
        ("health.jsonl", "garbage\n", True), ("log.jsonl", "5\n", True), ("samples/mine.png", "", False),
        ("log.jsonl", '{"step": 3, "seconds": 1, "fid[x]": null}\n', True), ("samples/000009999.png", "GIF", False),
        ("log.jsonl", '{"step": 3, "seconds": 1, "D_real": "?"}\n', False),
    ],
)  # fmt: skip
def test_an_odd_file_spoils_one_card_at_most(runs, file, line, told):
    with (runs / "digits" / file).open("a") as odd:
        odd.write(line)
    shelf = Shelf([runs])
    known = shelf.cards()
    logs = {card.name: [] if card.why else shelf.log(card.path) for card in known}
    page = cards.page(known, logs, {}, "")
    assert {card.name for card in known if card.why} == ({"digits"} if told else set())
    assert page.count("data-run=") == len(known) - told
    assert [charts.panels(log) for log in logs.values()]


def test_a_new_run_is_on_the_shelf_wherever_it_is(runs):
    shelf = Shelf([runs / "digits"])
    assert list(shelf.paths()) == ["digits"]
    assert shelf.home == runs
    shelf.add(runs / "people")
    shelf.add(runs / "people")
    assert sorted(shelf.paths()) == ["digits", "people"]


def test_two_new_runs_of_one_name_get_folders_of_their_own(tmp_path):
    """Also before the first has written anything."""
    begun = {unused(tmp_path, "gan-digits")}
    begun.add(unused(tmp_path, "gan-digits", begun.__contains__))
    assert sorted(path.name for path in begun) == ["gan-digits", "gan-digits-2"]


def test_what_was_handed_out_goes_when_it_is_old(studio, monkeypatch):
    old, new = studio.place("old.png"), studio.place("new.png")
    os.utime(old.parent, (0, 0))
    assert old.parent.is_dir()
    monkeypatch.setattr(studio, "_swept", 0.0)
    studio.place("another.png")
    assert not old.parent.exists()
    assert new.parent.is_dir()


def test_a_model_that_comes_is_noticed(studio, runs):
    before = studio.stamp("digits")
    os.utime(runs / "digits" / "model" / "model.json", (1, 1))
    assert len({before, studio.stamp("digits"), studio.stamp("people"), studio.stamp("nobody")}) == 4
    assert studio.stamp("digits") == studio.stamp("digits")


def test_what_a_model_makes_is_known_while_another_computes_with_it(studio):
    path = studio.shelf.path("digits")
    with studio.models.of(path) as model:
        asker = threading.Thread(target=lambda: seen.append(studio.modality("digits")), daemon=True)
        seen = []
        asker.start()
        asker.join(10)
        assert seen == [model.modality]


def test_resuming_needs_more_than_there_is(studio, runs):
    path = str((runs / "digits").resolve())
    for bounds in (("", "2"), ("0.001s", "")):
        with pytest.raises(InputError, match="beyond what is typed; give more time or steps"):
            train._resume(studio, path, bounds)
    with RunFolder(runs / "digits").held(), pytest.raises(InputError, match="is being trained by another command"):
        train._resume(studio, path, ("", "4"))
    assert not studio.jobs.running


def test_a_training_that_is_stopped_at_once_says_so(tmp_path):
    jobs = Jobs(tmp_path / "printed")
    job = jobs.start(tmp_path / "run", ["train", f"--out={tmp_path / 'run'}", "--", "digits"])
    job.stop()
    job.process.wait()
    assert job.state == "stopped"


def test_names_are_text_on_the_page(runs):
    name = '<img src=x onerror="alert(1)">'
    (runs / "digits").rename(runs / name)
    card = Shelf([runs]).card(name, runs / name)
    for html in (cards.page([card], {name: []}, {name: ""}, name), cards.details(card, [], ""), scores.table(
        Shelf([runs]), [card, card]
    )):  # fmt: skip
        assert "<img src=x" not in html


def test_curves_are_thinned_and_end_where_the_log_ends():
    log = [{"kimg": i, "D/adversarial": float(i)} for i in range(10_000)] + [{"kimg": 10_000, "D/adversarial": np.nan}]
    points = charts.curve(log, "D/adversarial")
    assert len(points) <= charts.POINTS
    assert points[-1] == (9999, 9999)
    svg = charts.panels(log)
    assert "nan" not in svg
    lowest, highest = (float(y) for y in re.findall(r",([\d.]+)[ \"]", svg)[:: len(points) - 1][:2])
    assert lowest > highest  # the curve goes up, whose y goes down


@pytest.mark.parametrize("name", ["digits", "classes"])
def test_a_kept_sample_is_the_sample(trained, name):
    model = sparring.load(trained / name)
    samples = model.sample(12, seed=5)
    ends = [sampling.kept(model, name, samples, 5, place) for place in (3, 11)]
    for place, end in zip((3, 11), ends, strict=True):
        close(sampling.made(model, end.point[None], end.label)[0], samples.items[place])
    found = sampling.way(model, *ends, 6)
    assert len(found) == 6
    close(found[0], samples.items[3])
    close(found[-1], samples.items[11])
    with pytest.raises(InputError, match=r"A is of .* and B of other"):
        sampling.way(model, ends[0], replace(ends[1], run="other"), 6)


def close(one, other):
    assert np.abs(one.astype(int) - other.astype(int)).max() <= 1


def test_films_come_back_and_small_pictures_are_enlarged(tmp_path):
    pictures = list(np.random.default_rng(0).integers(0, 255, (4, 8, 8, 1), np.uint8))
    sampling.film(pictures, tmp_path / "film.gif")
    with Image.open(tmp_path / "film.gif") as film:
        assert (film.n_frames, film.size) == (6, (256, 256))
    assert sampling.enlarged(np.zeros((300, 300, 3), np.uint8)).size == (300, 300)


def test_what_is_drawn_is_a_mask_of_the_pictures_own_pixels(tmp_path):
    given = tmp_path / "given.png"
    Image.fromarray(np.zeros((10, 3000, 3), np.uint8)).save(given)
    html = paint.shown(given)
    width, height = (int(number) for number in re.search(r'width="(\d+)" height="(\d+)"', html).groups())
    assert (width, height) == (1024, 3)
    drawing = np.zeros((height, width, 4), np.uint8)
    drawing[:, :512, 3] = 1  # the left half, however faintly
    holes = paint.mask(given, address(drawing))
    assert holes.shape == (10, 3000)
    assert holes[:, :1500].all()
    assert not holes[:, 1500:].any()
    for nothing in (None, "", "data:image/png;base64,", address(np.zeros_like(drawing)), "data:,AAAA"):
        with pytest.raises(InputError, match="nothing is drawn"):
            paint.mask(given, nothing)
    given.write_text("no picture")
    with pytest.raises(InputError, match="the picture cannot be used: not a picture"):
        paint.shown(given)


def address(drawing):
    """As the page sends it."""
    file = io.BytesIO()
    Image.fromarray(drawing, "RGBA").save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def test_sliders_at_rest_change_nothing_and_moved_change_the_picture(trained):
    model = sparring.load(trained / "digits")
    samples = model.sample(1, seed=2)
    one = sampling.kept(model, "digits", samples, 2, 0)
    for method in edits.methods(model):
        if method == "labels":
            continue
        knobs = edits.knobs(model, method)
        close(edits.edited(model, one.point, one.label, knobs, [0] * len(knobs)), samples.items[0])
        for place, knob in enumerate(knobs[:2]):
            values = [0.0] * len(knobs)
            values[place] = knob.high
            assert (edits.edited(model, one.point, one.label, knobs, values) != samples.items[0]).any()
    assert one.point.equal(sampling.kept(model, "digits", samples, 2, 0).point)  # the start has stayed what it was
    with pytest.raises(InputError, match="there is no way 'magic'"):
        edits.knobs(model, "magic")


def test_codes_are_chosen_from_one():
    knob = edits.Knob("category", 0, 3, 1, place=slice(2, 5))
    point = torch.tensor([0.5, -0.5, 1.0, 0.0, 0.0])
    assert edits.moved(point, [knob], [0]).equal(point)
    assert edits.moved(point, [knob], [3]).tolist() == [0.5, -0.5, 0.0, 0.0, 1.0]


def test_conditions_are_as_typed_and_rows_obey(trained):
    model = sparring.load(trained / "people")
    table = model.modality
    assert isinstance(table, Table)
    where = tables.asked(table.columns, {"city": ["Oslo"], "age": ["30", ""], "income": [None, " "]})
    assert where == ["city=Oslo", "age>=30"]
    assert model.sample(20, seed=0, where=where).items.eval("city == 'Oslo' and age >= 30").all()
    real = tables.real_rows(model)
    kept = tables.obeying(table, real, where)
    wanted = real[(real["city"] == "Oslo") & (real["age"] >= 30)]
    pd.testing.assert_frame_equal(kept, wanted)
    low, high = (float(value) for value in tables.span(table.learned[0]))
    assert (low, high) == (real["age"].min(), real["age"].max())


def test_plots_show_the_shares(trained):
    model = sparring.load(trained / "people")
    real = tables.real_rows(model)
    made = real.assign(city="Rome")
    html = tables.figures(model.modality, made, real)
    rome = (real["city"] == "Rome").mean()
    assert f"<b>{rome:.1%}</b>" in html
    assert "<b>100.0%</b>" in html
    age = html.split("<figure>")[1]
    heights = [re.findall(rf'class="{kind}".*?height="([\d.]+)"', age) for kind in ("real", "made")]
    assert heights[0] == heights[1]  # ages are the same in both
    assert tables.BINS / 2 < len(heights[0]) <= tables.BINS
    assert "real" in tables.figures(model.modality, made, None)


@pytest.mark.parametrize("values", [range(30, 51), range(7), [5, 5], range(-3, 997), [0.5, 0.5], np.arange(0, 9, 0.3)])
def test_bins_hold_all_values_and_equally_many_whole_numbers(values):
    values = np.array(values, float)
    edges = tables._edges(values)
    counts, _ = np.histogram(values, edges)
    assert counts.sum() == len(values)
    assert len(counts) <= tables.BINS
    if not (values % 1).any():
        assert set(np.diff(edges)) == {max(1, np.ceil(len(set(values)) / tables.BINS))}
        assert len(set(counts[:-1])) <= 1  # the last may have fewer


def test_data_that_are_gone_or_others_are_not_compared_with(runs, tmp_path):
    model = sparring.load(runs / "people")
    model.about["data"] = str(tmp_path / "gone.csv")
    assert tables.real_rows(model) is None
    pd.DataFrame({"age": [1, 2], "other": [3, 4]}).to_csv(tmp_path / "gone.csv", index=False)
    assert tables.real_rows(model) is None


def test_models_are_loaded_once_and_wait_for_nobody_elses(runs):
    models = Models("cpu")
    with models.of(runs / "digits") as first, models.of(runs / "digits") as second:
        assert first is second
        reached = {name: threading.Event() for name in ("digits", "people")}

        def use(name):
            with models.of(runs / name):
                reached[name].set()

        threads = [threading.Thread(target=use, args=(name,)) for name in reached]
        for thread in threads:
            thread.start()
        assert reached["people"].wait(20)
        assert not reached["digits"].wait(0.2)  # who has it has it alone
    for thread in threads:
        thread.join(20)
    calls = []
    for _ in range(2):
        models.once(runs / "digits", "what", calls.append)
    assert calls == [first]
    sparring.load(runs / "digits").save(runs / "digits" / "model", force=True)
    with models.of(runs / "digits") as third:
        assert third is not first


def test_scores_stand_beside_what_real_data_get(runs):
    numbers = {"fid": {"value": 2.5, "real": 1.25, "best": "low"}, "coverage": {"value": 0.5, "best": "high"}}
    (runs / "digits" / "evaluation.json").write_text(json.dumps({"numbers": numbers}))
    (runs / "people" / "evaluation.json").write_text("{}")
    shelf = Shelf([runs])
    html = scores.table(shelf, [shelf.card(name, runs / name) for name in ("digits", "people")])
    cells = [re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row) for row in re.findall(r"<tr>(.*?)</tr>", html)]
    assert cells[0] == ["", "digits", "people"]
    assert ["fid ↓", "2.50 (1.25)", "-"] in [[c.replace("2.5 (", "2.50 (") for c in row] for row in cells]
    assert ["evaluation", "-", "damaged"] in cells


@pytest.mark.parametrize(
    ("host", "inside"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True), ("0.0.0.0", False),
     ("::", False), ("192.168.0.7", False), ("example.org", False), ("127.0.0.1.example.org", False)],
)  # fmt: skip
def test_loopback(host, inside):
    assert loopback(host) is inside


def test_bad_input_is_refused_before_anything_is_served(tmp_path, monkeypatch):
    monkeypatch.delenv("SPARRING_PASSWORD", raising=False)
    with pytest.raises(InputError, match=r"--host 0\.0\.0\.0 .*--password"):
        launch([tmp_path], host="0.0.0.0")
    with pytest.raises(InputError, match="--port 70000"):
        launch([tmp_path], port=70_000)
    with pytest.raises(InputError, match=r"no folder .*gone"):
        launch([tmp_path / "gone"])
    assert [str(place) for place in folders([])] == ["runs"]
