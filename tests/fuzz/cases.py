"""What is tried: for every kind of input, a function that writes hostile files to the working folder, and returns a
command as words, or a function that must raise no other error than an `InputError`.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import corpus
from corpus import ARCHIVES, IMAGES, TABLES, TOY, VIDEOS
from mutations import ODD_NUMBERS, ODD_TEXTS, as_json, damaged, odd_value, spliced, twisted

Words = list[str]
Attempt = Words | Callable[[], object]
Builder = Callable[[Random, Path], Attempt]

ODD_NAMES = ("\x1b[31mred", "a\nb", "\udcff", "{0}", "[bold]", "a'b", "日本", "-n", "\u202egnp", "a\rb", "x" * 200, " ")
STEPS = ("--steps", "1")


def hurt(intact: bytes, other: bytes, random: Random) -> bytes:
    """A damaged file; now and then an intact one, one of another kind, or one without any structure."""
    how = random.randrange(12)
    if how == 0:
        return intact
    if how == 1:
        return spliced(intact, other, random)
    if how == 2:
        return random.randbytes(random.randrange(300))
    return damaged(intact, random)


def write(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def _train(data: str, *more: str) -> Words:
    return ["train", data, *more, *STEPS, "--out", "run", "--device", "cpu"]


def images(random: Random, models: Path) -> Attempt:
    """A folder of images, or an image that a model is applied to."""
    format = random.choice(IMAGES)
    one, other = corpus.image(format, random), corpus.image(random.choice(IMAGES), random)
    if random.random() < 0.2:
        name = write(Path(f"given.{format}"), hurt(one, other, random)).name
        mask = ["--mask", name] if random.random() < 0.3 else []
        model = random.choice(("larger", "fill"))
        return ["apply", str(models / model), name, "-o", random.choice(("out.png", "out.jpg", "out.tif")), *mask]
    folders = random.choice((("",), ("cats", "dogs"), (random.choice(ODD_NAMES), "b"), ("train", "test")))
    for i in range(random.randrange(1, 7)):
        stem = random.choice(ODD_NAMES) if random.random() < 0.1 else str(i)
        content = hurt(one, other, random) if random.random() < 0.5 else corpus.image(format, random, (8, 8))
        write(Path("photos") / random.choice(folders) / f"{stem}.{format}", content)
    if random.random() < 0.25:
        return _train("photos", "--recipe", "gan", *TOY, f"size={random.choice((0, 4, 8))}")
    return ["check", "photos", *random.choice(([], ["--write", "clean"]))]


def archives(random: Random, models: Path) -> Attempt:  # noqa: ARG001
    """An archive of images, of tables or of arrays."""
    suffix = random.choice(ARCHIVES)
    names = [random.choice((f"a/{i}.png", f"b/{i}.png", f"{i}.png", random.choice(ODD_NAMES))) for i in range(4)]
    files = {name: corpus.image("png", random, (8, 8)) for name in names}
    if random.random() < 0.3:
        files = {f"{i}.csv": corpus.table_file("csv", corpus.frame(random)) for i in range(2)}
    if random.random() < 0.2:
        files["../../outside.png"] = files["/absolute.png"] = next(iter(files.values()))
    intact = corpus.archive(suffix, files, random)
    other = corpus.archive(random.choice(ARCHIVES), files, random)
    name = write(Path(f"set.{random.choice((suffix, suffix, suffix, 'zip'))}"), hurt(intact, other, random)).name
    if random.random() < 0.15:
        return _train(name, "--recipe", "gan", *TOY)
    return ["check", name]


def arrays(random: Random, models: Path) -> Attempt:  # noqa: ARG001
    """An array of images, points or a series."""
    intact = corpus.npy(random)
    content = intact if random.random() < 0.5 else hurt(intact, corpus.npy(random), random)
    name = write(Path("set.npy"), content).name
    if random.random() < 0.3:
        recipe = random.choice(("gan", "r3gan_mlp", "series", "table"))
        return _train(name, "--recipe", recipe, "batch=4", *(TOY if recipe == "gan" else ()))
    return ["check", name]


def tables(random: Random, models: Path) -> Attempt:
    """A table or a series in a file."""
    suffix = random.choice(TABLES)
    make = random.choice((corpus.frame, corpus.frame, corpus.series))
    one, other = corpus.table_file(suffix, make(random)), corpus.table_file(random.choice(TABLES), make(random))
    if suffix in ("csv", "tsv", "jsonl", "json") and random.random() < 0.5:
        one = odd_cells(one, random)
    name = write(Path(f"set.{suffix}"), hurt(one, other, random)).name
    how = random.randrange(10)
    if how == 0:
        return _train(name, "--recipe", "table", "width=4", "D=4", "batch=4", "z=2")
    if how == 1:
        return _train(name, "--recipe", "series", "width=4", "batch=4", "window=8")
    if how == 2:
        return ["explore", str(models / "table"), "--data", name, "-o", "explored", "--only", "distributions"]
    return ["check", name]


def odd_cells(text: bytes, random: Random) -> bytes:
    """The text of a table in which some values are odd."""
    parts = text.split(b"\n")
    for _ in range(random.randrange(1, 4)):
        line = random.randrange(len(parts))
        mark = random.choice((b",", b"\t", b'"', b":"))
        cells = parts[line].split(mark)
        odd = str(random.choice((*ODD_TEXTS, *map(float, ODD_NUMBERS[:18]))))
        cells[random.randrange(len(cells))] = odd.encode("utf-8", "surrogateescape")
        parts[line] = mark.join(cells)
    return b"\n".join(parts)


def videos(random: Random, models: Path) -> Attempt:
    """A video that a model is applied to."""
    suffix = random.choice(VIDEOS)
    one = corpus.video(suffix, Path(), random)
    name = write(Path(f"given.{suffix}"), hurt(one, corpus.video("gif", Path(), random), random)).name
    return ["apply", str(models / "larger"), name, "-o", random.choice(("out.mp4", "out.gif", "out.webm"))]


def copied(models: Path, name: str) -> Path:
    """A copy of a run, which may be changed."""
    return Path(shutil.copytree(models / name, Path("copy")))


def _resume(models: Path, name: str) -> Words:
    data = {"digits": "digits", "points": "ring"}.get(name) or str(models / f"{name.replace('table', 'rows')}.csv")
    return ["train", data, "--out", "copy", "--resume", "--steps", "3", "--device", "cpu"]


def checkpoints(random: Random, models: Path) -> Attempt:
    """A run with damaged checkpoints, which is resumed."""
    name = random.choice(("digits", "points"))
    run = copied(models, name)
    places = sorted((run / "checkpoints").glob("[0-9]*/state.*"))
    keep = random.random() < 0.5  # the older checkpoint
    for place in [p for p in places if not (keep and p.parent == places[0].parent)]:
        if place.suffix == ".json":
            state = json.loads(place.read_text())
            place.write_bytes(as_json(twisted(state, random), random))
        elif random.random() < 0.5:
            place.write_bytes(hurt(place.read_bytes(), b"", random))
    if random.random() < 0.5:
        _sign(run)
    return _resume(models, name)


def _sign(run: Path) -> None:
    """Give changed checkpoints a checksum that is right, as somebody who forges them would."""
    from sparring.training.checkpoint import _digest

    for place in (run / "checkpoints").glob("[0-9]*"):
        with suppress(ValueError, OSError, RecursionError):
            state = json.loads((place / "state.json").read_bytes())
            if isinstance(state, dict):
                state.pop("digest", None)
                digest = _digest((place / "state.safetensors").read_bytes(), state)
                (place / "state.json").write_text(json.dumps({**state, "digest": digest}))


MODEL_COMMANDS: Mapping[str, tuple[Words, ...]] = {
    "digits": (["sample", "copy", "-n", "3", "-o", "out"], ["sample", "copy", "-n", "3", "-o", "o.png", "--label", "1"],
               ["explore", "copy", "-o", "sheets", "--only", "interpolation"],
               ["export", "copy", "-o", "one.safetensors", "--half"]),
    "points": (["sample", "copy", "-n", "3", "-o", "out.csv"], ["evaluate", "copy", "--samples", "32"],
               ["compare", "copy", "copy", "-o", "page", "--samples", "32"]),
    "table": (["sample", "copy", "-n", "3", "-o", "out.csv"], ["sample", "copy", "-n", "3", "-o", "out.parquet"],
              ["sample", "copy", "-n", "3", "-o", "out.csv", "--where", "age>30"]),
    "series": (["sample", "copy", "-n", "3", "-o", "out.csv"], ["scenarios", "copy", "-o", "risk", "-n", "20"],
               ["sample", "copy", "-n", "3", "-o", "out.csv", "--length", "20"]),
    "larger": (["apply", "copy", "given.png", "-o", "out.png"],),
    "fill": (["apply", "copy", "given.png", "-o", "out.png"],),
}  # fmt: skip


def model_folders(random: Random, models: Path) -> Attempt:
    """A model whose description or weights are odd."""
    name = random.choice(sorted(MODEL_COMMANDS))
    run = copied(models, name)
    write(Path("given.png"), corpus.image("png", random, (16, 16), "RGB"))
    described, weights = run / "model" / "model.json", run / "model" / "weights.safetensors"
    if random.random() < 0.75:
        described.write_bytes(as_json(twisted(json.loads(described.read_text()), random), random))
    else:
        weights.write_bytes(_hurt_weights(weights.read_bytes(), random))
    return list(random.choice(MODEL_COMMANDS[name]))


def _hurt_weights(content: bytes, random: Random) -> bytes:
    """A file of safetensors with a damaged header or numbers."""
    size = int.from_bytes(content[:8], "little")
    if random.random() < 0.5:
        return hurt(content, b"", random)
    header = as_json(twisted(json.loads(content[8 : 8 + size]), random), random)
    return len(header).to_bytes(8, "little") + header + content[8 + size :]


RUN_FILES = ("recipe.json", "log.jsonl", "health.jsonl", "plan.jsonl", "evaluation.json", ".sparring.json", "README.md")


def run_folders(random: Random, models: Path) -> Attempt:
    """A run whose files are odd: it is resumed, evaluated, compared, sampled, or shown in the studio."""
    run = copied(models, "points")
    for file in random.sample(RUN_FILES, random.choice((1, 1, 2))):
        _change(run / file, random)
    return random.choice((
        _resume(models, "points"), _resume(models, "points"), lambda: studio_shows(Path()),
        lambda: studio_shows(Path("copy")), ["evaluate", "copy", "--samples", "32"],
        ["compare", "copy", str(models / "points"), "-o", "page", "--samples", "32"],
        ["sample", "copy", "-n", "2", "-o", "out.csv"], ["explore", "copy", "-o", "sheets", "--only", "latents"],
    ))  # fmt: skip


def _change(path: Path, random: Random) -> None:
    how = random.randrange(10)
    if how == 0:
        path.unlink()
    elif how == 1:
        path.unlink()
        path.mkdir()
    elif how == 2:
        path.unlink()
        path.symlink_to(random.choice(("/dev/zero", "/nothing", path.name, "..", "/dev/full")))
    elif how == 3:
        path.write_bytes(hurt(path.read_bytes(), b"\xff\xfe{}", random))
    elif path.suffix == ".json":
        path.write_bytes(as_json(twisted(json.loads(path.read_text()), random), random))
    else:
        lines = path.read_text().splitlines()
        values = [json.loads(line) if path.suffix == ".jsonl" else line for line in lines]
        odd = [as_json(twisted(value, random), random) for value in values]
        path.write_bytes(b"\n".join(odd) + b"\n")


def studio_shows(place: Path) -> None:
    """The studio's pages of the runs in a folder."""
    from sparring.studio import cards, charts, scores
    from sparring.studio.run_index import RunIndex

    index = RunIndex([place])
    found = index.cards()
    logs = {card.name: [] if card.error else index.log(card.path) for card in found}
    html = cards.page(found, logs, dict.fromkeys(logs, ""), next(iter(logs), ""))
    for card in found:
        html += cards.details(card, logs[card.name], charts.log_charts(logs[card.name]))
    (html + scores.table(index, found)).encode()


