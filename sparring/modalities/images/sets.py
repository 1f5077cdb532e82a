"""Sets of images that are found by name."""

from __future__ import annotations

import hashlib
import urllib.request
from pathlib import Path

import numpy as np

from sparring.data.items import Items
from sparring.errors import InputError
from sparring.files import places, write_bytes
from sparring.modalities.images import arrays

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
GARMENTS = (
    "t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle-boot",
)  # fmt: skip
DIGITS = tuple("0123456789")


def digits() -> Items:
    """1,797 real handwritten digits of 8 x 8 pixels, part of scikit-learn. Alpaydin and Kaynak 1998, UCI Optical
    Recognition of Handwritten Digits.
    """
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    images = np.round(images.reshape(-1, 8, 8) * (255 / 16)).astype(np.uint8)
    return Items("digits", "images", images, labels.astype(np.int64), DIGITS)


def mnist() -> Items:
    """60,000 handwritten digits of 28 x 28 pixels, and 10,000 held-out ones. LeCun et al. 1998."""
    return _idx("mnist", MNIST, DIGITS)


def fashion_mnist() -> Items:
    """60,000 images of garments of 28 x 28 pixels, and 10,000 held-out ones. Xiao et al. 2017, arXiv:1708.07747."""
    return _idx("fashion-mnist", FASHION, GARMENTS)


def stacked_mnist(n: int = 128_000) -> Items:
    """n images of 28 x 28 pixels with a random digit of MNIST in each of their three color channels: a thousand modes.
    Metz et al. 2016, arXiv:1611.02163; the default number is that of Lin et al. 2017, arXiv:1712.04086.
    """
    digits = mnist()
    assert isinstance(digits.items, np.ndarray)
    assert digits.held is not None
    train = np.flatnonzero(~digits.held)
    chosen = train[np.random.default_rng(0).integers(len(train), size=(n, 3))]
    return Items("stacked-mnist", "images", np.stack([digits.items[rows] for rows in chosen.T], -1))


SETS = {"digits": digits, "mnist": mnist, "fashion-mnist": fashion_mnist, "stacked-mnist": stacked_mnist}


def _idx(name: str, url: str, classes: tuple[str, ...]) -> Items:
    return arrays.idx(name, _local(name, url), classes)


def _local(name: str, url: str) -> Path:
    """The file of a named set's images; all its files are downloaded into the user's cache if they are not on this
    machine.
    """
    for place in places(name):
        if all((place / file).exists() for file in IDX):
            return place / IDX[0]
    cache = places(name)[-1]
    for file in (*IDX_HELD, *IDX):
        if not (cache / file).exists():
            _download(name, url + file, cache / file)
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
        raise InputError(f"{url} has changed or was damaged during the download; put the right file at {path}")
    write_bytes(path, content)
