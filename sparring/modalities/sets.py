"""Data sets by name or by path."""

from __future__ import annotations

import hashlib
import os
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from sparring.data.items import Items
from sparring.data.sources import FileSource, JoinedSource
from sparring.errors import InputError, nearest
from sparring.files import places, write_bytes
from sparring.modalities import reading as files
from sparring.modalities.images import arrays
from sparring.modalities.points import mixtures
from sparring.modalities.series import reading as series
from sparring.modalities.tables import reading as tables

MNIST = "https://ossci-datasets.s3.amazonaws.com/mnist/"
FASHION = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"
IDX = ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz")
IDX_HELD = ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz")
CHECKSUMS = {  # sha256 of the files as their authors published them
    MNIST + IDX[0]: "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    MNIST + IDX[1]: "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    MNIST + IDX_HELD[0]: "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    MNIST + IDX_HELD[1]: "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    FASHION + IDX[0]: "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
    FASHION + IDX[1]: "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
    FASHION + IDX_HELD[0]: "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
    FASHION + IDX_HELD[1]: "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
}
FILES = {  # sets whose folder under SPARRING_DATA holds more than one thing: which of them is meant
    "cifar10": (("cifar-10-batches-py",), ("cifar-10-python.tar.gz",), ("cifar10_jpeg.tar.xz",)),
    "grocery": (("grocery_64.zip",),),
    "omniglot": (("images_background_small1.zip", "images_background_small2.zip"), ("images_background.zip",)),
}
OURS = {"decoded", "judges", "uploads", "weights"}  # in the cache beside sets
GARMENTS = (
    "t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle-boot",
)  # fmt: skip


def digits() -> Items:
    """1,797 real handwritten digits of 8 x 8 pixels, part of scikit-learn. Alpaydin and Kaynak
    1998, UCI Optical Recognition of Handwritten Digits.
    """
    from sklearn.datasets import load_digits

    pictures, labels = load_digits(return_X_y=True)
    pictures = np.round(pictures.reshape(-1, 8, 8) * (255 / 16)).astype(np.uint8)
    return Items("digits", "images", pictures, labels.astype(np.int64), tuple("0123456789"))


def ring() -> Items:
    """100,000 points of eight Gaussians on a circle."""
    return Items("ring", "points", mixtures.RING.draw(), columns=("x", "y"))


def grid() -> Items:
    """100,000 points of 25 Gaussians on a grid."""
    return Items("grid", "points", mixtures.GRID.draw(), columns=("x", "y"))


def mnist() -> Items:
    """60,000 handwritten digits of 28 x 28 pixels. LeCun et al. 1998."""
    return _idx("mnist", MNIST, tuple("0123456789"))


def stacked_mnist(n: int = 128_000) -> Items:
    """FileSource of 28 x 28 pixels with a digit of MNIST in each of their three colours, drawn at random: a
    thousand modes. Metz et al. 2016, arXiv:1611.02163; so many as in Lin et al. 2017, arXiv:1712.04086.
    """
    digits = mnist()
    assert isinstance(digits.items, np.ndarray)
    assert digits.held is not None
    trained = np.flatnonzero(~digits.held)
    chosen = trained[np.random.default_rng(0).integers(len(trained), size=(n, 3))]
    return Items("stacked-mnist", "images", np.stack([digits.items[rows] for rows in chosen.T], -1))


def fashion_mnist() -> Items:
    """60,000 pictures of garments of 28 x 28 pixels. Xiao et al. 2017, arXiv:1708.07747."""
    return _idx("fashion-mnist", FASHION, GARMENTS)


NAMED: dict[str, Callable[[], Items]] = {
    "digits": digits,
    "ring": ring,
    "grid": grid,
    "mnist": mnist,
    "fashion-mnist": fashion_mnist,
    "stacked-mnist": stacked_mnist,
}


def find(data: Any) -> Items:
    """The data set of a name, or in a folder or a file.

    A name is one of the built-in sets, or a folder or file where named sets are looked for. After a slash there may be
    the name of one of its classes: `fashion-mnist/dress`, `photos.zip/cats`.

    Raises:
        InputError: where there is none, or what is there cannot be used.
    """
    if (name := str(data)) in NAMED:
        return NAMED[name]()
    if not isinstance(data, str | os.PathLike):
        return series.in_time(tables.of_frame(data))
    path = Path(data)
    if path.exists():
        return files.read(path)
    kept = next((place for place in places(name) if place.exists()), None)
    if kept is not None:
        return _kept(name, kept)
    whole, _, one = name.rpartition("/")
    if whole and (whole in NAMED or any(place.exists() for place in (Path(whole), *places(whole)))):
        return find(whole).of(one)
    raise InputError(f"there is no data set or path {name!r}; {nearest(name, named())}")


def _kept(name: str, place: Path) -> Items:
    """A named set's files where they lie."""
    for wanted in FILES.get(name, ()):
        if all((place / file).exists() for file in wanted):
            found = [files.read(place / file) for file in wanted]
            return replace(_together(name, found), name=name) if len(found) > 1 else replace(found[0], name=name)
    return replace(files.read(place), name=Path(name).name.split(".")[0])


def _together(name: str, parts: list[Items]) -> Items:
    """Archives of one set as one: of files that several hold, the first is taken."""
    return files.of_files(JoinedSource.of([part.items for part in parts if isinstance(part.items, FileSource)]), name)


def named() -> set[str]:
    """The names of sets: built in ones, and folders where named sets are looked for."""
    beside = (p.name for place in places("") if place.is_dir() for p in place.iterdir() if p.is_dir())
    return {*NAMED, *beside} - OURS


def _idx(name: str, base: str, classes: tuple[str, ...]) -> Items:
    return arrays.idx(name, _fetched(name, base), classes)


def _fetched(name: str, base: str) -> Path:
    """The pictures' file of a named set, all downloaded into the user's cache where they are nowhere yet."""
    for place in places(name):
        if all((place / file).exists() for file in IDX):
            return place / IDX[0]
    cache = places(name)[-1]
    for file in (*IDX_HELD, *IDX):
        if not (cache / file).exists():
            _download(name, base + file, cache / file)
    return cache / IDX[0]


def _download(name: str, url: str, path: Path) -> None:
    try:
        with urllib.request.urlopen(url, timeout=20) as response:
            content: bytes = response.read()
    except OSError as error:
        cause = getattr(error, "reason", error)
        raise InputError(
            f"{name} is not on this machine and cannot be downloaded ({cause}); put {path.name} into "
            f"{path.parent}, or set SPARRING_DATA to a folder that holds {name}/{path.name}"
        ) from error
    if hashlib.sha256(content).hexdigest() != CHECKSUMS[url]:
        raise InputError(f"{url} has changed or was damaged on the way; put the right file at {path}")
    write_bytes(path, content)
