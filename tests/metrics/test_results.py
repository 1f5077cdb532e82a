"""Metrics as they are printed and stored."""

import re
from math import nan

import pytest

from sparring.errors import InputError
from sparring.files import write_json
from sparring.metrics.results import RENAMED, Evaluation, Number, current_name, read_numbers


@pytest.mark.parametrize(
    ("value", "error", "share", "printed"),
    [
        (0.01234, nan, False, "0.0123"),
        (-2.345, 0.0412, False, "-2.35 ± 0.041"),
        (0.0000071, 0.00008, False, "7e-06 ± 8e-05"),
        (1234.5, nan, False, "1,234"),
        (10.0, nan, False, "10"),
        (0.0, nan, False, "0"),
        (0.957, nan, True, "95.7%"),
        (nan, nan, True, "-"),
    ],
)
def test_values_are_printed_with_three_significant_digits(value, error, share, printed):
    """And errors with two."""
    assert str(Number("fid", value, "low", error, share)) == printed


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("told apart[auc]", "c2st_auc"),
        ("told apart", "discriminative_score"),
        ("learnt from[income auc]", "tstr[income auc]"),
        ("class diversity[patches]", "class_diversity[patches]"),
        ("as asked[classifier]", "conditional_accuracy[classifier]"),
        ("earth mover[20]", "wasserstein[20]"),
        ("below VaR 5%", "var_coverage[5%]"),
        ("error in holes", "mae[holes]"),
        ("near copies", "near_copy_share"),
        ("fid[patches]", "fid[patches]"),
        ("psnr[Y]", "psnr[Y]"),
    ],
)
def test_names_in_older_files_are_translated(old, new):
    assert current_name(old) == new
    assert current_name(new) == new


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("[]", "its content is [], not an object"),
        ("{}", "numbers is missing"),
        ('{"numbers": [1]}', r"numbers is [1], not an object"),
        ('{"numbers": {"fid": 3}}', "numbers.fid is 3, not an object"),
        ('{"numbers": {"fid": {"value": "x", "best": "low"}}}', 'numbers.fid.value is "x", not a number or null'),
        ('{"numbers": {"fid": {"value": 1, "best": "most"}}}', "numbers.fid.best is"),
        ('{"numbers": {"fid": {"value": 1, "real": [], "best": "low"}}}', "numbers.fid.real is []"),
    ],
)
def test_a_damaged_evaluation_is_refused(tmp_path, content, why):
    (tmp_path / "evaluation.json").write_text(content)
    with pytest.raises(InputError, match=re.escape(why)):
        read_numbers(tmp_path / "evaluation.json")


def test_current_names_are_stable():
    assert not set(RENAMED) & set(RENAMED.values())


def test_a_stored_evaluation_is_read_with_current_names(tmp_path):
    number = Number("memorised", 0.5, "real")
    old = Evaluation("digits", "", 1, 1, (number,), (number,), {"as given": [number]}, ())
    write_json(tmp_path / "evaluation.json", old.content())
    stored = read_numbers(tmp_path / "evaluation.json")
    assert stored == {"memorization": {"value": 0.5, "error": None, "real": 0.5, "identity": 0.5, "best": "real"}}
