"""Molecules as graphs: round trips, what is left out, and graphs that are no molecules."""

import numpy as np
import pytest
import torch
from rdkit import Chem

from sparring.errors import InputError
from sparring.metrics import chemistry
from sparring.modalities import find
from sparring.modalities.molecules import MoleculeGraphs
from sparring.nets.molgan import Discriminator

SMILES = ["CCO", "c1ccccc1", "C#CC=O", "c1cc[nH]c1", "C[N+](C)(C)CC(=O)[O-]", "O=C1CC1", "N#N", "Cn1cccc1", "CC(F)Cl"]


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    path = tmp_path_factory.mktemp("smi") / "g.smi"
    path.write_text("\n".join([*SMILES, "CCCCCCCCCCCC"]))
    items = find(path)
    return MoleculeGraphs(most=9).fit(items), items


def test_round_trip(fitted):
    modality, items = fitted
    encoded = modality.encode(items)
    values = modality.batch(dict(encoded.tensors))["values"]
    assert values.shape == (len(SMILES), *modality.shape)
    assert torch.equal(modality.unscale(values), encoded.values)
    assert modality.decode({"values": values}).tolist() == chemistry.canonical(SMILES)
    assert modality.atoms == ("C", "Cl", "F", "N", "N+1", "O", "O-1")
    assert ("CCCCCCCCCCCC", "it has 12 heavy atoms (atoms=9)") in encoded.skipped


def test_graphs_that_are_not_one_molecule_are_invalid(fitted):
    modality, _ = fitted
    carbon, pairs = modality.atoms.index("C") + 1, 9 * 8 // 2
    none = np.zeros(9 + pairs, np.int16)
    apart, five, bond_to_nothing = none.copy(), none.copy(), none.copy()
    apart[:2] = carbon  # two atoms without a bond
    five[:3] = carbon
    five[9], five[9 + 8] = 3, 3  # a carbon with two triple bonds
    bond_to_nothing[0], bond_to_nothing[9] = carbon, 1  # methane: the other atom is not there
    values = modality.scale(torch.from_numpy(np.stack([none, apart, five, bond_to_nothing])))
    assert modality.decode({"values": values}).tolist() == ["", "", "", "C"]
    seen = modality.features({"values": values})
    assert seen.shape[0] == 4
    assert seen[:, -1].tolist() == [0, 0, 0, 1]  # whether they are valid


def test_other_data_and_only_large_molecules(fitted, tmp_path):
    modality, _ = fitted
    (tmp_path / "o.smi").write_text("CCO\nC[Si]C\nCCN\n")
    encoded = modality.encode(find(tmp_path / "o.smi"))
    assert len(encoded.values) == 2
    assert any("atoms that the training data lack" in why for _, why in encoded.skipped)
    (tmp_path / "l.smi").write_text("CCCCCCCCCCCC\nCCCCCCCCCCCCC\n")
    with pytest.raises(InputError, match="'l' has no molecule of at most 9 heavy atoms; give a larger atoms="):
        MoleculeGraphs().fit(find(tmp_path / "l.smi"))


def test_the_discriminator_does_not_see_the_order_of_atoms(fitted):
    modality, _ = fitted
    torch.manual_seed(0)
    D = Discriminator(9, len(modality.atoms) + 1, 4, (8, 8), 16)
    molecule = Chem.MolFromSmiles("CC(F)C(=O)N")
    codes = []
    for order in ([0, 1, 2, 3, 4, 5], [5, 3, 1, 0, 2, 4]):
        codes.append(modality._codes(Chem.RenumberAtoms(molecule, order)))
    assert not np.array_equal(*codes)
    one, other = D(modality.scale(torch.from_numpy(np.stack(codes))))
    assert one.item() == pytest.approx(other.item(), abs=1e-6)
    longer = modality._codes(Chem.MolFromSmiles("CC(F)C(=O)O"))
    assert abs(D(modality.scale(torch.from_numpy(longer[None]))).item() - one.item()) > 1e-4
