"""What lies in a folder of images: read by content, counted, and named where it is passed over."""

import io
import tarfile
import zipfile

import numpy as np
import pytest
from PIL import Image

from sparring.errors import InputError
from sparring.modalities import Images, find
from sparring.modalities.images import image_files
from sparring.recipes import find as recipe

HEIC = b"\0\0\0\x18ftypheic" + bytes(200)
JXL = b"\xff\x0a" + bytes(50)
DICOM = bytes(128) + b"DICM" + bytes(50)


def content(shade=0, format="PNG", mode="RGB"):
    file = io.BytesIO()
    Image.effect_noise((16, 16), 20 + shade).convert(mode).save(file, format)
    return file.getvalue()


def unpacked(folder, files):
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


MIXED = {
    "a.png": content(), "b.JPG": content(1, "JPEG"),
    "scraped0": content(2), "scraped1": content(3, "JPEG"),
    "photo.0123": content(4, "WEBP"), "d41d8cd9.tmp": content(5, "TIFF"),
    "IMG_1.HEIC": HEIC, "IMG_2.heic": HEIC, "IMG_3.jxl": JXL, "scan.dcm": DICOM, "scan without suffix": DICOM,
    "brain.nii.gz": b"\x1f\x8b" + bytes(9), "raw.CR2": b"II*\0" + bytes(9), "drawing.svg": b"<svg/>",
    "film.mp4": bytes(9),
    "notes.txt": b"hello", "more/notes.txt": b"hello", "labels.csv": b"a,b\n",
    "README": b"read me", ".hidden": content(),
    "Thumbs.db": bytes(9),
}  # fmt: skip


def test_a_folder_as_it_came(tmp_path):
    items = find(unpacked(tmp_path / "mixed", MIXED))
    names = {"a.png", "b.JPG", "scraped0", "scraped1", "photo.0123", "d41d8cd9.tmp"}
    assert set(items.items.names) == names
    [note] = items.notes
    said = (
        "2 .heic of HEIF (pip install pillow-heif", "1 .jxl of JXL", "1 .dcm of DICOM (convert", "files of DICOM",
        "1 .nii.gz of volumes", "1 .cr2 of camera raw", "1 .svg", "1 .mp4 of video", "2 .txt", "1 .csv",
        "1 without a suffix", "1 .db",
    )  # fmt: skip
    assert [part for part in said if part not in note] == []
    assert "hidden" not in note
    assert "\n" not in note


@pytest.mark.parametrize("suffix", [".zip", ".tar", ".tgz"])
def test_archives_as_they_came(tmp_path, suffix):
    """Archives are read as folders are; folders and links in them are not counted."""
    folder, path = unpacked(tmp_path / "mixed", MIXED), tmp_path / f"set{suffix}"
    if suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            for file in sorted(folder.rglob("*")):
                archive.write(file, file.relative_to(folder))
    else:
        with tarfile.open(path, "w:gz" if suffix == ".tgz" else "w") as archive:
            archive.add(folder, "mixed")
    one, other = find(folder), find(path)
    assert {name.removeprefix("mixed/") for name in other.items.names} == set(one.items.names)
    assert other.notes[0].partition(": ")[2] == one.notes[0].partition(": ")[2]
    assert len(Images().fit(other).encode(other).readable) == 6


def test_only_images_that_cannot_be_read(tmp_path):
    """It is said what they are, instead of that the folder is unknown."""
    folder = unpacked(tmp_path / "phone", {f"{i}.heic": HEIC for i in range(9)})
    with pytest.raises(
        InputError, match=r"phone holds no images \(passed over in phone: 9 \.heic of HEIF \(pip install"
    ):
        find(folder)
    folder = unpacked(tmp_path / "scans", {f"IM{i:04}": DICOM for i in range(9)})
    with pytest.raises(InputError, match=r"9 files of DICOM \(convert them to \.tif or \.png of 16 bits\)"):
        find(folder)
    with pytest.raises(InputError, match="is not recognized as data"):
        find(unpacked(tmp_path / "words", {"a.txt": b"a", "b.txt": b"b", "c.svg": b"<svg/>"}))


def test_libraries_add_formats(tmp_path, monkeypatch):
    """With pillow-heif, or any other opener of Pillow for the format, these files are images."""
    monkeypatch.setitem(Image.OPEN, "HEIF", Image.OPEN["PNG"])
    found = image_files.found_in(unpacked(tmp_path / "phone", {f"{i}.heic": HEIC for i in range(3)}))
    assert (len(found.files), found.passed) == (3, ())


