"""Molecules are asked for by a similar one, a scaffold and novelty; what is asked always holds."""

import numpy as np
import pytest
import torch
from benzenes import benzenes, write_benzenes
from rdkit import Chem, DataStructs
from rdkit.Chem.rdFingerprintGenerator import GetMorganGenerator

import sparring
from sparring.errors import InputError
from sparring.metrics import chemistry
from sparring.modalities import find
from sparring.modalities.molecules import Molecules
from sparring.modalities.molecules.membership import Members
from sparring.modalities.molecules.targets import Contains, Target

TOLUIDINE = "Cc1ccc(N)cc1"


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    items = find(write_benzenes(tmp_path_factory.mktemp("smi") / "b.smi"))
    return Molecules(described=("logP", "MW")).fit(items)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    settings = {"out": folder / "run", "steps": 150, "quiet": True, "device": "cpu"}
    fields = {"width": 64, "embedding": 16, "batch": 64, "candidates": 2, "conditions": "MW", "lr": 1e-2, "D": 8}
    return sparring.train("molecules", write_benzenes(folder / "b.smi"), **settings, **fields)


def similarity(smiles, to):
    """By RDKit's own fingerprints and Tanimoto coefficient."""
    morgan = GetMorganGenerator(radius=2, fpSize=1024)
    a, b = (morgan.GetFingerprint(Chem.MolFromSmiles(text)) for text in (smiles, to))
    return DataStructs.TanimotoSimilarity(a, b)


def test_similar_molecules(model):
    samples = model.sample(8, seed=1, like=TOLUIDINE, similarity="0.4..0.8")
    found = [similarity(text, TOLUIDINE) for text in samples.items]
    assert len(found) == 8
    assert min(found) >= 0.4
    assert max(found) <= 0.8
    assert "satisfy similarity=0.4..0.8 and difference and validity" in samples.notes[0]
    assert len(set(chemistry.canonical(samples.items))) == 8
    request = model.request(like=TOLUIDINE)
    assert request.notes[0].startswith("120 training molecules that the model keeps have similarities from 0.")
    weight = (request.condition * model.modality.deviations[0] + model.modality.means[0]).unique()
    assert weight.item() == pytest.approx(107.16, abs=0.01)  # G is asked for the target's own weight


@pytest.mark.parametrize(
    ("scaffold", "read_as", "count"),
    [
        ("c1ccccc1", "SMILES", 120),
        ("*S(=O)(=O)c1ccccc1", "SMILES", 15),
        ("[N;H2]c", "SMARTS", 15),
        ("C1=CC=CC=C1", "SMILES", 120),
    ],
)
def test_scaffolds_say_how_they_were_read(fitted, scaffold, read_as, count):
    (note,) = fitted.request(scaffold=scaffold).notes
    assert note.startswith(f"scaffold {scaffold} is read as {read_as}; {count} of 120 training molecules")


def test_molecules_with_a_scaffold(model):
    samples = model.sample(6, seed=2, scaffold="Nc1ccccc1", where="MW<200")
    query = Chem.MolFromSmarts("[#7]-c1ccccc1")
    assert all(Chem.MolFromSmiles(text).HasSubstructMatch(query) for text in samples.items)
    drawn = model.modality.draw_conditions(200, torch.device("cpu"), model.request(scaffold="Nc1ccccc1").condition)
    weights = drawn * model.modality.deviations[0] + model.modality.means[0]
    with_scaffold = [
        text for text in chemistry.canonical(benzenes()) if Chem.MolFromSmiles(text).HasSubstructMatch(query)
    ]
    own = {round(float(w), 1) for w in chemistry.described(chemistry.parse(with_scaffold), "MW")}
    assert {round(float(w), 1) for w in weights.flatten()} <= own


def test_a_dummy_atom_is_any_atom_but_hydrogen():
    pattern = Contains.parsed("*c1ccccc1", ("C", "c", "1"), 30)
    assert pattern.holds(["Cc1ccccc1", "c1ccccc1", "not valid"]).tolist() == [True, False, False]


def test_new_molecules_are_no_copies(model):
    known = set(chemistry.canonical(benzenes()))
    free = model.sample(40, seed=3).items
    assert known & set(chemistry.canonical(free))  # the model copies
    samples = model.sample(10, seed=3, novel=True)
    assert not known & set(chemistry.canonical(samples.items))
    assert model.sample(3, seed=3, novel=False).items.tolist() == free[:3].tolist()


