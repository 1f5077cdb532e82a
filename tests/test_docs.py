"""What the README and the docs show is what their commands do."""

import io
import re
import shlex
import shutil
import sys
import zipfile
from pathlib import Path

import av
import numpy as np
import pandas as pd
import pytest
import soundfile
import typer
from benzenes import write_benzenes
from captions import write_captions, write_labeled
from PIL import Image
from rdkit import Chem
from rdkit.Chem import Descriptors
from rich.console import Console
from songs import chorales, midi
from things import write_table

import sparring
from sparring.bench.recipe_pages import write_pages
from sparring.cli import app, main
from sparring.modalities import find
from sparring.nets import efficientnet_lite

pytestmark = pytest.mark.usefixtures("brief_classifiers")

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
TOUR = (ROOT / "docs" / "tour.md").read_text()


def blocks(language: str, page: str = README) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page, flags=re.MULTILINE | re.DOTALL)


def commands(page: str) -> list[list[str]]:
    """What is typed, without variables before it and comments after it."""
    lines = [
        re.sub(r"^\$ |^[A-Z_]+=\S+ |\s+# .*", "", line) for block in blocks("", page) for line in block.splitlines()
    ]
    return [shlex.split(line) for line in lines if line.startswith("sparring ")]


def options_are_known(words: list[str]) -> None:
    parameters = typer.main.get_command(app).commands[words[1]].params
    known = {option for parameter in parameters for option in parameter.opts}
    assert {word for word in words if word.startswith("-")} <= known, words


SERVING = ("serve", "studio")  # until Ctrl-C; their own tests start them as a user does


def brief(words: list[str]) -> list[str]:
    """A command with two steps for the bound of what it trains, and for a page or a server no more than its help."""
    if words[1] in SERVING:
        options_are_known(words)
        return [*words[:2], "--help"]
    if words[1] == "bench":
        return [*words, "--steps", "2", "--seeds", "1"]
    if words[1] != "train":
        return words
    for bound in ("--time", "--steps"):
        if bound in words:
            del words[words.index(bound) : words.index(bound) + 2]
    if "molecules.smi" in words:  # samples are searched for until they are valid
        return [*words, "--steps", "60", "width=48", "embedding=16", "batch=64", "lr=1e-2", "D=8"]
    if "songs/" in words:
        return [*words, "--steps", "2", *SHORT]
    return [*words, "--steps", "2"]


def test_readme_commands():
    """Each is among those of the tour, which run."""
    rows = [line for line in README.splitlines() if line.startswith("| [")]
    typed = [*commands(README), *(shlex.split(line) for row in rows for line in re.findall(r"`(sparring [^`]+)`", row))]
    assert len(typed) >= 20
    known = [*commands(TOUR), ["sparring", "doctor"]]
    assert [words for words in typed if words not in known] == []


def test_commands_of_the_tour(tmp_path, monkeypatch, pictures):
    shutil.copytree(pictures(3), tmp_path / "photos")
    tables(tmp_path)
    given(tmp_path)
    sounds(tmp_path / "drums.zip")
    write_benzenes(tmp_path / "molecules.smi")
    write_captions(tmp_path / "texts.txt")
    recordings(tmp_path)
    walks(tmp_path)
    characters(tmp_path)
    write_table(tmp_path)
    monkeypatch.chdir(tmp_path)
    for words in commands(TOUR):
        run(words, monkeypatch)


def given(folder):
    """The pictures of docs/restoring.md, docs/translating.md and docs/applying.md, and the scores of docs/music.md."""
    random = np.random.default_rng(0)

    def save(path, *shape):
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 255, shape, dtype=np.uint8)).save(path)

    for i in range(24):
        save(folder / "pairs" / "input" / f"{i:02}.png", 32, 32, 3)
        save(folder / "pairs" / "target" / f"{i:02}.png", 32, 32)
        save(folder / "horses" / "trainA" / f"{i:02}.png", 16, 16, 3)
        save(folder / "horses" / "trainB" / f"{i:02}.png", 16, 16, 3)
    chorales(folder / "songs", 44, bars=8)
    midi([[(i, 1, 67 + i % 3) for i in range(8)]], folder / "melody.mid")
    for name in ("small", "torn", "photo", "orc"):
        save(folder / f"{name}.png", 16, 16, 3)
    Image.fromarray(np.eye(16, dtype=np.uint8) * 255).save(folder / "holes.png")


