"""The studio without its page."""

import base64
import io
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import gradio as gr
import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

import sparring
from sparring import InputError, recipes
from sparring.modalities.asks import Ask, Field
from sparring.modalities.tables import distributions
from sparring.recipes.base import parse
from sparring.runs.folder import RunFolder
from sparring.studio import ask_form, cards, charts, mask_editor, page, recipe_form, scores, sliders, walks
from sparring.studio.jobs import Jobs, TrainCommand
from sparring.studio.launch import folders, launch, loopback
from sparring.studio.models import Models
from sparring.studio.run_index import RunIndex, unused
from sparring.studio.studio import Studio
from sparring.studio.tabs import compare, edit, file, sample, train


@pytest.fixture
def studio(runs, unserved):
    """A studio over its own copy of the runs, which is not served."""
    return unserved(runs)


def test_every_text_from_the_form_is_one_argument_and_no_option(tmp_path):
    command = TrainCommand("--force; rm -rf ~", tmp_path / "run", time=" 2m ", fields={"G": "$(id)", "--force": "x y"})
    words = command.words()
    assert words[:3] == ["train", f"--out={tmp_path / 'run'}", "--time=2m"]
    assert words[3:] == ["--", "--force; rm -rf ~", "G=$(id)", "--force=x y"]
    ended = subprocess.run([sys.executable, "-m", "sparring", *words], cwd=tmp_path, capture_output=True, text=True)
    assert ended.returncode == 2
    assert "--force; rm -rf ~" in ended.stderr  # taken as data, which do not exist
    assert not list(tmp_path.iterdir())


def test_the_form_of_every_recipe_has_its_values():
    """The text of each field, when passed on, gives its value. Unchanged texts are not passed on."""
    for name in recipes.names():
        recipe = recipes.find(name)
        table = recipe_form.entries(recipe)
        texts = [entry.value for entry in table]
        assert recipe.set(parse([f"{entry.name}={entry.value}" for entry in table])) == recipe
        assert recipe_form.changed(table, texts) == {}
        assert recipe_form.changed(table, [*texts[:-1], " 7 "]) == {table[-1].name: "7"}
        assert all(entry.value in entry.choices for entry in table if entry.choices)


def test_a_stopped_training_writes_its_model_and_only_one_runs_at_a_time(tmp_path):
    jobs = Jobs(tmp_path / "output")
    run = tmp_path / "run"
    words = TrainCommand("digits", run, "dcgan", time="5m", device="cpu", fields={"width": "8"}).words()
    job = jobs.start(run, words)
    with pytest.raises(InputError, match="run is already training"):
        jobs.start(run, words)
    while job.running and not (run / "log.jsonl").is_file():
        time.sleep(0.05)
    assert jobs.last(run).state == "training"
    other = Jobs(tmp_path / "elsewhere")
    again = other.start(run, ["train", f"--out={run}", "--", "digits"])  # refused, since the run exists
    again.process.wait()
    jobs.close()
    assert job.state == "done", job.output()
    assert sparring.load(run).sample(1)
    with pytest.raises(InputError, match="ending"):
        jobs.start(run, words)
    assert again.state == "failed"
    assert "--resume" in again.output()
    assert again.process.returncode != -signal.SIGINT


def test_runs_are_evaluated_one_after_the_other(studio, runs, monkeypatch):
    """If one fails, the reason is reported and the others are evaluated. Those that are evaluated are left alone."""
    (runs / "lost").mkdir()
    for part in ("model", "recipe.json", "log.jsonl"):
        copy = shutil.copytree if (runs / "people" / part).is_dir() else shutil.copyfile
        copy(runs / "people" / part, runs / "lost" / part)
    model = runs / "lost" / "model" / "model.json"
    content = json.loads(model.read_text())
    content["about"]["data"] = "gone.csv"
    model.write_text(json.dumps(content))
    calls = []
    status = compare.evaluate_runs(studio, ["people", "lost"], lambda done, desc, **_: calls.append((done, desc)))
    assert re.fullmatch(r"lost could not be evaluated: there is no .*'gone\.csv'.*\.", status)
    assert calls == [((0, 2), "Evaluating people"), ((1, 2), "Evaluating lost")]
    assert (runs / "people" / "evaluation.json").is_file()
    calls.clear()
    monkeypatch.setattr(studio.jobs, "start", Mock(side_effect=InputError("the studio is ending")))
    status = compare.evaluate_runs(studio, ["people", "lost"], lambda done, desc, **_: calls.append((done, desc)))
    assert status == "lost could not be evaluated: the studio is ending."
    assert calls == [((0, 1), "Evaluating lost")]


