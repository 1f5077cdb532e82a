"""Molecules for tests: benzene with two substituents."""

GROUPS = ["C", "CC", "CCC", "C(C)C", "O", "OC", "N", "N(C)C", "F", "Cl", "Br", "C#N", "C(=O)O", "C(=O)N", "S(C)(=O)=O"]


def benzenes():
    """120 different molecules as SMILES, not canonical."""
    pairs = [(a, b) for i, a in enumerate(GROUPS) for b in GROUPS[i:]]
    return [f"c1c({a})ccc({b})c1" for a, b in pairs]


def write_benzenes(path):
    path.write_text("\n".join(benzenes()) + "\n")
    return path
