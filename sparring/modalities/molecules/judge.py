"""The judge of molecules: MOSES's metrics, property distances, a two-sample test and checks for copies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from importlib.util import find_spec
from math import nan
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sparring.data.items import Items
from sparring.errors import InputError
from sparring.metrics import chemistry, molecules, moses
from sparring.metrics.frechet import frechet
from sparring.metrics.molecules import Once
from sparring.metrics.moses import Statistics
from sparring.metrics.results import Evaluation, Finding, Number
from sparring.metrics.tables import Rows, c2st_auc
from sparring.modalities.judge import Console, Judge, Sampler, TrainingData
from sparring.modalities.molecules import reading
from sparring.modalities.molecules.baselines import baselines

if TYPE_CHECKING:
    from sparring.modalities.molecules.molecules import Molecules

Say = Callable[[str], None]
VALID = "valid"  # part of samples of games that draw several candidates for each
MAX_SAMPLES = 10_000  # molecules that are evaluated unless a number is given
MIN_MOLECULES = 10
MAX_REFERENCE = 10_000  # held-out molecules that samples are compared with, except for the published statistics
MAX_PAIRED = 1000  # molecules whose nearest real one is searched,
MAX_DIVERSE = 10_000  # whose internal diversity is measured,
MAX_TESTED = 2000  # and that a classifier distinguishes from real ones
MAX_NEAREST = 100_000  # training molecules among which near copies are searched
MAX_BASELINE = 3000  # molecules of a baseline
UNIQUE = (1000, 10_000)
PROPERTIES = ("logP", "QED", "MW", "TPSA")
NEAR = 0.8  # similarity from which a molecule is a near copy
INVALID, REPEATED, NOVEL, EASY = 0.9, 0.9, 0.5, 0.9  # thresholds of findings
EXCESS = 0.1  # of the share of edited training molecules beyond that of held-out ones


class MoleculeJudge(Judge):
    """Compares molecules with held-out ones, and with training molecules.

    Args:
        train, held: canonical SMILES.
        name: of the data.
        published: compare with the published statistics of MOSES's test set.
        say: receives progress messages.
    """

    def __init__(
        self, train: Sequence[str], held: Sequence[str], name: str, published: bool = False, say: Say = lambda _: None
    ) -> None:
        self.train, self.name, self.published, self.say = list(train), name, published, say
        self.held = list(np.random.default_rng(0).permutation(np.array(held, object))[:MAX_REFERENCE])
        self.known = set(self.train)
        self.chemnet = find_spec("fcd_torch") is not None
        self._activations: Once[NDArray[np.float32]] = Once(molecules.activations, self._is_real)
        self._fingerprints: Once[NDArray[np.uint8]] = Once(molecules.fingerprints_of, self._is_real)
        self._pieces = Once(molecules.pieces, self._is_real)
        self._passes: Once[np.bool_] = Once(moses.pass_filters, self._is_real)
        self._properties: Once[chemistry.Floats] = Once(_properties, self._is_real)

    def _is_real(self, smiles: str) -> bool:
        return smiles in self.known or smiles in self._known_held

    @cached_property
    def _known_held(self) -> set[str]:
        return set(self.held)

    @property
    def axes(self) -> tuple[str, str]:
        return "int_div", "fcd" if self.chemnet else "snn"

    def evaluate(self, model: Sampler, n: int | None, seed: int, console: Console) -> Evaluation:
        """Evaluate n molecules as the model draws them, before invalid ones are replaced."""
        n = n or max(UNIQUE[0], min(MAX_SAMPLES, len(self.train)))
        if n < MIN_MOLECULES:
            raise InputError(f"{n} molecules are too few to evaluate; give at least {MIN_MOLECULES}")
        written, candidates = [], []
        with console.progress(f"drawing {n:,} molecules") as progress:
            for batch, _ in model.stream(n, seed):
                written += list(model.modality.decode(batch))
                candidates.append(batch[VALID].float().cpu() if VALID in batch else None)
                progress(len(written), n)
        drawn = [part for part in candidates if part is not None]
        raw = float(np.concatenate([part.numpy() for part in drawn]).mean()) if drawn else nan
        return self.evaluation(written, raw)

    def evaluate_items(self, items: Items, console: Console) -> Evaluation:
        """All SMILES of a file as they are written: invalid and repeated ones count."""
        written = reading.records_of(items, "").smiles
        if len(written) < MIN_MOLECULES:
            raise InputError(f"{items.name!r} has {len(written)} molecules; evaluating needs at least {MIN_MOLECULES}")
        console.say(f"evaluating {len(written):,} molecules")
        return self.evaluation(written)

    def evaluation(self, written: Sequence[str], raw: float = nan) -> Evaluation:
        """The evaluation of SMILES that any tool wrote.

        Args:
            raw: share of valid candidates, where each molecule was chosen from several.
        """
        from sparring.modalities.molecules.drawing import sheet

        canonical = chemistry.canonical(written)
        numbers = self._numbers(canonical, raw)
        return Evaluation(
            data=self.name,
            protocol=self.protocol(len(written)),
            samples=len(written),
            real=len(self.held),
            numbers=tuple(numbers),
            floor=tuple(self.floor),
            baselines=self.baselines,
            findings=tuple(self.findings(numbers)),
            picture=sheet([text for text in canonical if text]),
        )

    def protocol(self, n: int) -> str:
        """How the numbers are computed, in a sentence."""
        reference = (
            f"the published statistics of MOSES's {moses.TEST:,} test molecules"
            if self.published
            else f"{len(self.held):,} held-out molecules"
        )
        missing = [
            f"{what} needs {package}, which is not installed"
            for what, package, there in (
                ("fcd", "fcd-torch", self.chemnet),
                ("filters", "molsets", moses.installed()),
            )
            if not there
        ]
        return (
            f"{n:,} molecules compared with {reference}; unique, fcd, snn, frag, scaf, int_div, filters and novelty as "
            "MOSES defines them, of valid molecules; fcd depends on n; real: as many training molecules, except for "
            "novelty and the copies, which are those of held-out molecules; copy: training molecules; add_carbon: "
            "training molecules with one carbon added; ngram: a model of 5 tokens; recombined: BRICS fragments joined "
            f"anew; repeated: one molecule; baselines have at most {MAX_BASELINE:,}"
            + "".join(f"; {text}" for text in missing)
        )

    @cached_property
    def reference(self) -> Statistics:
        """Statistics of the real molecules."""
        if self.published:
            return moses.statistics()
        self.say(f"computing statistics of {len(self.held):,} held-out molecules")
        pieces = self._pieces(self.held)
        return Statistics(
            molecules.chemnet_moments(self._activations(self.held)) if self.chemnet else None,
            np.stack(self._fingerprints(self.held)),
            molecules.fragments(pieces),
            molecules.scaffolds(pieces),
        )

    @cached_property
    def _train_fingerprints(self) -> NDArray[np.uint8]:
        order = np.random.default_rng(0).permutation(len(self.train))[:MAX_NEAREST]
        return molecules.fingerprints_of([self.train[i] for i in order])

    @cached_property
    def _held_rows(self) -> Rows:
        return molecules.rows(chemistry.parse(self.held[:MAX_TESTED]))

    def numbers(self, written: Sequence[str], raw: float = nan) -> list[Number]:
        """All metrics of SMILES as they were generated."""
        return self._numbers(chemistry.canonical(written), raw)

    def _numbers(self, canonical: Sequence[str], raw: float) -> list[Number]:
        """The same of canonical SMILES, "" for invalid ones."""
        smiles = [text for text in canonical if text]
        share = len(smiles) / len(canonical)
        first = [Number("valid", share, "high", share=True), Number("valid[candidates]", raw, "high", share=True)]
        first += [Number(f"unique@{k // 1000}k", molecules.unique(smiles, k), "high", share=True) for k in UNIQUE]
        novel = Number("novelty", molecules.novelty(smiles, self.known), "real", share=True)
        return [*first, *self._distribution(smiles), novel, *self._copies(smiles)]

    def _distribution(self, smiles: list[str]) -> list[Number]:
        """Metrics that compare valid molecules with real ones."""
        reference, enough = self.reference, len(smiles) >= MIN_MOLECULES
        made = smiles if enough else []
        bits, pieces = self._bits(made[: max(MAX_PAIRED, MAX_DIVERSE)]), self._pieces(made)
        numbers = [
            Number("snn", _mean(molecules.nearest(bits[:MAX_PAIRED], reference.fingerprints)), "real"),
            Number("frag", molecules.cosine(molecules.fragments(pieces), reference.fragments), "high"),
            Number("scaf", molecules.cosine(molecules.scaffolds(pieces), reference.scaffolds), "high"),
            Number("int_div", molecules.internal_diversity(bits[:MAX_DIVERSE]), "real"),
        ]
        if moses.installed():
            numbers.append(Number("filters", _mean(np.array(self._passes(made), bool)), "real", share=True))
        if reference.chemnet is not None and self.chemnet:
            fcd = frechet(molecules.chemnet_moments(self._activations(made)), reference.chemnet) if enough else nan
            numbers.insert(0, Number("fcd", fcd, "low"))
        return numbers + self._tests(made)

    def _bits(self, smiles: Sequence[str]) -> NDArray[np.uint8]:
        """Fingerprints (n, 1024)."""
        return np.array(self._fingerprints(smiles), np.uint8).reshape(len(smiles), chemistry.FINGERPRINT)

    def _tests(self, made: list[str]) -> list[Number]:
        """Distances of properties, and a two-sample test."""
        from scipy.stats import wasserstein_distance

        numbers = []
        real, own = (np.array(self._properties(smiles)) for smiles in (self.held, made))
        for i, name in enumerate(PROPERTIES):
            distance = wasserstein_distance(real[:, i], own[:, i]) if made else nan
            numbers.append(Number(f"wasserstein[{name}]", float(distance), "low"))
        auc = c2st_auc(self._held_rows, molecules.rows(chemistry.parse(made[:MAX_TESTED]))) if made else nan
        return [*numbers, Number("c2st_auc", auc, "low")]

    def _copies(self, smiles: list[str]) -> list[Number]:
        """How near molecules are to training molecules."""
        some = smiles[:MAX_PAIRED]
        near = molecules.nearest(self._bits(some), self._train_fingerprints)
        return [
            Number("near_copy_share", _mean(near >= NEAR), "real", share=True),
            Number("add_atom_share", molecules.add_atom_share(some, self.known), "real", share=True),
        ]

    @cached_property
    def floor(self) -> list[Number]:
        """Metrics of training molecules; novelty and copies are those of held-out ones."""
        self.say("evaluating real molecules")
        random = np.random.default_rng(0)
        some = [self.train[i] for i in random.permutation(len(self.train))[:MAX_SAMPLES]]
        held = self._copies(self.held)
        novel = Number("novelty", molecules.novelty(self.held, self.known), "real", share=True)
        own = {n.name: n for n in [novel, *held]}
        return [own.get(n.name, n) for n in self.numbers(some)]

    @cached_property
    def baselines(self) -> dict[str, list[Number]]:
        """Metrics of trivial generators."""
        self.say("evaluating the baselines")
        n = min(MAX_BASELINE, len(self.train))
        return {name: self.numbers(made) for name, made in baselines(self.train, n).items()}

    def findings(self, numbers: list[Number]) -> list[Finding]:
        """Problems of molecules; [] if nothing stands out."""
        value = {n.name: n.value for n in numbers}
        floor = {n.name: n.value for n in self.floor}
        found = []
        if value["valid"] < INVALID:
            found.append(
                Finding("invalid molecules", f"valid {value['valid']:.1%}", "train longer, or with more candidates")
            )
        if value["unique@1k"] < REPEATED:
            found.append(Finding("repeated molecules", f"unique@1k {value['unique@1k']:.1%}", "train with taught=0"))
        if value["novelty"] < NOVEL * floor["novelty"]:
            advice = "train for fewer steps, or on more molecules"
            found.append(Finding("copies", f"novelty {value['novelty']:.1%}, held out {floor['novelty']:.1%}", advice))
        if value["add_atom_share"] > floor["add_atom_share"] + EXCESS:
            evidence = f"add_atom_share {value['add_atom_share']:.1%}, held out {floor['add_atom_share']:.1%}"
            found.append(Finding("edited training molecules", evidence, "train on more molecules"))
        if value["c2st_auc"] > EASY:
            evidence = f"c2st_auc {value['c2st_auc']:.2f}; 0.5 is best"
            found.append(Finding("easy to distinguish from real molecules", evidence, "train longer"))
        return found


def _properties(smiles: Sequence[str]) -> chemistry.Floats:
    """`PROPERTIES` of valid molecules, (n, 4)."""
    return chemistry.all_described(chemistry.parse_each(smiles), PROPERTIES)


def _mean(values: NDArray[Any]) -> float:
    return float(values.mean()) if len(values) else nan


def molecule_judge(
    modality: Molecules, training: TrainingData, against: Items | None, options: Mapping[str, Any], say: Say
) -> MoleculeJudge:
    """See `Modality.judge`."""
    if features := options.get("features"):
        raise InputError(
            f"features={features[0]} is not for molecules, which have their own metrics; remove --features"
        )
    training.check_unchanged(modality.words.items)
    if against is not None and not modality.accepts(against):
        raise InputError(f"{against.name!r} holds {against.kind}, but the model generates molecules; give such data")
    items = training.items
    cleaned = modality.cleaned(items)
    split = modality.split(items, cleaned.rows)
    known = dict(zip(cleaned.rows.tolist(), cleaned.smiles, strict=True))
    train = [known[i] for i in split.train.tolist()]
    held = [known[i] for i in split.held.tolist()] if against is None else list(modality.cleaned(against).smiles)
    if len(held) < MIN_MOLECULES or len(train) < MIN_MOLECULES:
        source = training.source if against is None else against.name
        raise InputError(
            f"{source} has {len(held)} held-out molecules, which is too few to evaluate; give --against FILE"
        )
    published = against is None and training.source == "moses"
    return MoleculeJudge(train, held, training.name if against is None else against.name, published, say)
