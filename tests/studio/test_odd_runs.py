"""Folders of runs with any contents: none of them keeps the others from being shown."""

import json
import os
import random
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from sparring.deploy.serve.access import Hosts
from sparring.runs.folder import RunFolder
from sparring.studio import cards, charts, run_index, scores
from sparring.studio.guard import Guard
from sparring.studio.run_index import RunIndex
from sparring.studio.tabs.runs import last_sheet

RECIPE = {
    "format": 2, "sparring": "0.2.0", "recipe": "dcgan", "fields": {}, "kind": "images", "modality": {},
    "run": {"settings": {"data": "digits"}, "steps": 10, "time": None},
}  # fmt: skip
LINE = {"step": 3, "kimg": 0.1, "seconds": 2.0, "speed": 9.5, "G/adversarial": 0.7, "fid[patches]": 3.25}
DEEP = "[" * 100_000


def changed(**values):
    return json.dumps({**RECIPE, **values})


def with_run(**values):
    return changed(run={**RECIPE["run"], **values})


ODD_RECIPES = {
    "no json": "no", "empty": "", "a list": "[1, 2]", "a number": "7", "null": "null", "deep": DEEP,
    "not utf-8": b"\xff\xfe{",
    "no run": json.dumps({"recipe": "dcgan", "kind": "images"}), "run is text": changed(run="x"),
    "recipe is a number": changed(recipe=5), "recipe is null": changed(recipe=None),
    "kind is a list": changed(kind=[1]),
    "settings is a list": with_run(settings=[]), "data is missing": with_run(settings={}),
    "data is a lone surrogate": with_run(settings={"data": "\ud800"}), "steps is text": with_run(steps="many"),
    "steps is infinite": with_run(steps=float("inf")), "steps is not a number": with_run(steps=float("nan")),
    "steps is huge": '{"recipe": "a", "kind": "b", "run": {"settings": {"data": "d"}, "steps": 1e999, "time": null}}',
    "steps is negative": with_run(steps=-5), "time is a list": with_run(time=[3]), "time is true": with_run(time=True),
    "steps has many digits": with_run(steps=10**400), "recipe is long": changed(recipe="a" * 100_000),
}  # fmt: skip
ODD_LOGS = {
    "log of text": "hello\n", "log of lists": "[1]\n", "log of null": "null\n", "log of bytes": b"\xff\xff\n",
    "deep log": DEEP + "\n",
    "log without step": '{"a": 1}\n', "step is text": '{"step": "x"}\n', "step is infinite": '{"step": 1e999}\n',
    "score is text": '{"step": 1, "fid[x]": "low"}\n',
    "values are lists": '{"step": 1, "kimg": [1], "G/adversarial": {}}\n',
    "speed is null": '{"step": 1, "speed": null}\n', "numbers of many digits": f'{{"step": 1, "kimg": 1{"0" * 400}}}\n',
    "a name of half a character": '{"step": 1, "fid[\\ud800]": 3}\n', "nul bytes": b"\0\0\0\n",
}  # fmt: skip


@pytest.fixture
def runs(tmp_path):
    good = tmp_path / "runs" / "good"
    good.mkdir(parents=True)
    (good / "recipe.json").write_text(json.dumps(RECIPE))
    (good / "log.jsonl").write_text(json.dumps(LINE) + "\n")
    return tmp_path / "runs"


def shown(runs):
    """The page of runs and the details of each, as they are sent; and the cards by name."""
    index = RunIndex([runs])
    found = index.cards()
    logs = {card.name: [] if card.error else index.log(card.path) for card in found}
    html = cards.page(found, logs, {card.name: "training" if card.is_training() else "" for card in found}, "good")
    for card in found:
        html += cards.details(card, logs[card.name], charts.log_charts(logs[card.name])) + f"{last_sheet(card)}"
        assert index.path(card.name) == card.path.resolve()
    html += scores.table(index, found)
    assert html.encode()
    by_name = {card.name: card for card in found}
    assert (by_name["good"].step, by_name["good"].error, by_name["good"].score) == (3, "", "fid[patches] 3.25")
    return by_name


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))


def test_recipes_of_runs(runs):
    for name, content in ODD_RECIPES.items():
        write(runs / name / "recipe.json", content)
    found = shown(runs)
    assert set(found) == {"good", *ODD_RECIPES}
    readable = {"kind is a list", "data is a lone surrogate", "recipe is long"}
    assert {name for name, card in found.items() if card.error} >= set(ODD_RECIPES) - readable
    assert "cannot be read" in found["no json"].error


def test_logs_of_runs(runs):
    for name, content in ODD_LOGS.items():
        for file in ("log.jsonl", "health.jsonl"):
            place = runs / f"{name} in {file}"
            write(place / "recipe.json", json.dumps(RECIPE))
            write(place / file, content)
    assert len(shown(runs)) == 1 + 2 * len(ODD_LOGS)