def test_new_runs_stay_in_the_folder_of_runs(tmp_path):
    home = tmp_path / "runs"
    for name in ("../../etc", "/etc/passwd", "..", "a/b", "x\0y"):
        assert unused(home, name).parent == home
    (home / "dcgan-digits").mkdir(parents=True)
    assert unused(home, "dcgan-digits") == home / "dcgan-digits-2"


def test_runs_are_found_and_damage_is_reported(runs, tmp_path):
    other = tmp_path / "other" / "deep"
    (runs / "digits").rename(tmp_path / "moved")
    other.mkdir(parents=True)
    (tmp_path / "moved").rename(other / "people")  # two runs with one name
    (runs / "filled" / "recipe.json").write_text('{"format": ')
    (runs / "loop").symlink_to(runs)
    with (runs / "people" / "log.jsonl").open("a") as file:
        file.write('{"step": 99')  # a line that is being written
    index = RunIndex([runs, tmp_path / "other", other / "people"])
    found = {card.name: card for card in index.cards()}
    assert sorted(found) == ["classes", "deep/people", "filled", "people"]
    assert found["filled"].error
    assert not found["filled"].ready
    assert (found["people"].items, found["people"].step, found["people"].ready) == ("rows", 2, True)
    assert found["classes"].sheet.is_file()
    with pytest.raises(InputError, match=r"there is no run '\.\./runs'"):
        index.path("../runs")


@pytest.mark.parametrize(
    ("file", "line", "damaged"),
    [
        ("health.jsonl", "garbage\n", True), ("log.jsonl", "5\n", True), ("samples/mine.png", "", False),
        ("log.jsonl", '{"step": 3, "seconds": 1, "fid[x]": null}\n', False), ("samples/000009999.png", "GIF", False),
        ("log.jsonl", '{"step": 3, "seconds": 1, "D_real": "?"}\n', False),
    ],
)  # fmt: skip
def test_an_unusual_file_affects_one_card_at_most(runs, file, line, damaged):
    with (runs / "digits" / file).open("a") as odd:
        odd.write(line)
    index = RunIndex([runs])
    found = index.cards()
    logs = {card.name: [] if card.error else index.log(card.path) for card in found}
    page = cards.page(found, logs, {}, "")
    assert {card.name for card in found if card.error} == ({"digits"} if damaged else set())
    assert page.count("data-run=") == len(found) - damaged
    assert [charts.log_charts(log) for log in logs.values()]


def test_a_new_run_is_in_the_index_wherever_it_is(runs):
    index = RunIndex([runs / "digits"])
    assert list(index.paths()) == ["digits"]
    assert index.home == runs
    index.add(runs / "people")
    index.add(runs / "people")
    assert sorted(index.paths()) == ["digits", "people"]


def test_two_new_runs_with_one_name_get_different_folders(tmp_path):
    """Even before the first one has written anything."""
    reserved = {unused(tmp_path, "gan-digits")}
    reserved.add(unused(tmp_path, "gan-digits", reserved.__contains__))
    assert sorted(path.name for path in reserved) == ["gan-digits", "gan-digits-2"]


