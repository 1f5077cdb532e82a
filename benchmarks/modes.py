"""The ring of 8 and the grid of 25 Gaussians, learnt by `sparring train ring` and `grid`.

    python benchmarks/modes.py [--runs runs] [--page docs/modes.md]

Trains both with the default recipe (or goes on with the runs that are there), draws 2,500 samples of
each and prints PacGAN's numbers; with --page writes them to a page, with a picture of the samples.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import numpy as np

import sparring
from sparring.metrics.modes import modes

AXIS = np.array([-4.0, -2.0, 0.0, 2.0, 4.0])
ANGLES = 2 * math.pi * np.arange(8) / 8
MIXTURES = {
    "ring": (np.stack([np.cos(ANGLES), np.sin(ANGLES)], 1), 0.01),
    "grid": (np.stack(np.meshgrid(AXIS, AXIS), -1).reshape(-1, 2), 0.05),
}
SAMPLES = 2500


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="where the runs are or will be")
    parser.add_argument("--page", type=Path, help="write a page to this Markdown file, with pictures beside it")
    given = parser.parse_args()
    rows = [
        "| data | modes | within 3 sd | KL from uniform | spread | steps | time |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, (centres, sd) in MIXTURES.items():
        model = sparring.train(None, name, out=given.runs / f"r3gan_mlp-{name}", resume=True)
        samples = model.sample(SAMPLES, seed=0)
        found = modes(samples.items.astype(float), centres, sd)
        rows.append(
            f"| {name} | {found.hit} of {found.total} | {found.quality:.1%} | {found.kl:.3f} | {found.spread:.2f} "
            f"| {model.about['step']:,} | {model.about['seconds']:.0f} s |"
        )
        if given.page:
            samples.save(given.page.with_name(f"{name}.png"), force=True)
    print("\n".join(rows))
    if given.page:
        pictures = " ".join(f"![{name}]({name}.png)" for name in MIXTURES)
        protocol = (
            f"{SAMPLES:,} samples of `sparring train ring` and `sparring train grid`, seed 0; the mixtures and "
            "the numbers of PacGAN (arXiv:1712.04086). A perfect sampler has 98.9% within three standard deviations, "
            "a divergence of 0 and a spread "
            "of 1.\n\n`python benchmarks/modes.py --page docs/modes.md` writes this page."
        )
        given.page.write_text(f"# Every mode\n\n{protocol}\n\n" + "\n".join(rows) + f"\n\n{pictures}\n")


if __name__ == "__main__":
    main()
