"""A page of all sheets, for a browser."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from string import Template

from sparring.explore.scene import Sheet

MARK = '<meta name="generator" content="sparring explore">'  # by which a page of this command is recognized
PAGE = Template("""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
$mark
<title>$title</title>
<style>
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; }
nav a { display: inline-block; padding: .3rem .6rem .3rem 0; }
figure { margin: 0 0 2.5rem; }
figcaption { margin: .2rem 0 .6rem; }
img { max-width: 100%; height: auto; image-rendering: pixelated; }
audio, video { display: block; width: 100%; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .6rem; text-align: right; white-space: nowrap; }
th { border-bottom: 1px solid; }
.sample { font-weight: bold; border-top: 1px solid; }
</style>
<h1>$title</h1>
<p>$summary</p>
<nav aria-label="sheets">$links</nav>
$figures
</html>
""")


def page(title: str, summary: str, sheets: Sequence[Sheet]) -> str:
    """HTML that shows sheets. Their images are next to it as NAME.png, and what is played as NAME.SUFFIX.

    Args:
        title: of the page.
        summary: a sentence below the title.
    """
    links = "\n".join(f'<a href="#{escape(one.name)}">{escape(one.name)}</a>' for one in sheets)
    figures = "\n".join(_figure(one) for one in sheets)
    return PAGE.substitute(mark=MARK, title=escape(title), summary=escape(summary), links=links, figures=figures)


def _figure(one: Sheet) -> str:
    name, caption = escape(one.name), escape(one.caption)
    content = f'<img src="{name}.png" alt="{caption}" loading="lazy">' if one.picture else ""
    if one.media is not None:
        element, source = one.media.element, f"{name}{one.media.suffix}"
        content += f'<{element} controls preload="none" src="{source}" aria-label="{caption}"></{element}>'
    if one.table:
        content += f'<div class="wide" tabindex="0" role="region" aria-label="{caption}">{_table(one.table)}</div>'
    return f'<figure id="{name}"><h2>{name}</h2><figcaption>{caption}</figcaption>{content}</figure>'


def _table(lines: Sequence[Sequence[str]]) -> str:
    """Lines of cells, the first of which is the header; lines that begin with "sample" are highlighted."""
    header, *body = lines
    rows = ["<tr>" + "".join(f'<th scope="col">{escape(cell)}</th>' for cell in header) + "</tr>"]
    for line in body:
        style = ' class="sample"' if line[0] == "sample" else ""
        rows.append(f"<tr{style}>" + "".join(f"<td>{escape(cell)}</td>" for cell in line) + "</tr>")
    return f"<table>{''.join(rows)}</table>"
