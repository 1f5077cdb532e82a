"""Which images are given, which are targets, and which form pairs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparring.data.domains import domains
from sparring.errors import InputError


def folders(*names):
    return domains(list(names))


def test_folders_whose_names_say_which_is_given():
    found = folders("set/target/1.png", "set/target/2.png", "set/input/1.jpg", "set/input/2.png")
    assert found.names == ("input", "target")
    assert found.known
    assert found.pairs() == [(2, 0), (3, 1)]
    assert found.held is None


def test_train_and_test_folders():
    names = [f"{part}/{kind}/{i}.png" for part in ("train", "test") for kind in ("image", "label") for i in range(3)]
    found = domains(names)
    assert found.names == ("image", "label")
    assert found.held.tolist() == [False] * 6 + [True] * 6
    assert found.pairs() == [(0, 3), (1, 4), (2, 5), (6, 9), (7, 10), (8, 11)]  # none across train and test


def test_folders_of_cyclegan():
    found = folders(
        "x/trainA/1.jpg", "x/trainA/2.jpg", "x/trainB/7.jpg", "x/trainB/8.jpg", "x/testA/1.jpg", "x/testB/9.jpg"
    )
    assert found.names == ("A", "B")
    assert (found.first, found.second) == ((0, 1, 4), (2, 3, 5))
    assert found.held.tolist() == [False] * 4 + [True] * 2
    assert not found.matched
    assert found.joined
    assert not folders("A/1.png", "A/2.png", "B/1.png", "B/2.png").joined


def test_train_and_test_within_the_domains():
    found = folders("A/train/1.png", "A/test/1.png", "B/train/1.png", "B/test/1.png")
    assert found.pairs() == [(0, 2), (1, 3)]
    assert found.held.tolist() == [False, True, False, True]


@pytest.mark.parametrize(
    "names", [("1.png", "2.png"), ("a/1.png", "b/1.png", "c/1.png"), ("a/1.png", "a/2.png"), ("a/1.png", "2.png")]
)
def test_folders_that_are_not_two_domains(names):
    assert domains(names) is None


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("a/1.png", "a/2.png", "b/1.png"), "1 image in a/ without a partner of the same name in b/: 2;"),
        (("a/1.png", "b/1.png", "b/2.png", "b/3.png"), "2 images in b/ without a partner .* in a/: 2, 3;"),
        ([f"a/{i}.png" for i in range(9)] + ["b/0.png"], "8 images in a/ .*: 1, 2, 3, ...;"),
    ],
)
def test_images_without_partners_are_named(names, said):
    with pytest.raises(InputError, match=said):
        domains(names).pairs()


def test_a_domain_with_nothing_to_train_on():
    with pytest.raises(InputError, match="B/ has 0 images to train on"):
        folders("trainA/1.png", "trainA/2.png", "testB/1.png").check()
    with pytest.raises(InputError, match="A/ has 1 image to train on"):
        folders("trainA/1.png", "trainB/2.png", "trainB/1.png").check()


@given(st.sets(st.text("abc123", min_size=1, max_size=4), min_size=1, max_size=9))
def test_equal_names_are_pairs_in_any_order(stems):
    names = [f"B/{stem}.png" for stem in sorted(stems, reverse=True)] + [f"A/{stem}.jpg" for stem in sorted(stems)]
    found = domains(names)
    assert found.matched
    assert all(found.keys[i] == found.keys[j] for i, j in found.pairs())
    assert {i for i, _ in found.pairs()} == set(found.first)
