"""Molecules over HTTP, as SMILES and as SD files."""

import pytest
from benzenes import write_benzenes
from rdkit import Chem
from serving import served

import sparring
from sparring.deploy.serve.limits import Limits


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    folder = tmp_path_factory.mktemp("molecules")
    fields = {"width": 48, "embedding": 16, "batch": 64, "candidates": 4, "conditions": "MW", "lr": 1e-2, "D": 8}
    settings = {"out": folder / "run", "steps": 60, "quiet": True, "device": "cpu"}
    model = sparring.train("molecules", write_benzenes(folder / "b.smi"), **settings, **fields)
    with served({"drugs": model}, Limits(seconds=60)) as client:
        yield client


def test_molecules_are_sent_as_sd_files_and_json(client):
    requested = {"n": 2, "seed": 3, "where": ["MW<170"]}
    answer = client.post("/models/drugs/samples", json=requested, headers={"Accept": "chemical/x-mdl-sdfile"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "chemical/x-mdl-sdfile")
    supplier = Chem.SDMolSupplier()
    supplier.SetData(answer.text)
    smiles = [Chem.MolToSmiles(molecule) for molecule in supplier]
    assert len(smiles) == 2
    assert all(Chem.Descriptors.MolWt(molecule) < 170 for molecule in supplier)
    listed = client.post("/models/drugs/samples", json=requested, headers={"Accept": "application/json"}).json()
    assert [Chem.CanonSmiles(text) for text in listed["smiles"]] == smiles
    refused = client.post("/models/drugs/samples", json={"where": ["MW>9999"]})
    assert refused.status_code == 422
    assert "the nearest is" in refused.text
    described = client.get("/models/drugs/conditions").json()
    assert described["descriptors"][0]["name"] == "MW"