def recipes(random: Random, models: Path) -> Attempt:  # noqa: ARG001
    """A user's own recipe with a mistake."""
    content = corpus.recipe(random).encode("utf-8", "surrogatepass")
    content = damaged(content, random) if random.random() < 0.3 else content
    write(Path("mine.py"), content)
    if random.random() < 0.2:
        return random.choice((["recipes", "mine.py"], ["check", "ring", "--recipe", "mine.py"]))
    return _train("ring", "--recipe", "mine.py", "batch=4", "G=4", "D=4")


def odd_text(random: Random) -> str:
    """An argument as a shell can pass it: any bytes but NUL."""
    value = odd_value(random) if random.random() < 0.3 else random.choice((*ODD_TEXTS, *map(_written, ODD_NUMBERS)))
    text = value if isinstance(value, str) else str(value)[:5000]
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape").replace("\0", "")


def _written(value: float) -> str:
    return "1" + "0" * 400 if value == 10**400 else str(value)


OPTIONS: Mapping[str, tuple[str, ...]] = {
    "train": ("--seed", "--device", "--precision", "--ranks", "--until", "--memory", "--metrics", "--recipe",
              "--steps"),
    "sample": ("-n", "--seed", "--truncation", "--device", "--label", "--where", "--length", "-o"),
    "check": ("--write", "--recipe", "--out"),
    "evaluate": ("--against", "--samples", "--features", "--device"),
    "compare": ("--against", "--samples", "--features", "--device", "-o"),
    "explore": ("--only", "--image", "--film", "--data", "--seed", "--device", "--label"),
    "export": ("--format", "-o", "--prune"),
    "apply": ("-o", "--mask", "--sharpness", "--device"),
    "augment": ("-n", "--target", "--against", "--seeds", "--without"),
    "scenarios": ("-n", "--horizon", "--weight", "--seed"),
    "serve": ("--host", "--port", "--key", "--keys", "--host-name", "--max-samples", "--body", "--pixels", "--seconds",
              "--queue", "--batch", "--wait", "--connections"),
    "recipes": ("--page",),
    "bench": ("--budget", "--rows", "--seeds", "--time", "--steps", "--runs"),
}  # fmt: skip
FIELDS = (
    "batch",
    "G",
    "D",
    "z",
    "lr",
    "labels",
    "noise",
    "shards",
    "ema_kimg",
    "ema_ramp",
    "steps",
    "size",
    "width",
)
NOWHERE = (
    "folder",
    "/dev/zero",
    "pipe",
    "nothing",
    "empty.png",
    "empty",
    "loop",
    "/dev/null",
    "/proc/self/mem",
    "/etc/shadow",
)


