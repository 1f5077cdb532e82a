"""Intact files of every kind that Sparring reads, made by code, and tiny trained models."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

import sparring

IMAGES = ("png", "jpeg", "gif", "tiff", "bmp", "webp")
MODES = ("L", "RGB", "RGBA", "P", "1", "LA", "I;16", "F", "I", "CMYK")
ARCHIVES = ("zip", "tar", "tgz", "npz", "tar.xz", "tar.bz2")
TABLES = ("csv", "tsv", "parquet", "xlsx", "jsonl", "csv.gz", "feather", "json")
VIDEOS = ("mp4", "gif", "mkv", "webm")
TOY = ("batch=4", "G=4", "D=4", "z=2")  # fields of the recipe gan


def numbers(random: Random) -> np.random.Generator:
    """A generator of arrays that depends on the case only."""
    return np.random.default_rng(random.randrange(2**32))


def image(format: str, random: Random, size: tuple[int, int] | None = None, mode: str = "") -> bytes:
    """An image file."""
    width, height = size or (random.randrange(1, 24), random.randrange(1, 24))
    pixels = numbers(random).integers(0, 255, (height, width, 3), dtype=np.uint8)
    picture, file = Image.fromarray(pixels), io.BytesIO()
    wanted = mode or random.choice(MODES)
    options: dict[str, Any] = {}
    if format == "png":
        options["interlace"] = random.random() < 0.2
    if format == "tiff":
        jpeg = "jpeg" if wanted in ("L", "RGB") else None  # libtiff crashes where it writes other modes as JPEG
        options["compression"] = random.choice((None, "tiff_lzw", "tiff_adobe_deflate", jpeg, "packbits"))
    if format in ("gif", "tiff", "webp", "png") and random.random() < 0.2:
        options |= {"save_all": True, "append_images": [picture.rotate(90 * i) for i in range(3)]}
    try:
        picture.convert("I" if wanted == "I;16" else wanted).save(file, format, **options)
    except Exception:  # PIL fails in many ways where a format has no such mode
        file = io.BytesIO()
        picture.save(file, format)
    return file.getvalue()


def archive(suffix: str, files: dict[str, bytes], random: Random) -> bytes:
    """Files in an archive; for `.npz`, as arrays."""
    file = io.BytesIO()
    if suffix == "npz":
        arrays = {f"arr_{i}": content for i, content in enumerate(arrays_of(random))}
        np.savez_compressed(file, **arrays) if random.random() < 0.5 else np.savez(file, **arrays)
    elif suffix == "zip":
        with zipfile.ZipFile(file, "w", random.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as opened:
            for name, content in files.items():
                opened.writestr(zipfile.ZipInfo(name.encode("utf-8", "replace").decode()), content)
    else:
        mode = {"tar": "w", "tgz": "w:gz", "tar.xz": "w:xz", "tar.bz2": "w:bz2"}[suffix]
        format = random.choice((tarfile.PAX_FORMAT, tarfile.GNU_FORMAT))
        with tarfile.open(fileobj=file, mode=mode, format=format) as opened:  # type: ignore[call-overload]
            for name, content in files.items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                if random.random() < 0.1:
                    member.type = random.choice((tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE))
                    member.linkname = random.choice(("/etc/passwd", "../x", name))
                opened.addfile(member, io.BytesIO(content))
    return file.getvalue()


def arrays_of(random: Random) -> list[np.ndarray]:
    """Arrays of a shape and a type that may be images, points or a series."""
    n, side = random.choice((1, 2, 5, 20)), random.choice((1, 3, 8))
    shape = random.choice(
        ((n, side, side), (n, side, side, 3), (n, 2), (n,), (n, 0), (), (0, side, side), (n, 2, 3, 4, 5))
    )
    dtype = random.choice(("u1", "i2", "f4", "f8", "f2", ">f8", "i8", "u8", "?", "c16", "M8[D]", "U3", "S2"))
    values = numbers(random).random(shape) * random.choice((1, 255, 1e300))
    with np.errstate(all="ignore"):
        array = values.astype("i8").astype(dtype) if dtype == "M8[D]" else np.asarray(values).astype(dtype)
        if array.dtype.kind == "f" and array.size and random.random() < 0.3:
            array.reshape(-1)[0] = random.choice((np.nan, np.inf, -np.inf))
    return [array, numbers(random).integers(0, 3, n)]


def npy(random: Random) -> bytes:
    """An array in NumPy's format, some with a header of its own."""
    file = io.BytesIO()
    np.save(file, arrays_of(random)[0])
    content = file.getvalue()
    if random.random() < 0.4:
        return content
    descr = random.choice(("'<f4'", "'|O'", "'<f99'", "'<U1000000000'", "[('a', '<f4')]", "'V8'", "None", "7", "''"))
    shape = random.choice(("(3, 2)", "(10**12, 2)", "(-1, 2)", "(2**63,)", "(1.5, 2)", "('a',)", "()", "3", "(True,)"))
    text = f"{{'descr': {descr}, 'fortran_order': {random.choice(('True', 'False', '2'))}, 'shape': {shape}, }}"
    head = text.encode() + b"\n"
    version = random.choice((b"\1\0", b"\2\0", b"\3\0", b"\7\7"))
    size = len(head).to_bytes(2 if version == b"\1\0" else 4, "little")
    return b"\x93NUMPY" + version + size + head + content[-24:]