def test_data_of_other_kinds_are_not_images(tmp_path):
    """A folder with a table and a drawing is a table."""
    rows = "a,b\n" + "".join(f"{i},{i % 7}\n" for i in range(50))
    folder = unpacked(tmp_path / "set", {"rows.csv": rows.encode(), "plot.svg": b"<svg/>", "Makefile": b"all:\n"})
    assert find(folder).kind == "rows"


def transparent(folder, share, n=20):
    folder.mkdir()
    for i in range(n):
        image = Image.effect_noise((16, 16), 20 + i).convert("RGBA")
        image.putpixel((3, 3), (200, 0, 0, 0 if i < share * n else 255))
        image.save(folder / f"{i:02}.png")
    return folder


@pytest.mark.parametrize(
    ("share", "fields", "channels", "said"),
    [
        (0.05, {}, 3, "1 of 20 images is transparent and placed on white (alpha=true"),
        (0.45, {}, 3, "9 of 20 images are transparent and placed on white"),
        (0.5, {}, 4, "10 of 20 images are transparent: alpha is learned as a fourth channel (alpha=false"),
        (1, {}, 4, "20 of 20 images are transparent: alpha is learned"),
        (1, {"alpha": False}, 1, "placed on white"),
        (0.05, {"alpha": True}, 4, "alpha is learned"),
        (0, {}, 3, ""),
    ],
)
def test_transparency_is_learned_if_it_is_usual(tmp_path, share, fields, channels, said):
    items = find(transparent(tmp_path / "set", share))
    modality = Images(**fields).fit(items)
    encoded = modality.encode(items)
    assert modality.shape[0] == channels
    assert encoded.values.load().shape[1] == channels
    assert (said in "; ".join(encoded.notes)) if said else not encoded.notes


def test_animations_are_named(tmp_path):
    frames = [Image.effect_noise((16, 16), 20 + i) for i in range(4)]
    for i in range(3):
        frames[i].save(tmp_path / f"{i}.gif", save_all=True, append_images=[frames[i + 1]])
    assert find(tmp_path).kind == "video"
    items = find(tmp_path, [Images])
    notes = Images().fit(items).encode(items).notes
    assert notes[0] == "3 of 3 images have several frames or pages: only the first is used"


def test_the_fields_of_a_recipe(tmp_path):
    chosen = recipe("dcgan").set({"levels": (0, 4095), "alpha": False})
    assert (chosen.levels, chosen.alpha) == ((0.0, 4095.0), False)
    values = (np.linspace(0, 1, 256).reshape(16, 16) * 4095).astype(np.uint16)
    for i in range(3):
        Image.fromarray(np.rot90(values, i).copy()).save(tmp_path / f"{i}.png")
    [modality] = recipe("dcgan").takes
    assert modality.fit(find(tmp_path)).levels == (0, 4095)


@pytest.mark.parametrize(("device", "width"), [("cpu", None), ("cuda", 64)])
def test_the_default_recipe_for_images(tmp_path, device, width):
    """Strided convolutions on any device; wider where that costs little."""
    images = np.random.default_rng(0).integers(0, 255, (4, 32, 32, 3), np.uint8)
    np.save(tmp_path / "images.npy", images)
    recommended = Images.recommend(find(str(tmp_path / "images.npy")), device, None)
    assert (recommended.recipe, recommended.fields.get("width")) == ("r3gan_strided", width)


@pytest.mark.parametrize(
    ("count", "colors", "device", "seconds", "recipe"),
    [
        (1000, 256, "cpu", 600.0, "fastgan"),
        (1000, 256, "cpu", None, "fastgan"),
        (999, 256, "cpu", 600.0, "r3gan_strided"),  # few images, which it would copy
        (1000, 16, "cpu", 600.0, "r3gan_strided"),  # drawn in a few colors
        (1000, 256, "cpu", 7200.0, "r3gan_strided"),
        (1000, 256, "cuda", 600.0, "r3gan_strided"),
    ],
)
def test_the_default_recipe_for_photographs(tmp_path, count, colors, device, seconds, recipe):
    images = np.random.default_rng(0).integers(0, colors, (count, 64, 64, 3), np.uint8)
    np.save(tmp_path / "images.npy", images)
    assert Images.recommend(find(str(tmp_path / "images.npy")), device, seconds).recipe == recipe