def recordings(folder):
    """The sounds of docs/restoring-sounds.md."""
    random = np.random.default_rng(0)

    def save(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, random.normal(0, 0.1, 3000), 8000)

    for i in range(24):
        for name in ("clean", "speech", "noisy-and-clean/input", "noisy-and-clean/target"):
            save(folder / name / f"{i:02}.wav")
    for name in ("street/0", "street/1", "interviews/0", "interviews/1", "noisy"):
        save(folder / f"{name}.wav")


def test_commands_about_restored_sounds(tmp_path, monkeypatch):
    recordings(tmp_path)
    monkeypatch.chdir(tmp_path)
    for words in commands((ROOT / "docs" / "restoring-sounds.md").read_text()):
        run(
            [*words, *([*SHORT, "depth=1"][: 3 if "hifigan" in words else 4] if words[1] == "train" else [])],
            monkeypatch,
        )
    assert soundfile.info("restored.wav").frames == soundfile.info("resynthesized.wav").frames == 3000
    assert len(list(Path("restored").glob("*.wav"))) == 2
    assert Path("runs/vocoder-speech.onnx").is_file()


SHORT = ["batch=4", "width=8", "D=8"]


def test_commands_about_restored_and_translated_pictures(tmp_path, monkeypatch):
    random = np.random.default_rng(0)
    given(tmp_path)
    for i in range(24):
        (tmp_path / "photos").mkdir(exist_ok=True)
        pixels = random.integers(0, 255, (40, 48, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "photos" / f"{i:02}.png")
    clip(tmp_path / "clip.mp4")
    monkeypatch.chdir(tmp_path)
    for page in ("restoring", "translating", "applying"):
        for words in commands((ROOT / "docs" / f"{page}.md").read_text()):
            small = SHORT[: 3 if page == "restoring" else 1] if words[1] == "train" else ["--force"]
            run([*words, *([] if words[1] == "evaluate" else small)], monkeypatch)
    for name, size in (("large", 64), ("whole", 16), ("map", 16), ("other", 16)):
        with Image.open(f"{name}.png") as made:
            assert made.size == (size, size)
    assert len(list(Path("larger").rglob("*.png"))) == 24


@pytest.mark.skipif(not efficientnet_lite.installed(), reason="the extra 'pretrained' is not installed")
def test_commands_about_the_perceptual_distance(tmp_path, monkeypatch, pictures):
    given(tmp_path)
    shutil.copytree(pictures(3), tmp_path / "photos")
    monkeypatch.chdir(tmp_path)
    typed = commands((ROOT / "docs" / "perceptual.md").read_text())
    for words in typed:
        run([*words, "batch=4", "D=8"], monkeypatch)
    assert {path.name for path in (tmp_path / "runs").iterdir()} == {"srgan-photos", "pix2pix-pairs", "cut-horses"}


def test_commands_about_music(tmp_path, monkeypatch):
    given(tmp_path)
    monkeypatch.chdir(tmp_path)
    for words in commands((ROOT / "docs" / "music.md").read_text()):
        run(words, monkeypatch)
    assert len(find("harmonized.mid").items[0].tracks) == 4


def clip(path):
    """Eight frames."""
    random = np.random.default_rng(0)
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        for _ in range(8):
            frame = av.VideoFrame.from_ndarray(random.integers(0, 255, (32, 32, 3), dtype=np.uint8))
            file.mux(stream.encode(frame))
        file.mux(stream.encode())


def run(words, monkeypatch):
    monkeypatch.setattr(sys, "argv", brief(words))
    with pytest.raises(SystemExit) as end:
        main()
    assert not end.value.code, words


def tables(folder):
    """The tables of the README and of docs/tables.md."""
    random = np.random.default_rng(0)
    n = 300
    customers = {
        "age": random.integers(18, 80, n),
        "zip": random.integers(1000, 1200, n),
        "account": [f"A{i:05}" for i in random.permutation(n)],
        "phone": [f"555-{i:04}" for i in range(n)],
        "churned": random.choice(["no", "yes"], n),
        "income": random.choice(["<=50K", ">50K"], n),
    }
    pd.DataFrame(customers).to_csv(folder / "customers.csv", index=False)
    begin = random.integers(0, 50, n)
    city = random.choice(["Rome", "Oslo"], n)
    trips = {
        "start": begin,
        "end": begin + random.integers(1, 9, n),
        "fare": random.integers(1, 500, n) / 10,
        "id": range(n),
        "city": city,
        "country": np.where(city == "Rome", "Italy", "Norway"),
    }
    pd.DataFrame(trips).to_csv(folder / "trips.csv", index=False)
    close = 100 * np.exp(random.normal(0, 0.01, 700).cumsum())
    volume = random.lognormal(10, 1, 700).round()
    dates = pd.bdate_range("2020-01-01", periods=700, name="Date")
    pd.DataFrame({"Close": close.round(2), "Volume": volume}, dates).to_csv(folder / "prices.csv")


def test_commands_about_tables(tmp_path, monkeypatch):
    tables(tmp_path)
    monkeypatch.chdir(tmp_path)
    for words in commands((ROOT / "docs" / "tables.md").read_text()):
        run([*words, "--force"] if words[1] == "train" else words, monkeypatch)
    rich = pd.read_csv("rich.csv")
    assert (len(rich), set(rich["income"]), rich["age"].max() < 30) == (1000, {">50K"}, True)
    made = sparring.load("runs/table-trips").sample(200, seed=0).items
    assert (made["start"] < made["end"]).all()
    assert (made["fare"] > 0).all()
    assert made["id"].is_unique
    assert set(zip(made["city"], made["country"], strict=True)) <= {("Rome", "Italy"), ("Oslo", "Norway")}


def test_python_about_tables(tmp_path, monkeypatch):
    tables(tmp_path)
    monkeypatch.chdir(tmp_path)
    (block,) = blocks("python", (ROOT / "docs" / "tables.md").read_text())
    names: dict = {}
    exec(block.replace("steps=200", "steps=2"), names)
    assert (len(names["young"]), names["young"]["age"].max() < 30) == (100, True)
    assert sparring.load("customers-model").sample(3).items.columns.tolist() == names["customers"].columns.tolist()


def test_commands_about_exploring_and_watching(tmp_path, monkeypatch, pictures):
    shutil.copytree(pictures(3), tmp_path / "photos")
    Image.fromarray(np.eye(8, dtype=np.uint8) * 255).save(tmp_path / "three.png")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WANDB_MODE", "offline")
    for page in ("exploring", "watching"):
        for words in commands((ROOT / "docs" / f"{page}.md").read_text()):
            run(words, monkeypatch)


def test_commands_about_series(tmp_path, monkeypatch):
    tables(tmp_path)
    monkeypatch.chdir(tmp_path)
    for words in commands((ROOT / "docs" / "series.md").read_text()):
        run(words, monkeypatch)
    paths = pd.read_csv("paths.csv")
    assert len(paths) == 1000 * 250
    assert paths.columns.tolist() == ["path", "Date", "Close", "Volume"]
    assert paths["Date"].iloc[0] == str(pd.bdate_range("2020-01-01", periods=701)[-1].date())
    modality = sparring.load("runs/kinds").modality
    assert [c.kind for c in modality.channels] == ["returns", "level"]
    assert len(pd.read_csv("risk/risk.csv")) == 4


def test_commands_about_molecules(tmp_path, monkeypatch):
    monkeypatch.setattr("sparring.modalities.molecules.judge.find_spec", lambda _: None)  # no slow metrics
    monkeypatch.setattr("sparring.modalities.molecules.judge.MAX_BASELINE", 20)
    write_benzenes(tmp_path / "molecules.smi")
    monkeypatch.chdir(tmp_path)
    for words in commands((ROOT / "docs" / "molecules.md").read_text()):
        brief_search = ["-n", "1"] if {"--like", "--scaffold"} & set(words) else []  # in samples of a bad model
        run([*words, *(["--samples", "100"] if words[1] == "evaluate" else brief_search)], monkeypatch)
    assert len(Path("new.smi").read_text().split()) == 100
    asked = [molecule for molecule in Chem.SDMolSupplier("asked.sdf") if molecule is not None]
    assert len(asked) == 20
    assert all(110 <= Descriptors.MolWt(m) <= 200 and Descriptors.MolLogP(m) > 1 for m in asked)


def test_commands_about_designing_molecules(tmp_path, monkeypatch):
    write_benzenes(tmp_path / "molecules.smi")
    monkeypatch.chdir(tmp_path)
    page = (ROOT / "docs" / "designing-molecules.md").read_text()
    Path("mine.py").write_text(blocks("python", page)[0])
    train, sample = commands(page)
    run(train, monkeypatch)
    run([*sample, "-n", "1"], monkeypatch)
    assert len(pd.read_csv("designed.csv")) == 1


def test_commands_about_text(tmp_path, monkeypatch):
    write_captions(tmp_path / "captions.txt", 400)
    write_labeled(tmp_path / "reviews.csv", 400)
    monkeypatch.chdir(tmp_path)
    for words in commands((ROOT / "docs" / "text.md").read_text()):
        more = {
            "train": ["width=16", "embedding=8", "D=8"],
            "evaluate": ["--samples", "40"],
            "augment": ["--seeds", "3"],
        }
        run([*words, *more.get(words[1], [])], monkeypatch)
    assert all(text.startswith("a black") for text in pd.read_csv("asked.csv")["text"])
    assert len(Path("food.jsonl").read_text().splitlines()) == 100
    assert set(pd.read_csv("more.csv")["label"]) == {"animals", "food"}


def walks(folder):
    """Squares that walk in three ways, as the loops of docs/video.md."""
    random = np.random.default_rng(0)
    with zipfile.ZipFile(folder / "walks.zip", "w") as archive:
        for i in range(60):
            frames = np.zeros((8, 16, 16, 3), np.uint8)
            color, way = random.integers(100, 255, 3), i % 3
            for t in range(8):
                place = np.arange(4) + (i + (2 * t, -2 * t, 2 * t)[way])
                where = (place % 16, slice(3, 7)) if way == 0 else (slice(3, 7), place % 16)
                frames[t][where] = color
            file = io.BytesIO()
            first, *others = map(Image.fromarray, frames)
            first.save(file, "WEBP", save_all=True, append_images=others, duration=100, lossless=True)
            archive.writestr(f"{('down', 'left', 'right')[way]}/{i}.webp", file.getvalue())
    shutil.copy(folder / "walks.zip", folder / "films.zip")
    for name in ("walk", "noisy"):
        clip(folder / f"{name}.mp4")


def test_commands_about_video(tmp_path, monkeypatch):
    walks(tmp_path)
    monkeypatch.chdir(tmp_path)
    for words in commands((ROOT / "docs" / "video.md").read_text()):
        run(words, monkeypatch)
    with av.open("long.mp4") as file:
        stream = file.streams.video[0]
        assert (stream.frames, stream.average_rate) == (64, 25)
    assert sparring.load("runs/video-walks").modality.loop
    counts = {}
    for name in ("longer", "other", "smooth"):
        with av.open(f"{name}.mp4") as file:
            counts[name] = file.streams.video[0].frames
    read = counts["longer"] - 4  # the film at the rate of the walks, and the frames that follow
    assert counts == {"longer": read + 4, "other": read + 24, "smooth": 7 * 4 + 1}
    assert read >= 2


def characters(folder):
    """An archive of images, and the table of docs/pictures-with-a-table.md."""
    random = np.random.default_rng(0)
    table = pd.DataFrame({"file": [f"{i:02}.png" for i in range(40)], "kind": ["orc", "elf", "skeleton", "human"] * 10})
    table["hat"] = np.where(table["kind"] == "skeleton", "none", random.choice(["none", "chain hood", "crown"], 40))
    table.to_csv(folder / "characters.csv", index=False)
    with zipfile.ZipFile(folder / "characters.zip", "w") as archive:
        for name in table["file"]:
            file = io.BytesIO()
            Image.fromarray(random.integers(0, 3, (16, 16, 4), dtype=np.uint8) * 120 + 15).save(file, "PNG")
            archive.writestr(name, file.getvalue())


def test_commands_about_pictures_with_a_table(tmp_path, monkeypatch):
    characters(tmp_path)
    monkeypatch.chdir(tmp_path)
    page = (ROOT / "docs" / "pictures-with-a-table.md").read_text()
    for words in commands(page):
        run([*words, *SHORT[:1]] if words[1] == "train" else words, monkeypatch)
    elves = pd.read_csv("elves/attributes.csv", keep_default_na=False)
    assert (len(elves), set(elves["kind"]), "none" in set(elves["hat"])) == (100, {"elf"}, False)
    names: dict = {}
    exec(blocks("python", page)[0], names)
    assert set(names["samples"].rows["kind"]) == {"orc"}


def sounds(path):
    """An archive of sounds in two classes."""
    random, t = np.random.default_rng(0), np.arange(900) / 8000
    with zipfile.ZipFile(path, "w") as archive:
        for i in range(40):
            file = io.BytesIO()
            sound = np.sin(2 * np.pi * 300 * random.uniform(1, 2) * t) * np.exp(-20 * t)
            soundfile.write(file, 0.4 * sound, 8000, format="WAV")
            archive.writestr(f"{('snare', 'kick')[i % 2]}/{i:02}.wav", file.getvalue())


def test_commands_about_sounds(tmp_path, monkeypatch):
    monkeypatch.setattr("sparring.modalities.audio.judge.MIN_SAMPLES", 24)
    sounds(tmp_path / "drums.zip")
    monkeypatch.chdir(tmp_path)
    for words in commands((ROOT / "docs" / "audio.md").read_text()):
        run([*words, *(["batch=4", "width=8"] if words[1] == "train" else [])], monkeypatch)
    assert len(list(Path("snares").rglob("*.wav"))) == 100


def test_commands_about_augmenting(tmp_path, monkeypatch):
    tables(tmp_path)
    monkeypatch.chdir(tmp_path)
    for words in commands((ROOT / "docs" / "augmenting.md").read_text()):
        run(words, monkeypatch)
    assert len(pd.read_csv("more.csv")) == 300 - 30 + 500


def test_readme_python(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for block in blocks("python"):
        names: dict = {}
        exec(block.replace("steps=200", "steps=2"), names)
    assert names["digits"].shape == (100, 8, 8, 1)
    assert (tmp_path / "sevens.png").is_file()


def test_judging_python(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    sparring.train("gan", "digits", steps=2, quiet=True, G=(8,), D=(8,))
    (block,) = blocks("python", (ROOT / "docs" / "judging.md").read_text())
    exec(block, {})
    assert "500 samples compared with" in capsys.readouterr().out


def test_privacy_page(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    page = (ROOT / "docs" / "privacy.md").read_text()
    for words in commands(page):
        run([*words, *(["G=8", "D=8"] if words[1] == "train" else [])], monkeypatch)
    capsys.readouterr()
    (block,) = blocks("python", page)
    exec(block, {})
    assert capsys.readouterr().out.startswith("none of 4 attacks recognizes training items better than by chance")


def test_tuning_page(tmp_path, monkeypatch, capsys):
    """The Python of the page searches; its command line trains with what was found. Searches that are typed have tests
    of their own.
    """
    monkeypatch.chdir(tmp_path)
    page = (ROOT / "docs" / "tuning.md").read_text()
    (block,) = blocks("python", page)
    exec(block.replace("steps=1000", "steps=2").replace("trials=2", "trials=1"), {})
    assert "lr=" in capsys.readouterr().out
    search, use, _ = commands(page)
    assert search[-2:] == ["--out", use[use.index("--like") + 1]]
    Path("runs/lr").rename("runs/tune")
    run([*use, "--steps", "2", "--out", "runs/used"], monkeypatch)


def test_a_gan_of_your_own(tmp_path, monkeypatch, pictures):
    """In fewer than fifty lines, on the command line as shown, and on other pictures."""
    monkeypatch.chdir(tmp_path)
    page = (ROOT / "docs" / "your-own.md").read_text()
    (block,) = blocks("python", page)
    assert len(block.splitlines()) < 50
    Path("mygan.py").write_text(block)
    typed = [line for line in blocks("", page)[0].splitlines() if line.startswith("sparring ")]
    for line in typed:
        monkeypatch.setattr(sys, "argv", brief(shlex.split(line)))
        with pytest.raises(SystemExit) as end:
            main()
        assert not end.value.code, line
    for channels in (1, 3, 4):
        model = sparring.train("mygan.py", pictures(channels), out=f"run{channels}", steps=2, quiet=True, size=30)
        assert model.sample(3).items.shape == (3, 30, 30, channels)


def test_pages_of_recipes(tmp_path):
    """Are those that the command writes."""
    write_pages(tmp_path / "docs" / "recipes", ROOT / "docs" / "bench")
    here = ROOT / "docs" / "recipes"
    assert {path.name for path in here.iterdir()} == {path.name for path in (tmp_path / "docs" / "recipes").iterdir()}
    for path in here.iterdir():
        written = (tmp_path / "docs" / "recipes" / path.name).read_text().replace(tmp_path.as_posix() + "/", "")
        assert path.read_text() == written, "sparring recipes --page docs/recipes"


def test_the_tour_lists_the_recipes(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr(sys, "argv", ["sparring", "recipes"])
    with pytest.raises(SystemExit):
        main()
    printed = capsys.readouterr().out
    listed = next(block for block in blocks("", TOUR) if "$ sparring recipes" in block).split("\n", 1)[1]
    assert [line.rstrip() for line in listed.splitlines()] == [line.rstrip() for line in printed.splitlines()]
    assert Console().width == 100


@pytest.mark.parametrize("page", ["step", "bench/ring", "bench/mnist-10m"])
def test_readme_repeats_the_measured_tables(page):
    """No figure is typed by hand: a table in the README is the one that a benchmark wrote."""
    rows = [line for line in (ROOT / "docs" / f"{page}.md").read_text().splitlines() if line.startswith("|")]
    assert "\n".join(rows) in README


def test_links_lead_somewhere():
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\((?!http)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} -> {target}"
