"""The judge of texts: samples next to real texts, to what temperatures reach, and to trivial generators."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL.Image import Image

from sparring.data.items import Items
from sparring.errors import InputError
from sparring.metrics import texts as metrics
from sparring.metrics.bleu import HIGHEST, References, bleu, self_bleu
from sparring.metrics.frechet import frechet, moments
from sparring.metrics.results import Evaluation, Finding, Number
from sparring.metrics.tables import c2st_auc
from sparring.metrics.texts import TextFeatures, Trigrams, repetition, rows, shared
from sparring.modalities.judge import Console, Judge, Sampler, TrainingData
from sparring.modalities.text.baselines import baselines
from sparring.modalities.text.front import Front, draw
from sparring.modalities.text.tokens import words

if TYPE_CHECKING:
    from sparring.modalities.text.text import Text

Say = Callable[[str], None]
Tokens = tuple[str, ...]
MIN_TEXTS = 20
MAX_SAMPLES = 1000  # evaluated unless asked otherwise
MAX_REFERENCE = 10_000  # held-out texts that samples are compared with
MAX_TRAIN = 20_000  # training texts that metrics are fitted to, and that copies are searched in
TEMPERATURES = (0.8, 0.9, 1.1)
COPIED, SHARED = 0.05, 0.1  # excess over held-out texts from which copies and spliced training texts are reported
REPEATED, EASY = 0.05, 0.9  # excess of repetition, and c2st_auc from which texts are easy to distinguish


class TextJudge(Judge):
    """Compares texts with held-out ones, and with training texts.

    Args:
        train, held: texts.
        characters: metrics are about characters, not words.
        name: of the data.
        classes, labels: names of the classes, and the class of each training text, if there are classes.
        say: receives progress messages.
        texts_of: the texts in other data, for `evaluate_items`.
    """

    def __init__(
        self,
        train: Sequence[str],
        held: Sequence[str],
        characters: bool,
        name: str,
        classes: Sequence[str] = (),
        labels: NDArray[np.int64] | None = None,
        say: Say = lambda _: None,
        texts_of: Callable[[Items], list[str]] | None = None,
    ) -> None:
        self.texts_of = texts_of
        self.characters, self.name, self.say, self.classes = characters, name, say, tuple(classes)
        order = np.random.default_rng(0).permutation(len(train))[:MAX_TRAIN]
        self.train = [self.tokens(train[i]) for i in order]
        self.labels = None if labels is None else labels[order]
        some = np.random.default_rng(1).permutation(len(held))[:MAX_REFERENCE]
        self.held = [self.tokens(held[i]) for i in some]
        # What metrics are fitted to is not what stands in the place of samples, or real texts would seem too typical.
        self._unseen = len(self.train) // 3
        self.references = References(self.held)

    def tokens(self, text: str) -> Tokens:
        """A text as metrics see it."""
        return tuple(text) if self.characters else tuple(words(text))

    @property
    def axes(self) -> tuple[str, str]:
        return "self_bleu[4]", "frechet"

    @cached_property
    def _fitted(self) -> list[Tokens]:
        return self.train[self._unseen :]

    @cached_property
    def _model(self) -> Trigrams:
        return Trigrams(self._fitted, self._words)

    @cached_property
    def _words(self) -> int:
        """Number of different tokens."""
        return len({token for tokens in (*self.train, *self.held) for token in tokens})

    @cached_property
    def _features(self) -> TextFeatures:
        return TextFeatures(self._fitted)

    @cached_property
    def _known(self) -> set[Tokens]:
        return set(self.train)

    # Metrics.

    def numbers(self, texts: Sequence[Tokens], labels: NDArray[np.int64] | None = None) -> list[Number]:
        """All metrics of texts.

        Args:
            labels: the classes that they were generated for, (n,).
        """
        return [*self._distances(texts), *self._overlaps(texts), *self._own(texts), *self._copies(texts),
                *self._by_class(texts, labels)]  # fmt: skip

    def _distances(self, texts: Sequence[Tokens]) -> list[Number]:
        """How far the distribution of texts is from that of held-out ones."""
        held = self.held[: max(len(texts), MIN_TEXTS)]
        made, real = (moments(torch.from_numpy(self._features(part))) for part in (texts, self.held))
        real_rows, made_rows = (rows(part, self._features, self._model) for part in (held, texts))
        return [
            Number("frechet", frechet(made, real), "low"),
            Number("c2st_auc", c2st_auc(real_rows, made_rows), "low"),
            Number("lm", self._model.nats(texts), "real"),
            Number("reverse_lm", Trigrams(texts, self._words).nats(self.held), "low"),
        ]

    def _overlaps(self, texts: Sequence[Tokens]) -> list[Number]:
        """BLEU with held-out texts, and among the texts themselves."""
        with_held, within = bleu(texts, self.references), self_bleu(texts)
        return [
            *(Number(f"bleu[{n}]", float(with_held[n - 1]), "real") for n in range(2, HIGHEST + 1)),
            *(Number(f"self_bleu[{n}]", float(within[n - 1]), "real") for n in range(2, HIGHEST + 1)),
        ]

    def _own(self, texts: Sequence[Tokens]) -> list[Number]:
        """Metrics of texts alone."""
        return [
            Number("unique", len(set(texts)) / len(texts), "real", share=True),
            Number("repetition", repetition(texts), "real", share=True),
            Number("length", float(np.mean([len(tokens) for tokens in texts])), "real"),
        ]

    def _copies(self, texts: Sequence[Tokens]) -> list[Number]:
        """What texts have in common with training texts."""
        longest = shared(texts, self.train)
        lengths = np.array([max(1, len(tokens)) for tokens in texts])
        return [
            Number("copy_share", float(np.mean([tokens in self._known for tokens in texts])), "real", share=True),
            Number("shared_ngram", float(longest.mean()), "real"),
            Number("shared_share", float((longest / lengths).mean()), "real", share=True),
        ]

    def _by_class(self, texts: Sequence[Tokens], labels: NDArray[np.int64] | None) -> list[Number]:
        """Share of the texts that a classifier of real texts assigns to the class that they were generated for."""
        if labels is None or self.labels is None:
            return []
        fitted, own = self._features(self._fitted), self.labels[self._unseen :]
        predicted = metrics.classify(fitted, own, self._features(texts), len(self.classes)).argmax(1)
        return [Number("conditional_accuracy", float((predicted == labels).mean()), "high", share=True)]

    def floor(self, n: int) -> list[Number]:
        """Metrics of real texts: of training texts that nothing is fitted to, and of held-out texts for what is
        compared with training texts.
        """
        n = min(n, self._unseen)
        labels = None if self.labels is None else self.labels[:n]
        held = {number.name: number for number in [*self._copies(self.held[:n]), *self._distances(self.held[:n])[2:3]]}
        return [held.get(number.name, number) for number in self.numbers(self.train[:n], labels)]

    # The evaluation.

    def evaluate(self, model: Sampler, n: int | None, seed: int, console: Console) -> Evaluation:
        """Evaluate n texts, and texts of several temperatures."""
        n = n or max(MIN_TEXTS, min(MAX_SAMPLES, self._unseen))
        if n < MIN_TEXTS:
            raise InputError(f"{n} texts are too few to evaluate; give at least {MIN_TEXTS}")
        with console.progress(f"drawing {n:,} texts") as progress:
            made, labels = self._drawn(model, n, seed, None)
            first = model.without_D()
            alone = None if first is None else self._drawn(first, n, seed, None)[0]
            tempered = {}
            for i, temperature in enumerate(TEMPERATURES):
                progress(1 + i, 1 + len(TEMPERATURES))
                tempered[temperature] = self._drawn(first or model, n, seed, temperature)[0]
        self.say(f"computing metrics of {n:,} texts, of {len(TEMPERATURES)} temperatures and of the baselines")
        numbers = self.numbers(made, labels)
        plain = numbers if alone is None else self.numbers(alone)
        by_temperature = {1.0: plain} | {t: self.numbers(texts) for t, texts in tempered.items()}
        columns = {} if alone is None else {"without_D": plain}
        columns |= {f"T={t:g}": by_temperature[t] for t in TEMPERATURES}
        columns |= {name: self.numbers(texts) for name, texts in self.trivial(n).items()}
        floor, front = self.floor(n), Front.of(by_temperature)
        findings = self.findings(numbers, floor, None if alone is None else front)
        picture = draw(front, {"samples": numbers, "real": floor, **columns})
        return self._evaluation(self.protocol(n, alone is not None), n, numbers, floor, columns, findings, picture)

    def evaluate_items(self, items: Items, console: Console) -> Evaluation:
        """All texts of a file."""
        if self.texts_of is None:
            return super().evaluate_items(items, console)
        texts = [self.tokens(text) for text in self.texts_of(items)]
        n = len(texts)
        if n < MIN_TEXTS:
            raise InputError(f"{items.name!r} has {n} texts; evaluating needs at least {MIN_TEXTS}")
        console.say(f"evaluating {n:,} texts")
        numbers, floor = self.numbers(texts), self.floor(n)
        columns = {name: self.numbers(made) for name, made in self.trivial(n).items()}
        findings = self.findings(numbers, floor, None)
        return self._evaluation(self.protocol(n, None), n, numbers, floor, columns, findings, None)

    def _evaluation(
        self,
        protocol: str,
        n: int,
        numbers: Sequence[Number],
        floor: Sequence[Number],
        columns: Mapping[str, Sequence[Number]],
        findings: Sequence[Finding],
        picture: Image | None,
    ) -> Evaluation:
        real = min(n, self._unseen)
        return Evaluation(self.name, protocol, n, real, tuple(numbers), tuple(floor), columns, tuple(findings), picture)

    def _drawn(
        self, model: Sampler, n: int, seed: int, temperature: float | None
    ) -> tuple[list[Tokens], NDArray[np.int64] | None]:
        """Texts and their classes."""
        modality, made, labels = model.modality, [], []
        for batch, condition in model.stream(n, seed, truncation=temperature):
            made += [self.tokens(text) for text in modality.decode(batch)]
            if modality.classes and condition is not None:
                labels.append(modality.labels_of(condition))
        return made, np.concatenate(labels) if labels else None

    def trivial(self, n: int) -> dict[str, list[Tokens]]:
        """Texts of trivial generators."""
        made = baselines(self.train, self.references, n)
        return {name: [tuple(tokens) for tokens in texts] for name, texts in made.items()}

    def protocol(self, n: int, alone: bool | None) -> str:
        """How the numbers are computed, in a sentence.

        Args:
            alone: there are texts of G without the adversarial training; None if there is no model.
        """
        unit = "characters" if self.characters else "words"
        first = "without_D: texts of G without the adversarial training; " if alone else ""
        whose = "of without_D" if alone else "of the samples"
        tempered = "" if alone is None else f"T: temperatures {whose}; "
        return (
            f"{n:,} texts compared with {len(self.held):,} held-out texts, in {unit}; bleu: mean of texts against all "
            f"held-out ones, smoothed by NLTK's method 1; self_bleu: against the other {n - 1:,} texts, without the "
            "text itself; frechet: in 64 directions of weighted words and pairs of words; lm, reverse_lm: nats per "
            "token of a Kneser-Ney model of 3-grams, fitted to training texts, and to the samples for held-out texts; "
            "c2st_auc: gradient-boosted trees on these features, lengths and nats; real: training texts, but held-out "
            f"ones for lm and copies; {first}{tempered}3-grams, 5-grams: models of so many tokens; "
            "repeated: one training text; spliced: halves of two training texts; picked: training texts with the "
            "highest bleu[4]"
        )

    def findings(self, numbers: Sequence[Number], floor: Sequence[Number], front: Front | None) -> list[Finding]:
        """Problems of texts; [] if nothing stands out.

        Args:
            front: what temperatures of G alone reach, if it has been trained before the adversarial phase.
        """
        value, real = ({number.name: number.value for number in column} for column in (numbers, floor))

        def beside(name: str) -> str:
            return f"{name} {value[name]:.1%}, real {real[name]:.1%}"

        found = []
        if value["copy_share"] > real["copy_share"] + COPIED:
            found.append(Finding("copies", beside("copy_share"), "train for fewer passes, or on more texts"))
        if value["shared_share"] > real["shared_share"] + SHARED:
            found.append(Finding("spliced training texts", beside("shared_share"), "train for fewer passes"))
        if value["repetition"] > real["repetition"] + REPEATED:
            found.append(Finding("repetition within texts", beside("repetition"), "train longer"))
        if value["unique"] < real["unique"] - REPEATED:
            found.append(Finding("repeated texts", beside("unique"), "sample without --truncation"))
        if value["c2st_auc"] > EASY:
            evidence = f"c2st_auc {value['c2st_auc']:.2f}; 0.5 is best"
            found.append(Finding("easy to distinguish from real texts", evidence, "train longer"))
        if front is not None and not front.beaten_by(numbers):
            evidence = front.evidence(numbers)
            found.append(
                Finding(
                    "D is no better than a temperature",
                    evidence,
                    "train longer, or use likelihood alone: recipe text, adversarial=0 candidates=1",
                )
            )
        return found


def text_judge(
    modality: Text, training: TrainingData, against: Items | None, options: Mapping[str, Any], say: Say
) -> TextJudge:
    """See `Modality.judge`."""
    if features := options.get("features"):
        raise InputError(f"features={features[0]} is not for texts, which have their own metrics; remove --features")
    training.check_unchanged(modality.words.items)
    if against is not None and not modality.accepts(against):
        raise InputError(f"{against.name!r} holds {against.kind}, but the model generates texts; give such data")
    train, held = modality.sides(training.items)
    texts = held.texts if against is None else [text for side in modality.sides(against) for text in side.texts]
    if len(texts) < MIN_TEXTS or len(train.texts) < 3 * MIN_TEXTS:
        source = training.source if against is None else against.name
        raise InputError(f"{source} has {len(texts)} held-out texts, which is too few to evaluate; give --against FILE")
    name = training.name if against is None else against.name
    labels = train.labels if modality.classes else None
    characters = modality.tokenizer.unit == "characters"

    def texts_of(items: Items) -> list[str]:
        if modality.continuous:
            return [text for side in modality.sides(items) for text in side.texts]
        return list(modality.passages(items).lines)  # whole, with tokens that the training texts lack

    return TextJudge(train.texts, texts, characters, name, modality.classes, labels, say, texts_of)