def test_old_downloads_are_removed(studio, monkeypatch):
    old, new = studio.new_file("old.png"), studio.new_file("new.png")
    os.utime(old.parent, (0, 0))
    assert old.parent.is_dir()
    monkeypatch.setattr(studio, "_cleaned", 0.0)
    studio.new_file("another.png")
    assert not old.parent.exists()
    assert new.parent.is_dir()


def test_a_new_model_is_noticed(studio, runs):
    before = studio.stamp("digits")
    os.utime(runs / "digits" / "model" / "model.json", (1, 1))
    assert len({before, studio.stamp("digits"), studio.stamp("people"), studio.stamp("nobody")}) == 4
    assert studio.stamp("digits") == studio.stamp("digits")


def test_a_loaded_model_can_be_read_while_another_caller_computes_with_it(studio):
    with studio.models.use(studio.runs.path("digits")) as model:
        results = []
        caller = threading.Thread(target=lambda: results.append(studio.model("digits")), daemon=True)
        caller.start()
        caller.join(10)
        assert results == [model]


def test_resuming_needs_higher_limits(studio, runs):
    path = str((runs / "digits").resolve())
    for limits in (("", "2"), ("0.001s", "")):
        with pytest.raises(InputError, match="beyond these limits; give more time or steps"):
            train.resume(studio, path, *limits)
    with RunFolder(runs / "digits").held(), pytest.raises(InputError, match="is being trained by another command"):
        train.resume(studio, path, "", "4")
    assert not studio.jobs.running


def test_a_training_that_is_stopped_at_once_is_reported_as_stopped(tmp_path):
    jobs = Jobs(tmp_path / "output")
    job = jobs.start(tmp_path / "run", ["train", f"--out={tmp_path / 'run'}", "--", "digits"])
    job.stop()
    job.process.wait()
    assert job.state == "stopped"


def test_names_are_escaped_on_the_page(runs):
    name = '<img src=x onerror="alert(1)">'
    (runs / "digits").rename(runs / name)
    card = RunIndex([runs]).card(name, runs / name)
    for html in (cards.page([card], {name: []}, {name: ""}, name), cards.details(card, [], ""), scores.table(
        RunIndex([runs]), [card, card]
    )):  # fmt: skip
        assert "<img src=x" not in html


def test_curves_are_thinned_and_end_where_the_log_ends():
    log = [{"kimg": i, "D/adversarial": float(i)} for i in range(10_000)] + [{"kimg": 10_000, "D/adversarial": np.nan}]
    points = charts.curve(log, "D/adversarial")
    assert len(points) <= charts.MAX_POINTS
    assert points[-1] == (9999, 9999)
    svg = charts.log_charts(log)
    assert "nan" not in svg
    lowest, highest = (float(y) for y in re.findall(r",([\d.]+)[ \"]", svg)[:: len(points) - 1][:2])
    assert lowest > highest  # a rising curve has falling y coordinates


@pytest.mark.parametrize("name", ["digits", "classes"])
def test_a_kept_sample_is_that_sample(trained, name):
    model = sparring.load(trained / name)
    samples, request = model.sample(12, seed=5), model.request()
    ends = [walks.selected(model, name, request, 5, index) for index in (3, 11)]
    for index, end in zip((3, 11), ends, strict=True):
        close(walks.images(model, end.point[None], end.condition)[0], samples.items[index])
    found = walks.walk(model, *ends, 6)
    assert len(found) == 6
    close(found[0], samples.items[3])
    close(found[-1], samples.items[11])
    with pytest.raises(InputError, match=r"A is from .* and B from other"):
        walks.walk(model, ends[0], replace(ends[1], run="other"), 6)


def close(image, pixels):
    assert np.abs(np.asarray(image).astype(int) - pixels.squeeze().astype(int)).max() <= 1


def test_films_play_back_and_forth_and_small_images_are_enlarged(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 255, (4, 8, 8), np.uint8)
    walks.write_film(list(map(Image.fromarray, pixels)), tmp_path / "film.gif")
    with Image.open(tmp_path / "film.gif") as film:
        assert (film.n_frames, film.size) == (6, (256, 256))
    assert walks.enlarged(Image.new("RGB", (300, 300))).size == (300, 300)


