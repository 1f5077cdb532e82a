"""Imports go one way: a room may import from rooms above it in this list, never from below."""

import ast
from importlib import import_module
from pathlib import Path

import sparring
from sparring.modalities import Modality

HOUSE = [
    "errors", "memory", "seeds", "schedules", "files", "json_files", "signing", "folders", "console", "devices",
    "sheets", "layers", "losses", "metrics", "data", "shards", "loop", "privacy", "nets", "games", "modalities",
    "recipes", "model", "runs", "evaluation", "provenance", "training", "tuning", "explore", "use", "deploy", "bench",
    "studio", "cli", "__main__",
]  # fmt: skip
ROOT = Path(sparring.__file__).parent
FILES = [path for path in sorted(ROOT.rglob("*.py")) if path != ROOT / "__init__.py"]


def room(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [f"{node.module}.{alias.name}" for alias in node.names] if node.module == "sparring" else []
            modules += [node.module] if node.module != "sparring" else []
        else:
            continue
        rooms |= {module.split(".")[1] for module in modules if module.startswith("sparring.")}
    return rooms


def test_imports_go_one_way():
    upward = {path.relative_to(ROOT): imported(path) & set(HOUSE[HOUSE.index(room(path)) + 1 :]) for path in FILES}
    assert not {str(path): rooms for path, rooms in upward.items() if rooms}


def test_only_the_console_prints():
    """It escapes what would control a terminal."""
    found = {str(path.relative_to(ROOT)): printing(path) for path in FILES if path != ROOT / "console.py"}
    assert not {name: places for name, places in found.items() if places}


def printing(path: Path) -> list[str]:
    """Places of a file that write to the terminal."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Name) and node.id == "print":
            found.append(f"line {node.lineno}: print")
        if isinstance(node, ast.ImportFrom) and node.module in ("rich", "rich.console"):
            found.append(f"line {node.lineno}: {ast.unparse(node)}")
        if isinstance(node, ast.Attribute) and ast.unparse(node) in ("sys.stdout", "sys.stderr"):
            found.append(f"line {node.lineno}: {ast.unparse(node)}")
    return found


def test_public_names():
    names = ["InputError", "Model", "Samples", "Synthesizer", "compare", "evaluate", "load", "train"]
    assert sorted(sparring.__all__) == names
    for name in sparring.__all__:
        assert getattr(sparring, name).__doc__


# No room knows a kind of data by name: what differs between kinds is declared by `Modality`. Nets, recipes and the
# bench are written for kinds of data.
FOLDERS = [path for path in sorted((ROOT / "modalities").iterdir()) if (path / "__init__.py").is_file()]
CLASSES = [cls for folder in FOLDERS for cls in vars(import_module(f"sparring.modalities.{folder.name}")).values()]
CONCRETE = {cls.__name__ for cls in CLASSES if isinstance(cls, type) and issubclass(cls, Modality)}
FOLDERS_OF_KINDS = {path.name for path in FOLDERS}
ROOMS_OF_KINDS = {"modalities", "nets", "recipes", "bench"}
SWITCHES: dict[str, int] = {}  # files that still have some, and how many; may only shrink


def switches(path: Path) -> list[str]:
    """Places of a file that ask what kind of data they have."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        text = ast.unparse(node) if isinstance(node, ast.expr | ast.ImportFrom) else ""
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "isinstance":
            named = {n.id for n in ast.walk(node.args[1]) if isinstance(n, ast.Name)}
            found += [text] if named & CONCRETE else []
        elif isinstance(node, ast.Compare):
            found += [text] if any(kind_of_something(n) for n in (node.left, *node.comparators)) else []
        elif isinstance(node, ast.Subscript):
            found += [text] if kind_of_something(node.slice) else []
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".get"):
            found += [text] if any(map(kind_of_something, node.args)) else []
        elif isinstance(node, ast.Attribute):
            found += [text] if node.attr == "mapped" else []
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sparring.modalities"):
            rest = node.module.split(".")[2:]
            names = {rest[0]} if rest else {alias.name for alias in node.names}
            found += [text] if names & (CONCRETE | FOLDERS_OF_KINDS) else []
    return found


def kind_of_something(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "kind"


def test_no_switch_on_kinds():
    found = {str(path.relative_to(ROOT)): switches(path) for path in FILES if room(path) not in ROOMS_OF_KINDS}
    assert not {name: places for name, places in found.items() if len(places) > SWITCHES.get(name, 0)}


def test_the_list_of_switches_only_shrinks():
    for name, count in SWITCHES.items():
        assert len(switches(ROOT / name)) == count, f"{name} has fewer switches now; take it off the list"


MODULES = {
    ".".join(("sparring", *p.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__"): p for p in FILES
}


def at_import(path: Path) -> set[str]:
    """The modules that a file imports when it is imported itself; not those imported by functions or for types only."""
    found = set()
    nodes: list[ast.stmt] = list(ast.parse(path.read_text()).body)
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" not in ast.unparse(node.test):
            nodes += [*node.body, *node.orelse]
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in MODULES else node.module for name in names}
    return found & set(MODULES)


def test_no_file_imports_itself_in_a_circle():
    imports = {name: at_import(path) - {name} for name, path in MODULES.items()}
    while leaves := {name for name, others in imports.items() if not others}:
        imports = {name: others - leaves for name, others in imports.items() if name not in leaves}
    assert not imports, f"these import each other: {imports}"