def test_tautomers_are_the_same_molecule():
    pyridone = Target.parsed("O=c1cccc[nH]1")
    assert pyridone.same(["Oc1ccccn1", "O=c1cccc[nH]1", "Oc1cccnc1", "CCO", "bad("]).tolist() == [
        True, True, False, False, False,
    ]  # fmt: skip


def test_new_molecules_exclude_the_target_and_its_tautomers(fitted):
    (_, rule, _, valid) = fitted.request(like="Oc1ccccn1", similarity="0..", novel=True).rules
    assert rule.holds(np.array(["O=c1cccc[nH]1", "Oc1ccccn1", "CCCCCCO", "((", benzenes()[0]], object)).tolist() == [
        False, False, True, False, False,
    ]  # fmt: skip
    assert valid.text == "validity"


def test_members_are_always_recognized_and_others_hardly_ever():
    members = Members.from_text(Members.of([f"a{i}" for i in range(5000)]).as_text())
    assert members.contain([f"a{i}" for i in range(5000)]).all()
    assert members.contain([f"b{i}" for i in range(20_000)]).mean() < 0.006
    assert len(members.bits) == 7500


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"novel": "false"}, "novel=false is neither true nor false"),
        ({"like": "C1CC"}, "like='C1CC' is not a valid SMILES"),
        ({"similarity": ".5.."}, "similarity=.5.. was given without a molecule; give --like SMILES too"),
        ({"like": "CCO", "similarity": "2.."}, "similarity=2.. is out of range; it must be from 0 to 1"),
        ({"like": "CCO", "similarity": "high"}, "'similarity=high' is not a condition; write NAME=LOW..HIGH"),
        ({"scaffold": "C1CC"}, "scaffold='C1CC' is neither a valid SMILES nor a valid SMARTS"),
        ({"scaffold": "C[Si](C)C"}, "has Si, and training molecules consist of Br, C, Cl, F, N, O, S; ask for another"),
        ({"scaffold": "C" * 40}, "has 40 tokens, and the largest training molecule has"),
    ],
)
def test_bad_requests_are_one_line(fitted, asked, message):
    with pytest.raises(InputError) as error:
        fitted.request(**asked)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_what_is_never_generated_says_what_was_seen(model, monkeypatch):
    monkeypatch.setattr(type(model.modality), "max_draws", 256)
    monkeypatch.setattr("sparring.model.model.MAX_ATTEMPTS", 1)
    with pytest.raises(
        InputError, match=r"only 0 of 256 generated molecules satisfy rings=9 .*rings of the last \d+ is from"
    ):
        model.sample(1, seed=1, where="rings=9")


def test_models_of_older_versions_offer_no_novelty(fitted):
    from dataclasses import replace

    assert "novel" not in {ask.name for ask in replace(fitted, trained="").asks}
    with pytest.raises(InputError, match="damaged"):
        replace(fitted, trained="not base 64")


def test_half_of_the_samples_begin_with_the_scaffold(model):
    """So that rare scaffolds are found; what is returned satisfies the request as ever."""
    request = model.request(scaffold="*Cc1ccccc1")
    assert request.beginnings is not None
    texts = model.modality.decode({"values": request.beginnings.clamp(min=0)})
    query = Chem.MolFromSmarts("Cc1ccccc1")
    assert all(Chem.MolFromSmiles(text).HasSubstructMatch(query) for text in texts)
    assert all(Chem.MolFromSmiles(text + "Br").HasSubstructMatch(Chem.MolFromSmarts("BrCc1ccccc1")) for text in texts)
    free, asked = (rate(model, scaffold) for scaffold in (None, "Sc1ccc(S)cc1"))
    assert free == 0
    assert asked > 0.2
    several, pattern = (model.request(scaffold=text).beginnings for text in ("*c1ccc(*)cc1", "[c,n]1ccccc1"))
    assert several is pattern is None
    one = model.sample(6, seed=4, scaffold="Nc1ccccc1")
    assert one.items.tolist() == chemistry.canonical(one.items)
    assert len(set(one.items)) == 6
    assert model.sample(3, seed=4, scaffold="Nc1ccccc1").items.tolist() == one.items[:3].tolist()


def rate(model, scaffold):
    """Share of samples, before invalid ones are replaced, that have two sulfurs on a benzene."""
    texts = [t for batch, _ in model.stream(256, seed=0, scaffold=scaffold) for t in model.modality.decode(batch)]
    return float(Contains.parsed("Sc1ccc(S)cc1", ("C", "c", "S", "1"), 30).holds(texts).mean())