def test_the_mask_has_the_painted_pixels_of_the_image():
    image = Image.new("RGB", (3000, 10))
    html = mask_editor.editor(image)
    width, height = (int(number) for number in re.search(r'width="(\d+)" height="(\d+)"', html).groups())
    assert (width, height) == (1024, 3)
    painting = np.zeros((height, width, 4), np.uint8)
    painting[:, :512, 3] = 1  # the left half, almost transparent
    holes = mask_editor.mask(image.size, data_url(painting))
    assert holes.shape == (10, 3000)
    assert holes[:, :1500].all()
    assert not holes[:, 1500:].any()
    for nothing in (None, "", "data:image/png;base64,", data_url(np.zeros_like(painting)), "data:,AAAA"):
        with pytest.raises(InputError, match="nothing is painted"):
            mask_editor.mask(image.size, nothing)


def data_url(pixels):
    """As the page sends a painting."""
    file = io.BytesIO()
    Image.fromarray(pixels, "RGBA").save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def test_sliders_at_rest_change_nothing_and_moved_ones_change_the_sample(trained):
    model = sparring.load(trained / "digits")
    pixels, start = model.sample(1, seed=2).items[0], walks.selected(model, "digits", model.request(), 2, 0)

    def edited(found, values):
        return walks.images(model, sliders.moved(start.point, found, values)[None], start.condition)[0]

    for method in sliders.methods(model):
        if method == "labels":  # a classifier would be trained
            continue
        found = sliders.sliders(model, method)
        close(edited(found, [0] * len(found)), pixels)
        for i, slider in enumerate(found[:2]):
            values = [0.0] * len(found)
            values[i] = slider.high
            assert (np.asarray(edited(found, values)) != pixels.squeeze()).any()
            assert sliders.described(found, values) == f"{slider.name} {slider.high:+.2f}"
    assert start.point.equal(walks.selected(model, "digits", model.request(), 2, 0).point)  # it was not changed
    with pytest.raises(InputError, match="there is no method 'magic'"):
        sliders.sliders(model, "magic")


def test_values_of_one_hot_codes_are_counted_from_one():
    slider = sliders.Slider("category", 0, 3, 1, place=slice(2, 5))
    point = torch.tensor([0.5, -0.5, 1.0, 0.0, 0.0])
    assert sliders.moved(point, [slider], [0]).equal(point)
    assert sliders.moved(point, [slider], [3]).tolist() == [0.5, -0.5, 0.0, 0.0, 1.0]


def test_conditions_of_the_form_are_those_of_the_command_line(trained):
    model = sparring.load(trained / "people")
    assert ask_form.field_names(model.modality) == ["age", "city", "income"]
    form = ask_form.entries(model.modality, ["city", "age", "unknown", "income"])
    asked = ask_form.asked(form, ["Oslo", "30", "", None, " "])
    assert asked == {"where": ["city=Oslo", "age>=30"]}
    assert model.sample(20, seed=0, **asked).items.eval("city == 'Oslo' and age >= 30").all()
    assert ask_form.asked(form, ["", "", "", "", ""]) == {}


@pytest.mark.parametrize(
    ("ask", "value", "asked"),
    [
        (Ask("label", "", choices=("a", "b")), "b", {"label": "b"}), (Ask("label", "", choices=("a",)), "", {}),
        (Ask("length", "", "integer"), 250.0, {"length": 250}), (Ask("length", "", "integer"), None, {}),
        (Ask("prompt", ""), " a cat ", {"prompt": "a cat"}), (Ask("loud", "", "boolean"), "false", {"loud": False}),
        (Ask("words", "", many=True), "one\n\n two", {"words": ["one", "two"]}),
        (Ask("parts", "", many=True, choices=("a", "b")), ["a", "b"], {"parts": ["a", "b"]}),
        (Ask("speed", "", "number"), 1.5, {"speed": 1.5}),
    ],
)  # fmt: skip
def test_every_type_of_ask_has_a_component(ask, value, asked):
    form = [ask_form.Entry(ask)]
    (component,) = ask_form.components(form[0], "run")
    assert component.elem_id == f"ask-{ask.name}"
    assert ask_form.asked(form, [value]) == asked


