"""Large images need little memory."""

import io
import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from PIL import Image

from sparring.modalities.images import decoding
from sparring.modalities.images.decoding import examine, loaded, squared

SIDE = 9459  # nearly the largest image that is read

PEAK = """
import resource, sys
from sparring.modalities import Images, find
def used():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
before = used()
items = find(sys.argv[1])
modality = Images().fit(items)
print(modality.encode(items).values.load().shape, used() - before)
"""


def peak(folder, cache):
    """MiB that reading a folder of images needs."""
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache)}
    done = subprocess.run(
        [sys.executable, "-c", PEAK, str(folder)], capture_output=True, text=True, env=environment, check=True
    )
    return float(done.stdout.split()[-1])


def large(mode, folder, format, n):
    folder.mkdir()
    for i in range(n):
        image = Image.new(mode, (SIDE, SIDE))
        image.paste((200 - i, 10, 10, 255)[: len(mode)] if len(mode) > 1 else 200, (0, 0, SIDE // 2, SIDE // 3))
        image.save(folder / f"{i}.{format}")
    return folder


def test_large_photos_are_decoded_at_a_smaller_size(tmp_path):
    """One of 89 megapixels under four names, beside a small one, because a set of equal images is refused."""
    folder = large("L", tmp_path / "set", "jpg", 1)
    for i in range(1, 4):
        (folder / f"{i}.jpg").symlink_to(folder / "0.jpg")
    Image.new("L", (99, 99), 7).save(folder / "small.png")
    assert peak(folder, tmp_path / "cache") < 200


@pytest.mark.slow
@pytest.mark.parametrize(("mode", "format"), [("RGB", "png"), ("RGBA", "png"), ("RGB", "tif")])
def test_large_images_are_decoded_one_by_one(tmp_path, mode, format):
    assert peak(large(mode, tmp_path / "set", format, 8), tmp_path / "cache") < 1500


def test_threads_wait_for_memory():
    """Images that are together too large are not decoded at the same time, and one that is too large alone is."""
    room, inside, most, lock = decoding._Room(100), 0, 0, threading.Lock()

    def work(pixels):
        nonlocal inside, most
        with room.taken(pixels):
            with lock:
                inside += min(pixels, 100)
                most = max(most, inside)
            time.sleep(0.005)
            with lock:
                inside -= min(pixels, 100)

    threads = [threading.Thread(target=work, args=(pixels,)) for pixels in (40, 40, 60, 1000, 30, 70, 100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert inside == 0
    assert 40 < most <= 100


@pytest.mark.parametrize("format", ["PNG", "JPEG", "TIFF"])
def test_a_large_image_has_the_same_square(monkeypatch, format):
    """Making it smaller in two steps changes it by little, and not its properties; it is turned as its camera was."""
    x = np.linspace(0, 255, 480)
    pixels = np.stack([np.add.outer(x / 2, x[:300] / 2), np.add.outer(x / 3, x[:300] / 3), np.zeros((480, 300))], -1)
    file = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(pixels.astype(np.uint8)).save(file, format, exif=exif)
    whole, header = squared(loaded(file.getvalue(), side=32), 32, 3), examine(file.getvalue())
    assert (header.width, header.height) == (480, 300)
    monkeypatch.setattr(decoding, "LARGE", 1000)
    smaller = loaded(file.getvalue(), side=32)
    assert max(smaller.size) < 300
    assert np.abs(squared(smaller, 32, 3) - whole.astype(float)).max() <= 2
    again = examine(file.getvalue())
    assert (again.width, again.height, again.channels) == (480, 300, 3)
