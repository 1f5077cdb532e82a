"""Pages of the reference: every command from its help, and the Python API from its docstrings."""

from __future__ import annotations

import html
import logging
from collections.abc import Iterator
from contextlib import redirect_stdout
from io import StringIO
from typing import Any

import griffe
import typer

import sparring
from sparring.cli import app
from website.pages import ROOT, Site

PROGRAM = "sparring"
# Modules that recipes and kinds of data of one's own are written with, by topic.
MODULES = {
    "Training": ("sparring.loop", "sparring.games.game", "sparring.games.gan", "sparring.recipes.base.recipe"),
    "Losses": tuple(f"sparring.losses.{name}" for name in ("adversarial", "penalties", "spectral", "variational")),
    "Data": tuple(f"sparring.modalities.{name}" for name in ("base", "asks", "samples", "judge")),
    "Metrics": tuple(
        f"sparring.metrics.{name}"
        for name in ("results", "frechet", "kernel", "neighbours", "matching", "two_sample", "copies", "modes")
    ),
}


def add_commands(site: Site) -> list[str]:
    """A page for each command, and one that lists them. Returns their addresses."""
    group = typer.main.get_command(app)
    lines = ["# Commands", "", "| command | what it does |", "|---|---|"]
    pages = []
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        page = f"commands/{name}.md"
        site.write(page, _command(name, command))
        pages.append(page)
        lines.append(f"| [{PROGRAM} {name}]({name}.md) | {_cell(command.help.split('. ')[0].rstrip('.'))}. |")
    site.write("commands/index.md", "\n".join([*lines, ""]))
    return ["commands/index.md", *pages]


def _command(name: str, command: Any) -> str:
    context = command.context_class(command, info_name=f"{PROGRAM} {name}")
    with redirect_stdout(StringIO()):
        context.get_help()  # commands that list conditions write them to their epilog
    usage = command.get_usage(context).removeprefix("Usage: ")
    lines = [f"# {PROGRAM} {name}", "", _text(command.help), "", "```", usage, "```", ""]
    for kind, title in (("argument", "Arguments"), ("option", "Options")):
        records = [p.get_help_record(context) for p in command.params if p.param_type_name == kind]
        rows = [f"| {_code(record[0])} | {_cell(record[1])} |" for record in records if record]
        if rows:
            lines += [f"## {title}", "", f"| {kind} | meaning |", "|---|---|", *rows, ""]
    return "\n".join([*lines, *_epilog(command.epilog or "")])


def _epilog(epilog: str) -> Iterator[str]:
    """Paragraphs of a help's end: examples as code, options as a table."""
    before = ""
    for paragraph in filter(None, (part.rstrip() for part in epilog.split("\n\n"))):
        kind = "code" if paragraph.startswith("  sparring") else "row" if paragraph.startswith("  --") else "text"
        if before == "code" != kind:
            yield from ("```", "")
        if kind == "code":
            yield from ([] if before == "code" else ["", "```"])
            yield paragraph.strip()
        elif kind == "row":
            yield from ([] if before == "row" else ["| option | meaning |", "|---|---|"])
            option, _, meaning = paragraph.strip().partition("  ")
            yield f"| {_code(option)} | {_cell(meaning)} |"
        else:
            yield from ("", f"**{_text(paragraph)}**" if paragraph.endswith(":") else _text(paragraph), "")
        before = kind
    if before == "code":
        yield from ("```", "")


def _text(text: str) -> str:
    return html.escape(" ".join(text.replace("\\[", "[").split()), quote=False)


def _cell(text: str) -> str:
    return _text(text).replace("|", "\\|").replace("*", "\\*").replace("_", "\\_").replace("[", "\\[")


def _code(text: str) -> str:
    return f"`{text.strip()}`".replace("|", "\\|")


def add_api(site: Site) -> list[str]:
    """A page for the public names of `sparring`, and one for each topic of `MODULES`. Returns their addresses."""
    logging.getLogger("griffe").setLevel(logging.ERROR)  # a docstring may describe two arguments in one line
    package: Any = griffe.load("sparring", search_paths=[ROOT], docstring_parser="google")
    homes = [package.members[name].target_path.partition(".")[2] for name in sparring.__all__]
    members = [package[home].final_target if package[home].is_alias else package[home] for home in homes]
    site.write("api/index.md", "\n".join(["# sparring", "", *(line for m in members for line in _member(m, ""))]))
    pages = ["api/index.md"]
    for topic, modules in MODULES.items():
        lines = [f"# {topic}", ""]
        for name in modules:
            module = package[name.removeprefix("sparring.")]
            lines += [f"## {name}", "", *_docstring(module)]
            for member in module.members.values():
                if member.is_public and not member.is_alias and member.docstring and not member.is_module:
                    lines += _member(member, "#")
        site.write(f"api/{topic.lower()}.md", "\n".join(lines))
        pages.append(f"api/{topic.lower()}.md")
    return pages


def _member(member: Any, level: str) -> Iterator[str]:
    """A function's, a class's or a constant's heading, signature and docstring; then the methods of a class."""
    yield from (f"{level}## {member.name}", "", "```python", _signature(member), "```", "")
    yield from _docstring(member)
    if member.is_class:
        for method in member.members.values():
            if not method.name.startswith("_") and not method.is_alias and method.docstring:
                yield from (f"{level}### {member.name}.{method.name}", "", "```python", _signature(method), "```", "")
                yield from _docstring(method)


def _signature(member: Any) -> str:
    if member.is_attribute:
        return f"{member.name}: {member.annotation}" if member.annotation else member.name
    if member.is_class:
        bases = ", ".join(map(str, member.bases))
        head = f"class {member.name}" + (f"({bases}):" if bases else ":")
        return "\n    ".join([head, *(_field(p) for p in member.parameters if p.name not in ("self", "cls"))])
    shown, star = [], False
    for parameter in member.parameters:
        if parameter.kind is griffe.ParameterKind.keyword_only and not star:
            shown.append("*")
            star = True
        star = star or parameter.kind is griffe.ParameterKind.var_positional
        shown.append(_field(parameter))
    returns = f" -> {member.returns}" if member.returns else ""
    short = f"{member.name}({', '.join(shown)}){returns}"
    if len(short) <= 90:
        return short
    return (
        f"{member.name}(\n    " + ",\n    ".join(shown) + ",\n)" + (f" -> {member.returns}" if member.returns else "")
    )


def _field(parameter: Any) -> str:
    stars = {griffe.ParameterKind.var_positional: "*", griffe.ParameterKind.var_keyword: "**"}.get(parameter.kind, "")
    annotation = f": {parameter.annotation}" if parameter.annotation else ""
    shown = parameter.default is not None and not stars
    return f"{stars}{parameter.name}{annotation}" + (f" = {parameter.default}" if shown else "")


def _docstring(member: Any) -> Iterator[str]:
    if not member.docstring:
        return
    for section in member.docstring.parse("google"):
        if section.kind is griffe.DocstringSectionKind.text:
            yield from (section.value.replace("``", "`"), "")
        elif isinstance(section.value, list):
            title = section.title or section.kind.value.capitalize()
            yield from (f"| {title} | meaning |", "|---|---|")
            for item in section.value:
                name = getattr(item, "name", "") or str(getattr(item, "annotation", "") or "")
                yield f"| {_code(name) if name else ''} | {_described(item.description)} |"
            yield ""
        else:
            yield from (str(section.value), "")


def _described(text: str) -> str:
    return " ".join(text.replace("``", "`").split()).replace("|", "\\|")