def test_files_that_are_something_else(runs, monkeypatch):
    """Folders where files are expected and the other way round, links in circles, pipes, huge and damaged files."""
    for name in ("log.jsonl", "health.jsonl", "samples", "model", "evaluation.json", ".lock", "samples/00000001.png"):
        place = runs / name.replace("/", "-")
        write(place / "recipe.json", json.dumps(RECIPE))
        if name in ("samples", "model"):
            write(place / name, "a file")
        else:
            (place / name).mkdir(parents=True)
    for name, content in (("empty", b""), ("text", b"no"), ("bomb", png_of_a_huge_size()), ("other", b"\0" * 99)):
        write(runs / name / "recipe.json", json.dumps(RECIPE))
        write(runs / name / "samples" / "00000007.png", content)
        write(runs / name / "evaluation.json", content)
    circle = runs / "circle"
    write(circle / "recipe.json", json.dumps(RECIPE))
    for name in ("log.jsonl", "samples", "model", "evaluation.json"):
        (circle / name).symlink_to(circle / name)
    (runs / "loop").symlink_to(runs)
    (runs / "gone").symlink_to(runs / "nowhere")
    (runs / "recipe-folder" / "recipe.json").mkdir(parents=True)
    os.mkfifo(runs / "pipe")
    write(runs / "piped" / "recipe.json", json.dumps(RECIPE))
    os.mkfifo(runs / "piped" / "log.jsonl")
    write(runs / os.fsdecode(b"not-utf8-\xff") / "recipe.json", json.dumps(RECIPE))
    write(runs / "<script>" / "recipe.json", json.dumps(RECIPE))
    monkeypatch.setattr(run_index, "MAX_BYTES", 10_000)
    write(runs / "large" / "recipe.json", json.dumps(RECIPE))
    write(runs / "large" / "log.jsonl", (json.dumps(LINE) + "\n") * 1000)
    found = shown(runs)
    assert "more than a run's files have" in found["large"].error
    assert any(name.startswith("not-utf8-") for name in found)


def png_of_a_huge_size():
    header = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (60_000).to_bytes(4, "big") * 2 + b"\x08\2\0\0\0"
    return header + b"\0\0\0\0"


def test_folders_that_may_not_be_read(runs, monkeypatch):
    """As another user's folders, and ones that are removed while they are read."""
    write(runs / "locked" / "recipe.json", json.dumps(RECIPE))
    plain_stat, plain_list = Path.stat, Path.iterdir

    def refused(path, **more):
        if "locked" in path.parts and path.name != "recipe.json":
            raise PermissionError(13, "Permission denied", str(path))
        return plain_stat(path, **more)

    def gone(path):
        if path.name == "vanishing":
            raise FileNotFoundError(2, "No such file", str(path))
        return plain_list(path)

    (runs / "vanishing").mkdir()
    monkeypatch.setattr(Path, "stat", refused)
    monkeypatch.setattr(Path, "iterdir", gone)
    assert "good" in shown(runs)


def test_damaged_runs(runs):
    """Random bytes of a whole run are changed, with a seed."""
    r = random.Random(7)
    for i in range(60):
        place = runs / f"damaged{i}"
        for name, content in (
            ("recipe.json", json.dumps(RECIPE)),
            ("log.jsonl", (json.dumps(LINE) + "\n") * 2),
            ("health.jsonl", json.dumps({"step": 1, "problem": "p", "evidence": "e", "advice": "a"}) + "\n"),
        ):
            damaged = bytearray(content.encode())
            for _ in range(r.randrange(3)):
                damaged[r.randrange(len(damaged))] = r.randrange(256)
            write(place / name, bytes(damaged[: r.randrange(len(damaged) // 2, len(damaged) + 1)]))
    assert len(shown(runs)) == 61
    assert RunFolder(runs / "good").recipe.is_file()


def test_the_page_is_guarded():
    """It is answered only by its own names, and wrong passwords are limited by client."""

    async def login(request):
        right = (await request.body()) == b"right"
        return PlainTextResponse("in" if right else "Incorrect credentials.", 200 if right else 400)

    routes = [Route("/login", login, methods=["POST"]), Route("/", lambda _: PlainTextResponse("page"))]
    app = Starlette(routes=routes, middleware=[Middleware(Guard, hosts=Hosts(["studio.example.org"]))])
    client = TestClient(app, "http://127.0.0.1:7860")
    assert client.get("/").text == "page"
    assert client.get("/", headers={"Host": "studio.example.org"}).status_code == 200
    refused = client.get("/", headers={"Host": "evil.example"})
    assert (refused.status_code, "--host-name" in refused.text) == (421, True)
    assert client.post("/login", content=b"right").status_code == 200
    answers = [client.post("/login", content=b"guess").status_code for _ in range(200)]
    assert answers == [400] * 10 + [429] * 190
    assert client.post("/login", content=b"right").status_code == 429
    assert client.get("/").status_code == 200