def test_a_number_of_the_form_that_is_not_whole_is_refused():
    with pytest.raises(InputError, match=r"length=2\.5 is not a whole number"):
        ask_form.asked([ask_form.Entry(Ask("length", "", "integer"))], [2.5])


def test_rows_are_compared_with_real_ones_that_satisfy_the_same_conditions(trained):
    model = sparring.load(trained / "people")
    request = model.request(where=["city=Oslo", "age>=30"])
    samples, items = model.sample_request(50, request, 0), model.find_items()
    comparison = model.modality.compare(samples, request, lambda: items)
    real = items.items[(items.items["city"] == "Oslo") & (items.items["age"] >= 30)]
    assert comparison.reference == f"{len(real):,} real rows that satisfy the same conditions"
    (city,) = (d for d in comparison.distributions if d.name == "city")
    assert (city.values[0], city.real[0], city.sampled[0]) == ("Oslo", 1, 1)
    age = ask_form.entries(model.modality, ["age"])[0].field
    assert age == Field("age", (), str(items.items["age"].min()), str(items.items["age"].max()))


def test_charts_show_the_shares(trained):
    model = sparring.load(trained / "people")
    real = model.find_items().items
    html = charts.distribution_charts(distributions.distributions(model.modality, real.assign(city="Rome"), real))
    rome = (real["city"] == "Rome").mean()
    assert f"<b>{rome:.1%}</b>" in html
    assert "<b>100.0%</b>" in html
    age = html.split("<figure>")[1]
    heights = [re.findall(rf'class="{source}".*?height="([\d.]+)"', age) for source in ("real", "sampled")]
    assert heights[0] == heights[1]  # ages are the same in both
    assert distributions.MAX_BINS / 2 < len(heights[0]) <= distributions.MAX_BINS
    assert "real" in charts.distribution_charts(distributions.distributions(model.modality, real, None))


@pytest.mark.parametrize("values", [range(30, 51), range(7), [5, 5], range(-3, 997), [0.5, 0.5], np.arange(0, 9, 0.3)])
def test_bins_hold_all_values_and_the_same_number_of_whole_numbers(values):
    values = np.array(values, float)
    edges = distributions.bin_edges(values)
    counts, _ = np.histogram(values, edges)
    assert counts.sum() == len(values)
    assert len(counts) <= distributions.MAX_BINS
    if not (values % 1).any():
        assert set(np.diff(edges)) == {max(1, np.ceil(len(set(values)) / distributions.MAX_BINS))}
        assert len(set(counts[:-1])) <= 1  # the last may have fewer


def test_a_new_kind_of_data_needs_no_edits(tmp_path):
    """The kind of the docs, which declares nothing but what it must."""
    page = Path(__file__).parents[2] / "docs" / "your-own-kind.md"
    recipe, data, runs = tmp_path / "strips.py", tmp_path / "fabric.strips", tmp_path / "runs"
    recipe.write_text(re.search(r"```python\n(.*?)```", page.read_text(), re.DOTALL)[1])
    data.write_text("\n".join("".join(random.choice("rgbk") for _ in range(6)) for _ in range(80)))
    sparring.train(str(recipe), data, out=runs / "fabric", steps=2, quiet=True, device="cpu")
    (tmp_path / "files").mkdir()
    studio = Studio([runs], "cpu", tmp_path / "files", trust=True)
    model = studio.model("fabric")
    tabs = [sample.can_sample, edit.can_edit, file.can_use_files]
    assert [can_use(model) for can_use in tabs] == [True, True, False]
    with gr.Blocks():
        form, output = sample._form(), sample._output(gr.File())
    fitted = sample._fit(studio, form, output, studio.stamp("fabric"))
    assert (fitted[form.fields].visible, fitted[form.count].value) == (False, 64)
    drawn = sample._draw(studio, output, "fabric", [], "fabric", 5, 0, 0)
    assert drawn[output.status] == "5 strips of seed 0"
    assert [c for c in (output.gallery, output.preview, output.table, output.audio) if drawn[c].visible] == [
        output.preview
    ]
    assert [written["orig_name"] for written in drawn[output.files].value] == ["fabric-5.strips", "fabric-5.png"]
    start = walks.selected(model, "fabric", model.request(), 0, 0)
    for method in sliders.methods(model):
        (slider, *_) = sliders.sliders(model, method)
        assert walks.images(model, sliders.moved(start.point, [slider], [1.0])[None], start.condition)
    assert len(walks.walk(model, start, start, 4)) == 4


