"""Curves of a run's log."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

PANELS = (
    ("losses", "/"),
    ("D's logits", ("D_real", "D_held", "D_fake")),
    ("D's accuracy, diversity, augmentation", ("D_accuracy", "diversity", "ada_p")),
    ("gradient norm / weight norm", "gradient_"),
    ("quality", "fid["),
)
COLORS = ("#1f4fbf", "#c2410c", "#15803d", "#7e22ce", "#0e7490", "#a16207")


def curves(lines: Sequence[Mapping[str, float]], floor: float | None = None) -> bytes:
    """A PNG of losses, logits, accuracy, gradients and quality over thousands of samples.

    Args:
        lines: of the run's log.
        floor: the score of real items, if known.
    """
    from matplotlib.figure import Figure

    panels = [(title, _matching(lines, names)) for title, names in PANELS]
    panels = [(title, names) for title, names in panels if names]
    figure = Figure(figsize=(8, 1.9 * max(1, len(panels))), dpi=80, layout="constrained")
    axes = figure.subplots(max(1, len(panels)), 1, sharex=True, squeeze=False)[:, 0]
    for axis, (title, names) in zip(axes, panels, strict=False):
        for name, color in zip(names, COLORS, strict=False):
            points = [(line["kimg"], line[name]) for line in lines if name in line]
            marker = "o" if len(points) < 40 else None
            axis.plot(*zip(*points, strict=True), color=color, label=name, linewidth=1.2, marker=marker, markersize=2.5)
        if title == "quality":
            axis.set_yscale("log")
            if floor:
                axis.axhline(floor, color="#6b7280", linestyle=":", label="real data")
        if title.startswith("gradient"):
            axis.set_yscale("log")
        axis.set_title(title, fontsize=9, loc="left")
        axis.legend(fontsize=7, ncols=3, frameon=False)
        axis.grid(alpha=0.25)
        axis.tick_params(labelsize=7)
    axes[-1].set_xlabel("thousands of samples", fontsize=8)
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()


def _matching(lines: Sequence[Mapping[str, float]], wanted: str | tuple[str, ...]) -> list[str]:
    """Names of the log that a panel shows."""
    known = list(dict.fromkeys(name for line in lines for name in line))
    if isinstance(wanted, tuple):
        return [name for name in wanted if name in known]
    return [name for name in known if wanted in name]
