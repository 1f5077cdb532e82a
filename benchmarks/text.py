"""Text: the recipes next to published rows, to likelihood with temperatures, and to trivial generators.

    python benchmarks/text.py [captions] [names] [shakespeare] [--recipes text seqgan] [--fields width=128]
                              [--time 8m] [--seeds 3] [--samples 1000] [--runs FOLDER] [--page docs/text.md]

`captions` trains on nine tenths of COCO's 10,000 training captions as Texygen has them, and evaluates twice: on the
other tenth, and by Texygen's protocol on its 10,000 test captions (Zhu et al. 2018, arXiv:1802.01886), whose topics
differ. `names` and `shakespeare` generate characters. The files are in $SPARRING_DATA/text. A model that exists in the
folder of runs is not trained again.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import mean, stdev

import numpy as np

from clock import count_cpu_time
from pages import put, table
from runs import computed_once, digest_of, numbers_once, rows_once, trained_once
from sparring import Model
from sparring.files import places
from sparring.metrics.bleu import References, bleu, self_bleu
from sparring.metrics.results import Number
from sparring.modalities import find
from sparring.modalities.text import Text
from sparring.modalities.text.front import Front
from sparring.modalities.text.judge import TextJudge
from sparring.recipes.base import parse

FILES = {"captions": "image_coco.txt", "names": "names.txt", "shakespeare": "tinyshakespeare.txt"}
TEST = "test_coco.txt"
LIKELIHOOD = "likelihood"  # the recipe text without its D
TEMPERATURES = (0.8, 0.9, 1.1)
SELF = 500  # texts among which self-BLEU is measured by Texygen's protocol here
COLUMNS = (
    "frechet", "c2st_auc", "lm", "reverse_lm", "bleu[4]", "self_bleu[4]", "unique", "repetition", "copy_share",
    "shared_share",
)  # fmt: skip
# Test BLEU-2 to BLEU-5: Texygen's README; RelGAN's paper.
PUBLISHED = {
    "MLE (Texygen)": (0.731, 0.497, 0.305, 0.189),
    "SeqGAN (Texygen)": (0.745, 0.498, 0.294, 0.180),
    "MaliGAN (Texygen)": (0.673, 0.432, 0.257, 0.159),
    "RankGAN (Texygen)": (0.743, 0.467, 0.264, 0.156),
    "LeakGAN (Texygen)": (0.746, 0.528, 0.355, 0.230),
    "RelGAN (its paper)": (0.849, 0.687, 0.502, 0.331),
}


@dataclass(frozen=True)
class Made:
    """Texts of a model.

    Attributes:
        run: folder of the model's run, where what is computed of the texts is kept.
        how: what the texts depend on beside the model: number, seed, temperature, and whether D chose among them.
        texts: as they were drawn.
    """

    run: Path
    how: Mapping[str, object]
    texts: list[str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tasks", nargs="*", default=list(FILES))
    parser.add_argument("--recipes", nargs="+", default=["text"], help="next to likelihood")
    parser.add_argument("--fields", nargs="+", default=[], help="of likelihood and of the recipe text, as FIELD=VALUE")
    parser.add_argument("--time", default="8m", help="time of each training")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--runs", type=Path, default=Path("runs/bench-text"))
    parser.add_argument("--page", type=Path, help="write the tables to this Markdown file, between its two marks")
    args = parser.parse_args()
    lines: list[str] = []
    counted = count_cpu_time(args.device)
    for task in args.tasks:
        part = compare(args, task)
        print("\n".join(part), flush=True)
        lines += [f"**{task}**", "", *part, ""]
    given = f"--recipes {' '.join(args.recipes)} --time {args.time} --seeds {args.seeds} --samples {args.samples}"
    given += f" --fields {' '.join(args.fields)}" if args.fields else ""
    lines += [f"`python benchmarks/text.py {' '.join(args.tasks)} {given}`, {counted}."]
    if args.page:
        put(args.page, __file__, lines)


def compare(args: argparse.Namespace, task: str) -> list[str]:
    """The tables of a data set."""
    path = file(FILES[task])
    made: dict[str, list[Made]] = {}
    for recipe in (LIKELIHOOD, *args.recipes):
        runs = {folder(args, task, recipe, seed): trained(args, task, recipe, path, seed) for seed in range(args.seeds)}
        judge = judge_of(next(iter(runs.values())), path, task)
        made[recipe] = [drawn(run, model, args.samples) for run, model in runs.items()]
        if recipe == LIKELIHOOD:
            for t in TEMPERATURES:
                made[f"T={t:g}"] = [drawn(run, model, args.samples, t) for run, model in runs.items()]
        else:
            alone = {run: model.without_D() for run, model in runs.items()}
            if all(alone.values()):
                made[f"{recipe} without D"] = [drawn(run, m, args.samples, D=False) for run, m in alone.items() if m]
    of_data = {"data": identity(judge), "samples": args.samples}
    floor = numbers_once(args.runs, lambda: judge.floor(args.samples), row="real", **of_data)
    cheats = rows_once(args.runs, lambda: numbers_of_trivial(judge, args.samples), row="baselines", **of_data)
    rows = {
        "real": [floor],
        **{name: [numbers_of(judge, texts) for texts in runs] for name, runs in made.items()},
        **{name: [numbers] for name, numbers in cheats.items()},
    }
    body = [[name, *(cell(numbers, column) for column in COLUMNS)] for name, numbers in rows.items()]
    about = [
        *table(["", *COLUMNS], body),
        "",
        f"{args.samples:,} texts compared with {len(judge.held):,} held-out ones. {aims(rows, args.recipes)}",
    ]
    return [*about, "", *protocol_of_texygen(judge, made, args)] if task == "captions" else about


def aims(rows: Mapping[str, Sequence[Sequence[Number]]], recipes: Sequence[str]) -> str:
    """Where recipes lie relative to the front of temperatures, in a sentence each."""
    columns = {1.0: means(rows[LIKELIHOOD]), **{t: means(rows[f"T={t:g}"]) for t in TEMPERATURES}}
    front, real = Front.of(columns), value(means(rows["real"]), "frechet")
    said = []
    for name in recipes:
        numbers = means(rows[name])
        quality, diversity = value(numbers, "frechet"), value(numbers, "self_bleu[4]")
        there = front.at(diversity)
        auc, auc_of_likelihood = (value(column, "c2st_auc") for column in (numbers, columns[1.0]))
        said.append(
            f"`{name}`: Fréchet excess over real {quality - real:.2f}, that of temperatures at the same self-BLEU "
            f"{there - real:.2f}; c2st_auc {auc:.3f}, that of likelihood {auc_of_likelihood:.3f}."
        )
    return " ".join(said)


def protocol_of_texygen(judge: TextJudge, made: Mapping[str, Sequence[Made]], args: argparse.Namespace) -> list[str]:
    """Test BLEU by Texygen's protocol, next to published rows."""
    references = cache(lambda: References([judge.tokens(line) for line in file(TEST).read_text().splitlines()]))
    real = [" ".join(tokens) for tokens in judge.train[: args.samples]]
    training = Made(args.runs, {"row": "real training captions", "texts": digest_of(real)}, real)
    protocol = {"protocol": "Texygen", "within": SELF, "test": digest_of(file(TEST))}
    body = [[f"{name}, published", *(f"{x:.3f}" for x in row), "", ""] for name, row in PUBLISHED.items()]

    def scores(one: Made) -> list[list[float]]:
        texts = [judge.tokens(text) for text in one.texts]
        return [bleu(texts, references()).tolist(), self_bleu(texts[:SELF]).tolist()]

    for name, runs in {"real training captions": [training], **made}.items():
        both = [computed_once(one.run, lambda one=one: scores(one), **protocol, **one.how) for one in runs]
        with_test, within = (np.array(part) for part in zip(*both, strict=True))
        body.append([name, *map(shown, with_test[:, 1:].T), *map(shown, within[:, 2:4].T)])
    head = ["", *(f"test BLEU-{n}" for n in range(2, 6)), "self-BLEU-3", "self-BLEU-4"]
    about = (
        f"Texygen's test captions. Ours: {args.samples:,} captions, self-BLEU of {min(SELF, args.samples)} of them. "
        "The topics of the test captions differ from those of the training captions, so that scores above those of "
        "real captions are no sign of quality."
    )
    return [*table(head, body), "", about]