def arguments(random: Random, models: Path) -> Attempt:
    """A command with odd values of its arguments and options."""
    _make_places()
    name = random.choice(sorted(OPTIONS))
    model = str(models / random.choice(("digits", "points", "table", "series", "larger")))
    words = {
        "train": ["ring", "--recipe", "gan", "batch=4", "G=4", "D=4", *STEPS, "--out", "run"],
        "sample": [model, "-n", "2", "-o", "out.csv"], "check": ["ring"],
        "evaluate": [str(models / "points"), "--samples", "32"],
        "compare": [str(models / "points"), str(models / "points"), "--samples", "32", "-o", "page"],
        "explore": [model, "-o", "sheets", "--only", "latents"], "export": [model, "-o", "one.safetensors"],
        "apply": [str(models / "larger"), str(models / "photos" / "00.png"), "-o", "out.png"],
        "augment": [model, "-o", "more.csv", "--seeds", "1"], "scenarios": [str(models / "series"), "-o", "risk"],
        "serve": [model, "--port", "nothing"], "recipes": [], "bench": ["nothing"],
    }[name]  # fmt: skip
    for _ in range(random.choice((1, 1, 2, 3))):
        value = random.choice(NOWHERE) if random.random() < 0.25 else odd_text(random)
        how = random.randrange(4)
        if how == 0 and words and name not in ("serve", "bench"):
            words[0 if random.random() < 0.7 else random.randrange(len(words))] = value
        elif how == 1 and name == "train":
            words.append(f"{random.choice(FIELDS)}={value}")
        else:
            words += [random.choice(OPTIONS[name]), value]
    if name == "serve":
        words += ["--port", "nothing"]  # so that it never listens
    if name == "train":
        words += ["--time", "2s"]  # a great number of steps is no fault
    return [name, *words]