def frame(random: Random) -> pd.DataFrame:
    """A table of several kinds of columns."""
    n, draw = random.choice((1, 2, 12, 40)), numbers(random)
    columns: dict[str, Any] = {
        "a": draw.integers(0, 50, n),
        "b": draw.normal(size=n).round(3),
        "c": draw.choice(["x", "y", "z"], n),
        "d": pd.date_range("2020-01-01", periods=n).strftime("%Y-%m-%d"),
        "e": [f"id{i}" for i in range(n)],
    }
    chosen = random.sample(sorted(columns), random.randrange(1, len(columns) + 1))
    return pd.DataFrame({name: columns[name] for name in chosen})


def series(random: Random) -> pd.DataFrame:
    """Dated values of a few channels."""
    n, draw = random.choice((3, 40, 120)), numbers(random)
    values = 100 * np.exp(draw.normal(0, 0.01, (n, random.randrange(1, 3))).cumsum(0))
    table = pd.DataFrame(values.round(3)).add_prefix("p")
    table.insert(0, "Date", pd.bdate_range("2020-01-01", periods=n).strftime("%Y-%m-%d"))
    return table


def table_file(suffix: str, table: pd.DataFrame) -> bytes:
    """A table in a format."""
    file = io.BytesIO()
    if suffix == "parquet":
        table.to_parquet(file)
    elif suffix == "feather":
        table.to_feather(file)
    elif suffix == "xlsx":
        table.to_excel(file, index=False)
    elif suffix in ("jsonl", "json"):
        table.to_json(file, orient="records", lines=suffix == "jsonl")
    elif suffix == "csv.gz":
        table.to_csv(file, index=False, compression="gzip")
    else:
        table.to_csv(file, index=False, sep="\t" if suffix == "tsv" else ",")
    return file.getvalue()