def file(name: str) -> Path:
    """A file of texts."""
    return next(path for path in (place / name for place in places("text")) if path.is_file())


def folder(args: argparse.Namespace, task: str, recipe: str, seed: int) -> Path:
    """The folder of a run."""
    return args.runs / f"{task}-{recipe}-{seed}-{args.time}"


def trained(args: argparse.Namespace, task: str, recipe: str, path: Path, seed: int) -> Model:
    """The model of a run, trained if it does not exist."""
    out = folder(args, task, recipe, seed)
    fields = parse(args.fields) if recipe in (LIKELIHOOD, "text") else {}
    fields |= {"adversarial": 0.0, "candidates": 1} if recipe == LIKELIHOOD else {}
    name = "text" if recipe == LIKELIHOOD else recipe
    return trained_once(name, path, out, args.time, seed=seed, device=args.device, **fields)


def judge_of(model: Model, path: Path, name: str) -> TextJudge:
    """The judge of a data set, whose split does not depend on the model."""
    modality = model.modality
    assert isinstance(modality, Text)
    train, held = modality.sides(find(path, (Text,)))
    return TextJudge(train.texts, held.texts, modality.tokenizer.unit == "characters", name)


def drawn(run: Path, model: Model, n: int, temperature: float | None = None, D: bool = True) -> Made:
    """Texts of a model, from the folder of its run if they are there.

    Args:
        D: False for a model without its D.
    """

    def texts() -> list[str]:
        batches = model.stream(n, seed=0, truncation=temperature)
        return [str(text) for batch, _ in batches for text in model.modality.decode(batch)]

    how = {"samples": n, "seed": 0, "temperature": temperature, "D": D}
    return Made(run, how, computed_once(run, texts, what="texts", **how))


