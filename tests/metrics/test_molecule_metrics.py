"""Metrics of molecules, by hand and against the published numbers of MOSES where its files are installed."""

import numpy as np
import pytest
import torch
from benzenes import benzenes
from rdkit import Chem, DataStructs
from rdkit.Chem import rdFingerprintGenerator

from sparring.errors import InputError
from sparring.metrics import chemistry, molecules, moses
from sparring.modalities.molecules import baselines as trivial
from sparring.modalities.molecules.baselines import baselines, recombined
from sparring.modalities.molecules.judge import MoleculeJudge

with_moses = pytest.mark.skipif(not moses.installed(), reason="molsets is not installed")


def test_canonical_and_invalid():
    assert chemistry.canonical(["OCC", "C(C)O", "xyz", ""]) == ["CCO", "CCO", "", ""]


def test_unique_and_novelty():
    assert molecules.unique(["C", "C", "CC", "CCC"], 3) == pytest.approx(2 / 3)
    assert np.isnan(molecules.unique(["C"], 3))
    assert molecules.novelty(["C", "CC", "CC"], {"C"}) == 0.5


def test_similarities_are_those_of_rdkit():
    parsed = chemistry.parse(benzenes()[:12])
    bits = chemistry.fingerprints(parsed)
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=1024)
    own = [generator.GetFingerprint(molecule) for molecule in parsed]
    expected = np.array([DataStructs.BulkTanimotoSimilarity(one, own) for one in own])
    found = molecules.similarity(*[torch.from_numpy(bits).float()] * 2).numpy()
    assert found == pytest.approx(expected)
    assert molecules.internal_diversity(bits) == pytest.approx(1 - expected.mean())
    assert molecules.nearest(bits[:3], bits[3:]) == pytest.approx(expected[:3, 3:].max(1))


def test_the_nearest_of_full_and_of_empty_fingerprints(monkeypatch):
    """Common bits of more than 255, more real ones than are compared at once, and molecules without any bit."""
    monkeypatch.setattr(molecules, "COMPARED", 8)
    random = np.random.default_rng(0)
    made, real = ((random.random((n, 1024)) < 0.9).astype(np.uint8) for n in (4, 20))
    made[0] = real[3] = 0
    expected = molecules.similarity(torch.from_numpy(made).float(), torch.from_numpy(real).float()).amax(1)
    assert molecules.nearest(made, real) == pytest.approx(expected.numpy())
    assert expected[0] == 1


def test_diversity_counts_all_pairs_of_blocks(monkeypatch):
    bits = chemistry.fingerprints(chemistry.parse(benzenes()[:11]))
    whole = molecules.internal_diversity(bits)
    monkeypatch.setattr(molecules, "BLOCK", 4)
    assert molecules.internal_diversity(bits) == pytest.approx(whole)


def test_real_molecules_are_computed_once_and_others_once_a_row():
    computed = []
    once = molecules.Once(lambda smiles: [len(computed.append(text) or text) for text in smiles], {"CC"}.__contains__)
    assert once(["CC", "CCO", "CC", "CCO"]) == [2, 3, 2, 3]
    assert once(["CCO", "CC"]) == [3, 2]
    assert once([]) == []
    assert computed == ["CC", "CCO", "CCO"]


def test_a_remembered_molecule_does_not_keep_the_others_in_memory():
    once = molecules.Once(molecules.fingerprints_of, {"CC", "CCC"}.__contains__)
    first = once(["CC", "CCC", "CCO"])
    assert np.array_equal(once(["CC", "CCC"]), first[:2])
    assert all(row.base is None and row.shape == (1024,) for row in once(["CC", "CCC"]))


def test_fragments_scaffolds_and_their_cosine():
    pieces = molecules.pieces(["c1ccc2ccccc2c1CC", "CCc1ccccc1"])
    assert dict(molecules.scaffolds(pieces)) == {"c1ccc2ccccc2c1": 1}  # benzene has a single ring
    assert sum(molecules.fragments(pieces).values()) >= 2
    assert molecules.cosine({"a": 3, "b": 4}, {"a": 3, "b": 4}) == pytest.approx(1)
    assert molecules.cosine({"a": 3, "b": 4}, {"a": 1}) == pytest.approx(0.6)
    assert np.isnan(molecules.cosine({}, {"a": 1}))


def test_added_carbons_are_valid_and_found():
    train = chemistry.canonical(benzenes()[:40])
    made = molecules.add_carbon([*train, "c1cc[nH]c1", "C[NH3+]", "C[C@H](N)O"])
    assert all(made)
    added = [Chem.MolFromSmiles(text).GetNumHeavyAtoms() for text in made[:40]]
    assert added == [Chem.MolFromSmiles(text).GetNumHeavyAtoms() + 1 for text in train]
    assert made[40] in {"Cn1cccc1", "Cc1ccc[nH]1", "Cc1cc[nH]c1"}
    assert molecules.add_atom_share(made[:40], set(train)) == 1
    assert molecules.add_atom_share(["c1ccc2ccccc2c1"], set(train)) == 0


