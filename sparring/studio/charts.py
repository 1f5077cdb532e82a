"""Small charts in SVG that use the colors of the page, light or dark, and its width."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, TypeGuard

from sparring.modalities.samples import Distribution
from sparring.runs.curves import PANELS
from sparring.studio.run_index import Line

MAX_POINTS = 300  # points of a curve
WIDTH, HEIGHT = 320, 120  # of a chart, in its own units
SPARKLINE_HEIGHT = 48
MARGIN = 6
LOGARITHMIC = ("quality", "gradient norm / weight norm")  # titles of panels

Curve = Sequence[tuple[float, float]]


def log_charts(log: Sequence[Line]) -> str:
    """All numbers of a log, one chart for each panel of `sparring.runs.curves`."""
    names = list(dict.fromkeys(name for line in log for name in line))
    charts = []
    for title, wanted in PANELS:
        matching = [n for n in names if (n in wanted if isinstance(wanted, tuple) else wanted in n)]
        curves = {name: curve(log, name) for name in matching}
        if curves:
            charts.append(line_chart(title, curves, title in LOGARITHMIC))
    return f'<div class="charts">{"".join(charts)}</div>' if charts else '<p class="muted">Nothing is logged yet.</p>'


def curve(log: Sequence[Line], name: str) -> list[tuple[float, float]]:
    """(thousands of samples, value) of the lines of a log that have a value, evenly thinned; the last one is kept."""
    values = [(line.get("kimg"), line.get(name)) for line in log]
    points = [(x, y) for x, y in values if _is_finite(x) and _is_finite(y)]
    step = max(1, math.ceil(len(points) / MAX_POINTS))
    return points[::-step][::-1]


def _is_finite(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and math.isfinite(value)


def line_chart(title: str, curves: Mapping[str, Curve], logarithmic: bool = False) -> str:
    """A figure of curves with a legend and the range of the values."""
    lines = {name: [(x, _scaled(y, logarithmic)) for x, y in points] for name, points in curves.items() if points}
    values = [y for points in curves.values() for _, y in points]
    label = f"{title}: " + ", ".join(f"{name} {points[-1][1]:.3g}" for name, points in curves.items() if points)
    legend = "".join(
        f'<span class="key c{i}">{escape(name)} <b>{points[-1][1]:.3g}</b></span>'
        for i, (name, points) in enumerate(curves.items()) if points
    )  # fmt: skip
    span = f'<span class="muted">{min(values):.3g} to {max(values):.3g}</span>' if values else ""
    body = _svg_lines(list(lines.values()), label)
    return f'<figure><figcaption>{escape(title)} {span}</figcaption>{body}<div class="legend">{legend}</div></figure>'


def sparkline(log: Sequence[Line]) -> str:
    """The curve on a run's card: the score if there is one, otherwise the adversarial losses."""
    names = dict.fromkeys(name for line in log for name in line)
    scores = [name for name in names if name.startswith("fid[")]
    shown = scores or [name for name in names if name.endswith("/adversarial")]
    curves = {name: curve(log, name) for name in shown}
    lines = [[(x, _scaled(y, bool(scores))) for x, y in points] for points in curves.values() if len(points) > 1]
    return _svg_lines(lines, f"curve of {', '.join(curves)}", SPARKLINE_HEIGHT) if lines else ""


def distribution_charts(distributions: Sequence[Distribution]) -> str:
    """A figure for each distribution, real shares next to sampled ones."""
    charts = [histogram(d) if d.histogram else named_shares(d) for d in distributions]
    return f'<div class="charts">{"".join(charts)}</div>'


def histogram(distribution: Distribution) -> str:
    """Bars for each bin, labeled at both ends."""
    title, (first, *_, last) = distribution.name, distribution.values
    highest = max([*distribution.real, *distribution.sampled, 1e-9])
    bin_width = WIDTH / max(1, len(distribution.real))
    bars = []
    for i, shares in enumerate(zip(distribution.real, distribution.sampled, strict=True)):
        for offset, share, source in zip((0.06, 0.5), shares, ("real", "sampled"), strict=True):
            height = share / highest * (HEIGHT - 2 * MARGIN)
            bars.append(
                f'<rect class="{source}" x="{(i + offset) * bin_width:.1f}" y="{HEIGHT - MARGIN - height:.1f}" '
                f'width="{max(0.8, 0.42 * bin_width):.1f}" height="{height:.1f}"/>'
            )
    label = escape(f"{title}: real and sampled, {first} to {last}", quote=True)
    axis = f'<line class="axis" x1="0" x2="{WIDTH}" y1="{HEIGHT - MARGIN}" y2="{HEIGHT - MARGIN}"/>'
    return (
        f'<figure><figcaption>{escape(title)} <span class="muted">{escape(distribution.note)}</span></figcaption>'
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">{"".join(bars)}{axis}</svg>'
        f'<div class="ends muted"><span>{escape(first)}</span><span>{escape(last)}</span></div></figure>'
    )


def named_shares(distribution: Distribution) -> str:
    """A line for each value with two bars and their shares in percent."""
    rows = zip(distribution.values, distribution.real, distribution.sampled, strict=True)
    body = "".join(
        f'<div class="level"><span>{escape(name)}</span><i class="real" style="width:{100 * real:.1f}%"></i>'
        f'<b>{real:.1%}</b><i class="sampled" style="width:{100 * sampled:.1f}%"></i><b>{sampled:.1%}</b></div>'
        for name, real, sampled in rows
    )
    note = f' <span class="muted">{escape(distribution.note)}</span>' if distribution.note else ""
    caption = f"<figcaption>{escape(distribution.name)}{note}</figcaption>"
    return f'<figure>{caption}<div class="levels">{body}</div></figure>'


def _scaled(value: float, logarithmic: bool) -> float:
    return math.log10(max(value, 1e-12)) if logarithmic else value


def _svg_lines(lines: Sequence[Curve], label: str, height: float = HEIGHT) -> str:
    """Curves in one frame. The last point is repeated: a line of no length is drawn as a dot."""
    xs, ys = ([point[i] for points in lines for point in points] for i in (0, 1))
    left, right, low, high = (min(xs), max(xs), min(ys), max(ys)) if xs else (0.0, 1.0, 0.0, 1.0)

    def position(x: float, y: float) -> str:
        across = MARGIN + (x - left) / ((right - left) or 1) * (WIDTH - 2 * MARGIN)
        return f"{across:.1f},{height - MARGIN - (y - low) / ((high - low) or 1) * (height - 2 * MARGIN):.1f}"

    shapes = "".join(
        f'<polyline class="c{i}" points="{" ".join(position(x, y) for x, y in [*points, *points[-1:]])}"/>'
        for i, points in enumerate(lines)
    )
    text = escape(label, quote=True)
    return f'<svg viewBox="0 0 {WIDTH} {height:g}" role="img" aria-label="{text}">{shapes}</svg>'
