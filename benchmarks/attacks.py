"""What attacks recognize in synthetic rows: the default recipe, the `ctgan` package, copies and new real rows.

    python benchmarks/attacks.py [SET] [--time 10m] [--reference PYTHON] [--data FOLDER] [--runs FOLDER]
                                 [--page docs/privacy.md]

Three fifths of the rows of a CSV file in --data are trained on. Another fifth is known to the attacker as rows that are
not, and the last one takes the place of the samples of a perfect generator. Copies are rows of the training part. All
rows are attacked as a file (`sparring audit FILE --against TRAIN --held OTHER`), so that the same attacks see all of
them; `logan` needs D, and attacks Sparring's model alone. Sparring itself holds out some of the training part, so that
its candidates are those that it was trained on. --reference is an interpreter that has the `ctgan` package,
which is trained with its defaults, as in tables.py. Results stay in --runs and are not computed again.
"""

from __future__ import annotations

import argparse
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from clock import count_cpu_time
from pages import put, table
from runs import trained_once
from sparring.evaluation.audit import audit, audit_file
from sparring.modalities import Table, find

Found = dict[str, Any]
PARTS = {"train": 3, "held": 1, "other": 1}  # fifths of the rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("set", nargs="?", default="adult", help="name of a CSV file in --data")
    parser.add_argument("--time", default="10m")
    parser.add_argument("--reference", default="", help="interpreter that has ctgan")
    parser.add_argument("--data", type=Path, default=Path("../shared/data/tabular"))
    parser.add_argument("--runs", type=Path, default=Path("runs/bench-attacks"))
    parser.add_argument("--page", type=Path, help="Markdown file for the tables, between its two marks")
    args = parser.parse_args()
    counted = count_cpu_time()
    attacked = Attacked(args, args.runs / args.set)
    rows = {
        "new real rows": attacked.of_file("other"),
        f"**table**, {args.time}": attacked.of_model(),
        **({"ctgan package, 300 epochs": attacked.of_package(args.reference)} if args.reference else {}),
        "copies of training rows": attacked.of_file("train"),
    }
    names = list(rows[f"**table**, {args.time}"]["attacks"])
    lines = [f"**{args.set}**, {attacked.count:,} training rows", ""]
    lines += ["AUC of each attack; 0.5 is chance:", "", *_table(rows, names, "auc", "{:.3f}"), ""]
    lines += ["TPR at 1% FPR; 1% is chance:", "", *_table(rows, names, "tpr_at_1_percent_fpr", "{:.1%}"), ""]
    reference = " --reference ref/bin/python" if args.reference else ""
    lines += [f"`python benchmarks/attacks.py {args.set} --time {args.time}{reference}`, {counted}."]
    print("\n".join(lines))
    if args.page:
        put(args.page, __file__, lines)


def _table(rows: dict[str, Found], names: list[str], which: str, form: str) -> list[str]:
    def cell(found: Found, name: str) -> str:
        if name not in found["attacks"]:
            return ""
        ends = found["attacks"][name][which]
        value, low, high = (form.format(ends[end]) for end in ("value", "low", "high"))
        return f"{value} ({low} to {high})"

    body = [
        [kind, *(cell(found, name) for name in names), *([found["guessed"]] if which == "auc" else [])]
        for kind, found in rows.items()
    ]
    return table(["", *names, *(["values guessed"] if which == "auc" else [])], body)


class Attacked:
    """A data set in parts, and what attacks find."""

    def __init__(self, args: argparse.Namespace, folder: Path) -> None:
        self.args, self.folder = args, folder
        folder.mkdir(parents=True, exist_ok=True)
        frame = find(args.data / f"{args.set}.csv").items
        order = np.random.default_rng(0).permutation(len(frame))
        ends = np.cumsum(list(PARTS.values()))[:-1] * len(frame) // sum(PARTS.values())
        for name, part in zip(PARTS, np.split(order, ends), strict=True):
            frame.iloc[part].to_csv(self._csv(name), index=False)
        self.count = int(ends[0])

    def _csv(self, name: str) -> Path:
        return self.folder / f"{name}.csv"

    def of_file(self, name: str) -> Found:
        """Attacks on rows of a file."""
        return self._once(name, lambda: audit_file(self._csv(name), self._csv("train"), self._csv("held")).content())

    def of_model(self) -> Found:
        """Attacks on rows of the default recipe, and on its D."""
        name = f"table-{self.args.time}"

        def attack() -> Found:
            model = trained_once("table", self._csv("train"), self.folder / name, self.args.time)
            model.sample(self.count, seed=0).items.to_csv(self._csv(name), index=False)
            items = find(self._csv("train"))
            items.items.iloc[model.modality.split(items).train].to_csv(self._csv("trained"), index=False)
            found = audit_file(self._csv(name), self._csv("trained"), self._csv("held")).content()
            of_D = [each for each in audit(model).content()["attacks"] if each["name"] == "logan"]
            return {**found, "attacks": [*found["attacks"], *of_D]}

        return self._once(name, attack)

    def of_package(self, interpreter: str) -> Found:
        """Attacks on rows of the published system's package."""

        def attack() -> Found:
            kinds, learned = self.folder / "kinds.json", Table().fit(find(self._csv("train"))).learned
            named = {c.name: "categorical" if c.kind == "category" else "numerical" for c in learned}
            kinds.write_text(json.dumps(named))
            script, places = Path(__file__).with_name("reference.py"), (self._csv("train"), kinds, self._csv("ctgan"))
            subprocess.run([interpreter, script, "make", *map(str, places)], check=True)
            return audit_file(self._csv("ctgan"), self._csv("train"), self._csv("held")).content()

        return self._once("ctgan", attack)

    def _once(self, name: str, attack: Callable[[], Found]) -> Found:
        """Attacks by name and the largest advantage of a guess, computed unless they are stored."""
        path = self.folder / f"{name}.json"
        if not path.exists():
            path.write_text(json.dumps(attack()))
        content = json.loads(path.read_text())
        guesses = [each["members"] - each["others"] for each in content["attributes"]]
        print(path.stem, content["verdict"], flush=True)
        return {
            "attacks": {each["name"]: each for each in content["attacks"]},
            "guessed": f"{max(guesses):+.1%} at most" if guesses else "",
        }


if __name__ == "__main__":
    main()
