"""What the site has, in the order in which readers need it. A title is given where that of the page is too long."""

from __future__ import annotations

Entry = str | tuple[str, "str | list[Entry]"]

TUTORIALS: list[Entry] = [
    ("Overview", "overview.md"),
    ("Installing", "installing.md"),
    ("A tour", "tour.md"),
    ("Coming from other tools", "coming-from.md"),
    "your-own.md",
    "your-own-kind.md",
]
HOW_TO: list[Entry] = [
    ("Bring your data", [
        ("Images", "data.md"), ("Images with a table", "pictures-with-a-table.md"), "tables.md", "series.md",
        ("Sounds", "audio.md"), "music.md", "video.md", "text.md", "molecules.md", "designing-molecules.md",
        "joint.md",
    ]),
    ("Transform files", [
        ("Restore images", "restoring.md"), ("Translate images", "translating.md"),
        ("Restore sounds", "restoring-sounds.md"), ("Apply a model to files", "applying.md"),
        ("Perceptual distance", "perceptual.md"),
    ]),
    ("Train", [
        ("Search for values", "tuning.md"), ("Monitor", "watching.md"), ("Use a GPU", "gpu.md"),
        ("Large data, many processes", "scale.md"),
    ]),
    ("Judge", [
        ("Evaluate and compare", "judging.md"), ("Explore a model", "exploring.md"), "privacy.md",
        ("Augment a data set", "augmenting.md"),
    ]),
    ("Deploy", [
        ("Use the studio", "studio.md"), ("Export", "exporting.md"), ("Serve", "serving.md"), ("Share", "sharing.md"),
        "provenance.md", "security.md",
    ]),
]  # fmt: skip
MEASURED: list[Entry] = [
    ("Images", "pictures.md"), ("Images in the same time", "quality.md"), ("Video", "predicting.md"),
    ("Restored films", "flicker.md"), ("Large data", "disk.md"), ("A training step", "step.md"),
    ("MNIST", "bench/mnist.md"), ("MNIST, ten minutes", "bench/mnist-10m.md"),
    ("InfoGAN's codes", "bench/mnist-codes.md"), ("Fashion-MNIST", "bench/fashion-mnist.md"),
    ("Fashion-MNIST, six minutes", "bench/fashion-mnist-6m.md"), ("A hundred images", "bench/grocery.md"),
    ("A thousand modes", "bench/stacked-mnist.md"), ("The ring", "bench/ring.md"),
    ("The ring, every recipe", "bench/ring-1m.md"), ("The grid", "bench/grid.md"),
    ("The grid, every recipe", "bench/grid-1m.md"),
]  # fmt: skip
EXPLANATION: list[Entry] = [
    ("The book", [
        ("Contents", "book/index.md"), "book/1-the-game.md", "book/2-a-first-gan.md", "book/3-losses.md",
        ("4. What goes wrong", "book/4-what-goes-wrong.md"),
        ("5. What GANs are good for", "book/5-what-it-is-good-for.md"),
    ]),
    "loop.md",
    ("Health of a training", "health.md"),
    ("The structure of the code", "contributing.md"),
    ("Reporting a vulnerability", "security-policy.md"),
]  # fmt: skip
CHINESE: list[Entry] = [
    ("首页", "index.md"),
    ("本书", [
        ("目录", "book/index.md"), "book/1-the-game.md", "book/2-a-first-gan.md", "book/3-losses.md",
        "book/4-what-goes-wrong.md", "book/5-what-it-is-good-for.md",
    ]),
    ("配方一览", "recipes.md"),
]  # fmt: skip


def english(notebooks: list[str], commands: list[str], recipes: list[str], api: list[str]) -> list[Entry]:
    """The navigation of the English part.

    Args:
        notebooks, commands, recipes, api: the pages that are made of what the repository has.
    """
    return [
        ("Gallery", "index.md"),
        ("Tutorials", [*TUTORIALS, ("Notebooks", [*notebooks])]),
        ("How-to", HOW_TO),
        ("Reference", [
            ("Commands", [*commands]), ("Recipes", [*recipes]), ("Python", [*api]), ("Files of a run", "files.md"),
            ("Measured", MEASURED), ("Changelog", "changelog.md"),
        ]),
        ("Explanation", EXPLANATION),
    ]  # fmt: skip


def pages(entries: list[Entry]) -> list[str]:
    """All pages of a navigation."""
    found: list[str] = []
    for entry in entries:
        target = entry if isinstance(entry, str) else entry[1]
        found += [target] if isinstance(target, str) else pages(target)
    return found


def toml(entries: list[Entry]) -> str:
    """A navigation as the generator's configuration has it."""
    shown = []
    for entry in entries:
        title, target = ("", entry) if isinstance(entry, str) else entry
        value = f'"{target}"' if isinstance(target, str) else toml(target)
        shown.append(f'{{ "{title}" = {value} }}' if title else value)
    return f"[{', '.join(shown)}]"
