"""What is typed becomes the values that are searched."""

import pytest

from sparring.errors import InputError
from sparring.recipes.gan import Gan
from sparring.recipes.r3gan_strided import R3ganStrided
from sparring.tuning.space import Dimension, parse_space


class Trial:
    """Answers as Optuna does, with the lowest value."""

    def suggest_categorical(self, _, choices):
        return choices[0]

    def suggest_int(self, _, low, *__, **___):
        assert isinstance(low, int)
        return low

    def suggest_float(self, _, low, *__, **___):
        return low


def test_ranges_and_choices():
    typed = ["gamma=log:0.1..10", "width=16..64", "batch=32,64", "lr=0.001", "augment=none,ada"]
    searched, fixed = parse_space(typed, R3ganStrided())
    assert searched == (
        Dimension("gamma", low=0.1, high=10.0, log=True),
        Dimension("width", low=16.0, high=64.0, whole=True),
        Dimension("batch", choices=("32", "64")),
        Dimension("augment", choices=("none", "ada")),
    )
    assert fixed == ("lr=0.001",)
    assert [each.suggest(Trial()) for each in searched] == ["0.1", "16", "32", "none"]


def test_choices_of_lists_are_separated_by_bars():
    searched, fixed = parse_space(["G=64|128,128", "D=64,32", "z=4,8"], Gan())
    assert searched == (Dimension("G", choices=("64", "128,128")), Dimension("z", choices=("4", "8")))
    assert fixed == ("D=64,32",)


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        (["gama=1..2"], "has no field 'gama'"),
        (["width=64..16"], "width=64..16: 64 must be below 16"),
        (["gamma=log:0..1"], "magnitudes are of numbers above 0"),
        (["beta1=0.5..1.5"], "beta1=1.5 is out of range"),
        (["width=16,x"], "width=x is not a whole number"),
        (["width=16,,32"], "has an empty choice"),
        (["width=16"], "nothing is searched"),
        (["width"], "'width' is not FIELD=VALUES"),
        (["width=16,32", "width=64,128"], "width is given twice"),
    ],
)
def test_bad_input(typed, why):
    with pytest.raises(InputError, match=why.replace("[", r"\[")):
        parse_space(typed, R3ganStrided())
