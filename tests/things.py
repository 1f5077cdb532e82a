"""Items of several parts whose parts belong together: a color is in the picture, the row, the text and the sound."""

import json

import numpy as np
import soundfile
from PIL import Image

COLORS = {"red": (220, 40, 40), "green": (40, 180, 60), "blue": (40, 60, 220)}
PITCHES = {"red": 400, "green": 800, "blue": 1600}


def name_of(i):
    return list(COLORS)[i % 3]


def picture(i, size=8):
    pixels = np.random.default_rng(i).integers(0, 20, (size, size, 3)) + np.array(COLORS[name_of(i)])
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def caption(i):
    return f"a {name_of(i)} thing of size {['small', 'large'][i // 3 % 2]}"


def sound(i, rate=8000, frames=800):
    times = np.arange(frames) / rate
    return 0.5 * np.sin(2 * np.pi * PITCHES[name_of(i)] * times + i)


def write_stems(folder, count=24, parts=("png", "json"), lacking=()):
    """A folder of files that share stems.

    Args:
        parts: suffixes.
        lacking: (item, suffix) of files that are not written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(count):
        path = folder / f"{i:03}"
        for part in parts:
            if (i, part) in lacking:
                continue
            if part == "png":
                picture(i).save(path.with_suffix(".png"))
            elif part == "json":
                path.with_suffix(".json").write_text(json.dumps({"color": name_of(i), "weight": i % 5 + 0.5}))
            elif part == "txt":
                path.with_suffix(".txt").write_text(caption(i))
            elif part == "wav":
                soundfile.write(path.with_suffix(".wav"), sound(i), 8000)
    return folder


def write_table(folder, count=24, named=lambda i: f"pictures/{i:03}.png"):
    """A folder of pictures and a table that names them."""
    (folder / "pictures").mkdir(parents=True, exist_ok=True)
    lines = ["file,color,size"]
    for i in range(count):
        picture(i).save(folder / "pictures" / f"{i:03}.png")
        lines.append(f"{named(i)},{name_of(i)},{['small', 'large'][i // 3 % 2]}")
    (folder / "things.csv").write_text("\n".join(lines))
    return folder / "things.csv"


def write_two_pictures(folder, count=24):
    """A table of two pictures of each thing, a bright and a dark one."""
    lines = ["bright,dark"]
    for name in ("bright", "dark"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for i in range(count):
        picture(i).save(folder / "bright" / f"{i:03}.png")
        picture(i).point(lambda value: value // 3).save(folder / "dark" / f"{i:03}.png")
        lines.append(f"bright/{i:03}.png,dark/{i:03}.png")
    (folder / "things.csv").write_text("\n".join(lines))
    return folder / "things.csv"


def write_films(folder, count=24):
    """A table of animations in which a square of the color moves."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["film,color"]
    for i in range(count):
        frames = [Image.new("RGB", (8, 8)) for _ in range(4)]
        for t, frame in enumerate(frames):
            frame.paste(COLORS[name_of(i)], ((t + i) % 5, 2, (t + i) % 5 + 3, 5))
        frames[0].save(folder / f"{i:03}.gif", save_all=True, append_images=frames[1:], duration=100)
        lines.append(f"{i:03}.gif,{name_of(i)}")
    (folder / "films.csv").write_text("\n".join(lines))
    return folder / "films.csv"