def identity(judge: TextJudge) -> str:
    """A digest of the tokens that a judge compares with: they depend on the data and on how they are tokenized."""
    return digest_of(judge.characters, judge.train, judge.held)


def numbers_of(judge: TextJudge, made: Made) -> list[Number]:
    """Metrics of texts."""
    return numbers_once(
        made.run, lambda: judge.numbers([judge.tokens(text) for text in made.texts]), data=identity(judge), **made.how
    )


def numbers_of_trivial(judge: TextJudge, n: int) -> dict[str, list[Number]]:
    """Metrics of trivial generators."""
    return {name: judge.numbers(texts) for name, texts in judge.trivial(n).items()}


def means(runs: Sequence[Sequence[Number]]) -> list[Number]:
    """Means of metrics over runs."""
    return [Number(column[0].name, mean(n.value for n in column), column[0].best) for column in zip(*runs, strict=True)]


def value(numbers: Sequence[Number], name: str) -> float:
    return next(number.value for number in numbers if number.name == name)


def cell(runs: Sequence[Sequence[Number]], name: str) -> str:
    """Mean of a metric over seeds, and its standard deviation."""
    return shown([value(numbers, name) for numbers in runs])


def shown(values: Sequence[float]) -> str:
    return f"{mean(values):.3f}" + (f" ± {stdev(values):.3f}" if len(values) > 1 else "")


if __name__ == "__main__":
    main()