def test_chemnet_distance_of_equal_sets_is_zero():
    pytest.importorskip("fcd_torch")
    from sparring.metrics.frechet import frechet

    half = chemistry.canonical(benzenes()[:20])
    one, other = (
        molecules.chemnet_moments(molecules.activations(smiles))
        for smiles in (half, ["CCCCCC"] * 10 + ["CCCCCCO"] * 10)
    )
    assert frechet(one, one) == pytest.approx(0, abs=1e-3)
    assert frechet(one, other) > 10


@with_moses
def test_filters_of_moses():
    written = ["CCO", "C[NH3+]", "C1CCCCCCC1", "C[Si](C)C", "CN=C=O"]
    assert moses.pass_filters(written).tolist() == [True, False, False, False, False]


@with_moses
def test_filters_find_what_a_search_for_each_pattern_finds(monkeypatch):
    """Also over the end of what is searched at once. One search of all patterns in a molecule takes milliseconds."""
    monkeypatch.setattr(moses, "SEARCHED", 16)
    anilines = [text.replace("c1", "Nc1", 1) for text in benzenes()[:20] if text.startswith("c1")]
    some = chemistry.canonical([*benzenes()[:30], *anilines, "O=NN(C)C", "CC(=O)Cl", "C=CC(=O)C", "OO", "N=[N+]=[N-]"])
    some = [text for text in some if text]

    def passes(molecule):
        whole = Chem.AddHs(molecule)
        charged = any(atom.GetFormalCharge() for atom in molecule.GetAtoms())
        return not charged and not any(whole.HasSubstructMatch(pattern) for pattern in moses._patterns())

    expected = [passes(molecule) for molecule in chemistry.parse(some)]
    assert moses.pass_filters(some).tolist() == expected
    assert {True, False} == set(expected)


def test_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(moses, "find_spec", lambda _: None)
    with pytest.raises(InputError, match="moses is part of the package molsets, which is not installed; pip install"):
        moses.file("dataset", "data", "train.csv.gz")


def test_what_is_not_installed_is_named_and_left_out(monkeypatch):
    monkeypatch.setattr(moses, "find_spec", lambda _: None)
    monkeypatch.setattr("sparring.modalities.molecules.judge.find_spec", lambda _: None)
    smiles = chemistry.canonical(benzenes())
    judge = MoleculeJudge(smiles[:90], smiles[90:], "benzenes")
    names = {n.name for n in judge.numbers(smiles[:30])}
    assert not {"fcd", "filters"} & names
    assert "fcd needs fcd-torch, which is not installed; filters needs molsets" in judge.protocol(30)


@pytest.fixture(scope="module")
def judged():
    """A judge of the benzenes, with metrics of each cheat."""
    smiles = chemistry.canonical(benzenes())
    order = np.random.default_rng(0).permutation(len(smiles))
    train, held = [smiles[i] for i in order[:90]], [smiles[i] for i in order[90:]]
    judge = MoleculeJudge(train, held, "benzenes")
    values = {name: {n.name: n.value for n in judge.numbers(made)} for name, made in baselines(train, 300).items()}
    return judge, values, {n.name: n.value for n in judge.floor}


CAUGHT = [
    ("copy", "novelty", lambda x, floor: x == 0 and floor == 1),
    ("add_carbon", "add_atom_share", lambda x, floor: x > 0.95 > floor + 0.1),
    ("ngram", "valid", lambda x, floor: x < 0.97 and floor == 1),
    ("recombined", "fcd", lambda x, floor: x > 1.5 * floor),
    ("repeated", "int_div", lambda x, floor: x < 0.01 < floor),
]


@pytest.mark.parametrize(("cheat", "metric", "caught"), CAUGHT, ids=[cheat for cheat, _, _ in CAUGHT])
def test_every_cheat_is_caught_by_a_metric(judged, cheat, metric, caught):
    _, values, floor = judged
    assert caught(values[cheat][metric], floor[metric]), (values[cheat][metric], floor[metric])


def test_the_search_for_recombined_molecules_is_bounded(monkeypatch):
    """By the fragments that are tried, and what it finds does not depend on the bound."""
    found = []
    for tried in (5000, 50_000):
        monkeypatch.setattr(trivial, "MAX_TRIED", tried)
        found.append(recombined(chemistry.canonical(benzenes()), 2500))
    few, more = found
    assert 0 < len(few) < len(more) < 300  # all that there are are 332
    assert more[: len(few)] == few


def test_generators_that_generate_nothing_are_left_out():
    """No bond of an alkane is one where BRICS cuts."""
    assert set(baselines(["C" * n for n in range(1, 40)], 20)) == {"copy", "add_carbon", "ngram", "repeated"}


def test_evaluation_reports_what_invalid_molecules_leave(judged):
    judge, _, _ = judged
    evaluation = judge.evaluation([*judge.train[:30], "((", "xyz"] * 2, raw=0.7)
    assert evaluation["valid"] == pytest.approx(30 / 32)
    assert evaluation["valid[candidates]"] == 0.7
    assert evaluation["novelty"] == 0
    assert evaluation.of_real("novelty") == 1
    assert set(evaluation.baselines) == {"copy", "add_carbon", "ngram", "recombined", "repeated"}
    assert {"copies"} <= {finding.name for finding in evaluation.findings}
    nothing = judge.numbers(["(("] * 30)
    assert {n.name: n.value for n in nothing}["valid"] == 0
