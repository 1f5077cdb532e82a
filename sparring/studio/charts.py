"""Small charts as SVG, which take the page's own colours, light or dark, and its width."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, TypeGuard

from sparring.runs.curves import PANELS
from sparring.studio.run_index import Line

POINTS = 300  # of a curve, at most
WIDE, HIGH = 320, 120  # of a chart, in units of its own
MARGIN = 6
LOGARITHMIC = ("quality", "gradients by weights")

Curve = Sequence[tuple[float, float]]


def panels(log: Sequence[Line]) -> str:
    """All that a log holds, a chart for each kind of number."""
    known = list(dict.fromkeys(name for line in log for name in line))
    charts = []
    for title, wanted in PANELS:
        names = [n for n in known if (n in wanted if isinstance(wanted, tuple) else wanted in n)]
        curves = {name: curve(log, name) for name in names}
        if curves:
            charts.append(chart(title, curves, title in LOGARITHMIC))
    return f'<div class="charts">{"".join(charts)}</div>' if charts else '<p class="quiet">Nothing is logged yet.</p>'


def curve(log: Sequence[Line], name: str) -> list[tuple[float, float]]:
    """(thousands of samples, value) of a log's lines that have a value, thinned evenly; the last is among them."""
    known = [(line.get("kimg"), line.get(name)) for line in log]
    points = [(x, y) for x, y in known if _finite(x) and _finite(y)]
    each = max(1, math.ceil(len(points) / POINTS))
    return points[::-each][::-1]


def _finite(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and math.isfinite(value)


def chart(title: str, curves: Mapping[str, Curve], logarithmic: bool = False) -> str:
    """A figure of curves with a legend; its numbers are its lowest and its highest."""
    lines = {name: [(x, _up(y, logarithmic)) for x, y in points] for name, points in curves.items() if points}
    values = [y for points in curves.values() for _, y in points]
    label = f"{title}: " + ", ".join(f"{name} {points[-1][1]:.3g}" for name, points in curves.items() if points)
    legend = "".join(
        f'<span class="key c{i}">{escape(name)} <b>{points[-1][1]:.3g}</b></span>'
        for i, (name, points) in enumerate(curves.items()) if points
    )  # fmt: skip
    scale = f'<span class="quiet">{min(values):.3g} to {max(values):.3g}</span>' if values else ""
    body = _drawn(list(lines.values()), label)
    return f'<figure><figcaption>{escape(title)} {scale}</figcaption>{body}<div class="legend">{legend}</div></figure>'


def spark(log: Sequence[Line]) -> str:
    """A run's curve for its card: of its score where there is one, or of the players' losses."""
    known = dict.fromkeys(name for line in log for name in line)
    scores = [name for name in known if name.startswith("fid[")]
    names = scores or [name for name in known if name.endswith("/adversarial")]
    curves = {name: curve(log, name) for name in names}
    lines = [[(x, _up(y, bool(scores))) for x, y in points] for points in curves.values() if len(points) > 1]
    return _drawn(lines, f"curve of {', '.join(curves)}", 48) if lines else ""


def bars(title: str, names: Sequence[str], real: Sequence[float], made: Sequence[float], lead: str) -> str:
    """A figure of shares, real ones beside made ones.

    Args:
        names: of the values, or of the edges before the first, between two and after the last.
        real, made: the shares.
        lead: what is said of it beside the title.
    """
    highest = max([*real, *made, 1e-9])
    each = WIDE / max(1, len(real))
    shapes = []
    for i, (a, b) in enumerate(zip(real, made, strict=True)):
        for part, share, kind in ((0.06, a, "real"), (0.5, b, "made")):
            height = share / highest * (HIGH - 2 * MARGIN)
            shapes.append(
                f'<rect class="{kind}" x="{(i + part) * each:.1f}" y="{HIGH - MARGIN - height:.1f}" '
                f'width="{max(0.8, 0.42 * each):.1f}" height="{height:.1f}"/>'
            )
    label = f"{title}: real beside sampled, {names[0]} to {names[-1]}"
    return (
        f'<figure><figcaption>{escape(title)} <span class="quiet">{escape(lead)}</span></figcaption>'
        f'<svg viewBox="0 0 {WIDE} {HIGH}" role="img" aria-label="{escape(label, quote=True)}">'
        f'{"".join(shapes)}<line class="axis" x1="0" x2="{WIDE}" y1="{HIGH - MARGIN}" y2="{HIGH - MARGIN}"/></svg>'
        f'<div class="ends quiet"><span>{escape(names[0])}</span><span>{escape(names[-1])}</span></div></figure>'
    )


def _up(value: float, logarithmic: bool) -> float:
    return math.log10(max(value, 1e-12)) if logarithmic else value


def _drawn(lines: Sequence[Curve], label: str, high: float = HIGH) -> str:
    """Curves in one frame; one of a single point is a dot, which a line to where it begins draws."""
    xs, ys = ([point[i] for points in lines for point in points] for i in (0, 1))
    left, right, low, top = (min(xs), max(xs), min(ys), max(ys)) if xs else (0.0, 1.0, 0.0, 1.0)

    def place(x: float, y: float) -> str:
        across = MARGIN + (x - left) / ((right - left) or 1) * (WIDE - 2 * MARGIN)
        return f"{across:.1f},{high - MARGIN - (y - low) / ((top - low) or 1) * (high - 2 * MARGIN):.1f}"

    shapes = "".join(
        f'<polyline class="c{i}" points="{" ".join(place(x, y) for x, y in [*points, *points[-1:]])}"/>'
        for i, points in enumerate(lines)
    )
    return f'<svg viewBox="0 0 {WIDE} {high:g}" role="img" aria-label="{escape(label, quote=True)}">{shapes}</svg>'