def _make_places() -> None:
    """Paths that are not what a command expects."""
    Path("folder").mkdir()
    os.mkfifo("pipe")
    Path("empty.png").touch()
    Path("empty").mkdir()
    Path("loop").symlink_to("loop")


@cache
def _client(models: Path) -> Any:
    """A client of a server with tiny models, which is never closed."""
    from starlette.testclient import TestClient

    import sparring
    from sparring.deploy.serve.app import application
    from sparring.deploy.serve.limits import Limits

    loaded = {name: sparring.load(models / name) for name in ("digits", "points", "table", "series", "larger", "fill")}
    app = application(loaded, Limits(max_samples=100, pixels=5000, body=0.1, seconds=5, wait=0))
    client = TestClient(app, base_url="http://127.0.0.1:8000", raise_server_exceptions=False)
    client.__enter__()
    return client


BODIES: Mapping[str, dict[str, Any]] = {
    "digits": {"label": "1", "truncation": 0.7}, "points": {}, "table": {"where": ["age>30"]},
    "series": {"length": 20}, "larger": {}, "fill": {},
}  # fmt: skip
METHODS = {"samples": "POST", "apply": "POST", "invert": "POST"}  # of the routes of a model; GET of others
QUERIES = ("seed", "steps", "label", "reverse", "sharpness")


