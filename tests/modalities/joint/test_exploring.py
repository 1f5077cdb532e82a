"""Items of several parts are explored by walks through all parts at once."""

from PIL import Image

from sparring.explore import explore


def test_all_parts_are_explored_at_once(run, tmp_path):
    wanted = ("interpolation", "neighbors")
    explore(run, out=tmp_path / "sheets", only=wanted)
    assert {path.stem for path in (tmp_path / "sheets").glob("*.png")} == set(wanted)
    assert Image.open(tmp_path / "sheets" / "interpolation.png").width > 6 * 100