def video(suffix: str, folder: Path, random: Random) -> bytes:
    """A video of a few frames."""
    frames = numbers(random).integers(0, 255, (3, 16, 16, 3), dtype=np.uint8)
    if suffix == "gif":
        file = io.BytesIO()
        first, *rest = map(Image.fromarray, frames)
        first.save(file, "GIF", save_all=True, append_images=rest)
        return file.getvalue()
    import av

    path = folder / f"made.{suffix}"
    with av.open(str(path), "w") as opened:
        stream = opened.add_stream("libvpx" if suffix == "webm" else "mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 16, 16, "yuv420p"
        for pixels in frames:
            opened.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")))
        opened.mux(stream.encode())
    content = path.read_bytes()
    path.unlink()
    return content


RECIPE = """from dataclasses import dataclass

import torch
from sparring.recipes.gan import Gan


@dataclass(frozen=True)
class Mine(Gan):
    z: int = 2
{body}
"""
GAME = "    def game(self, modality):\n        {}\n        return super().game(modality)\n"
PHASES = "    def phases(self, game):\n        {}\n        return super().phases(game)\n"
STATEMENTS = (
    "raise ValueError('bad\\x1b[31m value\\nwith lines')", "raise SystemExit('bye')", "import sys; sys.exit(0)",
    "exit()", "raise", "1 / 0", "[][0]", "undefined", "assert False", "import nothing_of_this_name", "int('x')",
    "raise Exception", "raise BaseException('base')", "raise GeneratorExit", "raise StopIteration", "torch.zeros(-1)",
    "torch.zeros(10**15)", "bytearray(10**14)", "torch.zeros(2, 3) @ torch.zeros(2, 3)",
    "(lambda f: f(f))(lambda f: f(f))",
    "raise UnicodeDecodeError('utf-8', b'x', 0, 1, 'why')", "raise OSError(28, 'full')", "raise MemoryError",
    "raise OverflowError('big')", "return None", "return 7", "return []", "raise KeyError('k')",
    "class E(Exception):\n            def __str__(self): raise ValueError\n        raise E",
)  # fmt: skip


FIELDS = ("batch: int = 'x'", "batch: int = 0", "batch: int = 10**12", "x: list = []", "own: int = 2", "own: int",
          "lr: float = None")  # fmt: skip


def recipe(random: Random) -> str:
    """A recipe file with a mistake."""
    statement = random.choice(STATEMENTS)
    where = random.randrange(8)
    if where == 0:
        return statement + "\n" + RECIPE.format(body="")
    if where == 1:
        return RECIPE.format(body=GAME.format(statement))
    if where == 2:
        return RECIPE.format(body=PHASES.format(statement))
    if where == 3:
        return RECIPE.format(body=f"    def __post_init__(self):\n        {statement}\n")
    if where == 4:
        takes = random.choice(
            ("()", "None", "7", "(7,)", "(int,)", "(int(),)", "'abc'", "[]", "property(lambda s: 1 / 0)")
        )
        return RECIPE.format(body=f"    takes = {takes}\n")
    if where == 5:
        return RECIPE.format(body=f"    {random.choice(FIELDS)}\n")
    if where == 6:
        return RECIPE.format(body="") + "\n\nclass Other(Mine):\n    pass\n"
    odd = ("", "\n", "x = 1\n", "class Gan: pass\n", "def f(:\n", "  x = 1\n", "x = '\n", "\0", "\ufeffx = 1\n",
           "# coding: nothing\nx = 1\n", "x" * 10_000, "(" * 500 + "\n", "from sparring.recipes.gan import Gan\n",
           "from sparring.recipes.base import Recipe\nclass R(Recipe): pass\n", "import os; os.abc\n", "return 1\n",
           "x = " + "-" * 5000 + "1\n", "x = " + "9" * 5000 + "\n", "yield 1\n", "await x\n",
           "import recipe_mine\n")  # fmt: skip
    return random.choice(odd)


def train_models(folder: Path) -> Path:
    """Tiny runs of several kinds of data in a folder, with the data next to them."""
    random = Random(0)
    (folder / "photos").mkdir(parents=True)
    for i in range(12):
        (folder / "photos" / f"{i:02}.png").write_bytes(image("png", random, (16, 16), "RGB"))
    draw = np.random.default_rng(0)
    rows = pd.DataFrame(
        {"age": draw.integers(18, 80, 80), "pay": draw.normal(size=80).round(2), "job": list("xyzx") * 20}
    )
    rows.to_csv(folder / "rows.csv", index=False)
    dates = pd.bdate_range("2020-01-01", periods=200, name="Date")
    prices = pd.DataFrame((100 * np.exp(draw.normal(0, 0.01, (200, 2)).cumsum(0))).round(2), dates, ["A", "B"])
    prices.to_csv(folder / "series.csv")
    toys: dict[str, tuple[str, Any, dict[str, Any]]] = {
        "digits": ("gan", "digits", {"G": (4,), "D": (4,), "z": 2, "labels": True}),
        "points": ("gan", "ring", {"G": (4,), "D": (4,), "z": 2}),
        "table": ("table", folder / "rows.csv", {"width": 8, "D": 8}),
        "series": ("series", folder / "series.csv", {"width": 8, "window": 30}),
        "larger": ("srgan", folder / "photos", {"width": 4, "D": 4}),
        "fill": ("inpaint", folder / "photos", {"width": 4, "D": 4}),
    }
    for name, (recipe_name, data, fields) in toys.items():
        sparring.train(recipe_name, data, out=folder / name, steps=2, quiet=True, device="cpu", batch=8, **fields)
    evaluation = {"data": "ring", "protocol": "p", "samples": 9, "real": 9, "findings": [], "numbers": {
        "modes": {"value": 1.5, "error": None, "real": 2.0, "best": "high"}}}  # fmt: skip
    (folder / "points" / "evaluation.json").write_text(json.dumps(evaluation))
    entry = {"step": 1, "problem": "collapse", "evidence": "diversity 0.1", "advice": "use more data"}
    (folder / "points" / "health.jsonl").write_text(json.dumps(entry) + "\n")
    plan = {"step": 1, "progress": 0.5, "total": 4, "seconds": 0.1}
    (folder / "points" / "plan.jsonl").write_text(json.dumps(plan) + "\n")
    return folder