def requests(random: Random, models: Path) -> Attempt:
    """A request to a server; its answer must not be an internal error."""
    client = _client(models)
    name, route = (
        random.choice(sorted(BODIES)),
        random.choice(("samples", "samples", "apply", "invert", "conditions", "")),
    )
    if name in ("larger", "fill") and random.random() < 0.7:
        route = "apply"
    media, sent = "application/json", as_json(_body(name, random), random)[:200_000]
    if route in ("apply", "invert"):
        format = random.choice(IMAGES)
        media, sent = f"image/{format}", hurt(corpus.image(format, random, (8, 8)), sent, random)
    headers = {"content-type": media}
    method, query = METHODS.get(route, "GET"), b""
    how = random.randrange(10)
    if how == 0:
        method = random.choice(("GET", "PUT", "DELETE", "POST", "HEAD", "OPTIONS"))
    elif how == 1:
        name = random.choice(ODD_TEXTS)[:2000]
    elif how < 4:
        header = random.choice(("accept", "content-type", "authorization", "accept-encoding", "range", "host"))
        headers[header] = odd_text(random)[:4000]
    elif how < 6:
        query = f"?{random.choice(QUERIES)}={odd_text(random)[:500]}".encode("utf-8", "replace")
    path = f"/models/{name}/{route}".rstrip("/").encode("utf-8", "replace")

    def ask() -> None:
        from urllib.parse import quote

        url = quote(path, safe="/") + quote(query, safe="?=")
        raw = {key: value.encode("utf-8", "surrogateescape") for key, value in headers.items()}
        answer = client.request(method, url, content=sent, headers=raw)
        if answer.status_code >= 500 and answer.status_code not in (503, 504):
            raise AssertionError(f"{method} {url}: {answer.status_code} {answer.text[:300]}")

    return ask


def _body(name: str, random: Random) -> Any:
    """The body of a request for samples, in which one value may be odd."""
    body: dict[str, Any] = {"n": random.randrange(1, 4), "seed": 1, **BODIES[name]}
    how = random.randrange(4)
    if how == 0:
        return twisted(body, random)
    if how == 1:
        body[random.choice(("n", "seed", "truncation", "label", "where", "length", "other"))] = odd_value(random)
    return body


KINDS: Mapping[str, Builder] = {
    "images": images, "archives": archives, "arrays": arrays, "tables": tables, "videos": videos,
    "checkpoints": checkpoints, "models": model_folders, "runs": run_folders, "recipes": recipes,
    "arguments": arguments, "requests": requests,
}  # fmt: skip