def test_missing_or_other_data_are_not_compared_with(studio, runs, tmp_path):
    model = sparring.load(runs / "people")
    samples, stored = model.sample(20, seed=0), "distributions stored in the model"
    model.about["data"] = str(tmp_path / "gone.csv")
    assert studio.training_items(model) is None
    assert stored in model.modality.compare(samples, model.request(), lambda: None).reference
    pd.DataFrame({"age": [1] * 400, "other": [3] * 400}).to_csv(tmp_path / "gone.csv", index=False)
    items = studio.training_items(model)
    assert stored in model.modality.compare(samples, model.request(), lambda: items).reference
    pd.DataFrame({"age": [1, 2], "other": [3, 4]}).to_csv(tmp_path / "gone.csv", index=False)
    assert studio.training_items(model) is None


def test_models_are_loaded_once_and_callers_of_different_models_do_not_wait(runs):
    models = Models("cpu")
    with models.use(runs / "digits") as first, models.use(runs / "digits") as second:
        assert first is second
        reached = {name: threading.Event() for name in ("digits", "people")}

        def use(name):
            with models.use(runs / name):
                reached[name].set()

        threads = [threading.Thread(target=use, args=(name,)) for name in reached]
        for thread in threads:
            thread.start()
        assert reached["people"].wait(20)
        assert not reached["digits"].wait(0.2)  # one caller at a time
    for thread in threads:
        thread.join(20)
    calls = []
    for _ in range(2):
        models.computed(runs / "digits", "key", calls.append)
    assert calls == [first]
    sparring.load(runs / "digits").save(runs / "digits" / "model", force=True)
    with models.use(runs / "digits") as third:
        assert third is not first


def test_scores_are_shown_next_to_those_of_real_data(runs):
    numbers = {"fid": {"value": 2.5, "real": 1.25, "best": "low"}, "coverage": {"value": 0.5, "best": "high"}}
    (runs / "digits" / "evaluation.json").write_text(json.dumps({"numbers": numbers}))
    (runs / "people" / "evaluation.json").write_text("{}")
    index = RunIndex([runs])
    html = scores.table(index, [index.card(name, runs / name) for name in ("digits", "people")])
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


def test_a_search_ends(studio, monkeypatch):
    """A condition that nothing satisfies does not keep the model from others for long."""
    monkeypatch.setattr(sample, "MAX_SEARCH", 0.3)
    with studio.models.use(studio.runs.path("people")) as model:
        request, began = model.request(where=["age>79.5", "income<-1e9"]), time.monotonic()
        with pytest.raises(InputError, match=r"only 0 of the 5 samples were found .* in 0\.3 seconds; ask for fewer"):
            model.sample_request(5, request, 0, searched=sample._patience(5))
        assert time.monotonic() - began < 5


def test_only_one_render_runs_at_a_time(studio):
    """Two at once would give two handlers of a visitor the same number."""
    renders = [handler for handler in page.page(studio).fns.values() if handler.renderable]
    assert len(renders) > 1
    assert {(handler.concurrency_id, handler.concurrency_limit) for handler in renders} == {("render", 1)}
