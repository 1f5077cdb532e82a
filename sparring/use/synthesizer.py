"""`Synthesizer`: tables in, tables out, as an estimator of scikit-learn."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Self

from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, validate_data

from sparring.errors import InputError, needs
from sparring.json_files import read_json
from sparring.model import Model, load
from sparring.training import train

if TYPE_CHECKING:
    from sklearn.utils import Tags

TARGET = "target"  # name of the column of y, if it has none
MIN_ROWS = 2
# Kinds of columns by the types of SDV's metadata. Columns of other types are detected as without metadata.
KINDS = {
    "numerical": "number", "categorical": "category", "boolean": "category", "datetime": "number", "id": "identifier",
}  # fmt: skip


class Synthesizer(BaseEstimator):  # type: ignore[misc]
    """Learns a table, and draws rows like its rows.

    It has the manners of scikit-learn's estimators: parameters are stored as given, `fit` returns the estimator, what
    was learned ends in `_`, and `sklearn.base.clone` copies it. What `fit` receives is what `sample` returns: a data
    frame of pandas or Polars, a table of Arrow, or an array (n, columns).

    Attributes:
        model_: the trained `sparring.Model`.
        n_features_in_: number of columns of X.
        feature_names_in_: names of the columns of X, if all are strings.
    """

    def __init__(
        self,
        recipe: str | None = None,
        *,
        steps: int | None = None,
        time: str | float | None = None,
        seed: int = 0,
        device: str = "auto",
        out: str | os.PathLike[str] | None = None,
        metadata: str | os.PathLike[str] | Mapping[str, Any] | None = None,
        fields: Mapping[str, Any] | None = None,
        quiet: bool = True,
    ) -> None:
        """Store parameters; nothing is checked or read before `fit`.

        Args:
            recipe: name of a recipe for rows; None to choose by the data.
            steps, time, seed, device: as for `sparring.train`.
            out: folder of the run, which `fit` replaces; unless given, only the model is kept, in memory.
            metadata: SDV's description of the table, as a dictionary or the path of its JSON file: which columns are
                numbers, categories, dates or identifiers.
            fields: values of the recipe's fields, such as `{"target": "income"}`.
            quiet: print nothing.
        """
        self.recipe = recipe
        self.steps = steps
        self.time = time
        self.seed = seed
        self.device = device
        self.out = out
        self.metadata = metadata
        self.fields = fields
        self.quiet = quiet

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn a table.

        Args:
            X: data frame, or array (n, columns).
            y: a further column (n,), such as the classes of a classifier; then `sample` returns a pair, too.

        Raises:
            InputError: if the metadata cannot be used, or rows cannot be learned.
            ValueError: if X is no table, or y has another number of rows.
        """
        frame = self._frame(X, y)
        fields = dict(self.fields or {})
        columns = kinds(self.metadata, list(frame.columns)) if self.metadata is not None else {}
        if columns:
            fields["columns"] = tuple(f"{name}={kind}" for name, kind in {**columns, **_given(fields)}.items())
        with TemporaryDirectory() as temporary:
            out = Path(temporary) / "run" if self.out is None else self.out
            self.model_: Model = train(
                self.recipe, frame, out=out, steps=self.steps, time=self.time, seed=self.seed, device=self.device,
                quiet=self.quiet, force=True, **fields,
            )  # fmt: skip
        return self

    def _frame(self, X: Any, y: Any) -> Any:
        """X and y as one data frame of pandas. Notes their types."""
        pandas = needs("pandas", "tables", "holds the rows of tables")
        self._library = type(X).__module__.partition(".")[0]
        if self._library in ("polars", "pyarrow"):
            X = X.to_pandas()
        if isinstance(X, pandas.DataFrame):
            validate_data(self, X, skip_check_array=True)
            frame = X.rename(columns=str)
        else:
            X = validate_data(self, X, dtype=None, ensure_all_finite="allow-nan", ensure_min_samples=MIN_ROWS)
            frame = pandas.DataFrame(X, columns=[f"x{i}" for i in range(X.shape[1])]).infer_objects()
        self._target = None
        if y is not None:
            if len(y) != len(frame):
                raise ValueError(f"y has {len(y)} rows, X has {len(frame)}")
            self._target = str(getattr(y, "name", None) or TARGET)
            if self._target in frame:
                raise InputError(f"y is called {self._target!r}, as a column of X; give it another name")
            frame = frame.assign(**{self._target: getattr(y, "to_numpy", lambda: y)()})
        return frame

    def sample(self, n: int = 1, *, seed: int | None = None, where: Any = None, **asked: Any) -> Any:
        """Draw rows.

        Args:
            n: number of rows.
            seed: the same seed gives the same rows; without it they differ each time.
            where: conditions on columns, such as `{"income": ">50K"}` or `["age>=18"]`.
            asked: what else the model can be asked for.

        Returns:
            Rows as `fit` received X; a pair of rows and targets if it received y, too.

        Raises:
            InputError: for a condition that no row satisfies.
            sklearn.exceptions.NotFittedError: before `fit`.
        """
        check_is_fitted(self, "model_")
        rows = self.model_.sample(n, seed=seed, where=where, **asked).items
        if self._target is None:
            return self._as_given(rows)
        target = rows.pop(self._target)
        return self._as_given(rows), target if self._library == "pandas" else target.to_numpy()

    def _as_given(self, rows: Any) -> Any:
        """A data frame of pandas as what `fit` received."""
        if self._library == "polars":
            import polars

            return polars.from_pandas(rows)
        if self._library == "pyarrow":
            import pyarrow

            return pyarrow.Table.from_pandas(rows, preserve_index=False)
        return rows if self._library == "pandas" else rows.to_numpy()

    def save(self, path: str | os.PathLike[str], force: bool = False) -> None:
        """Write the model to a folder, which `sparring.load` and all commands read.

        Raises:
            InputError: if something is there and `force` is not set.
        """
        check_is_fitted(self, "model_")
        self.model_.save(Path(path), force=force)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """A fitted synthesizer of a model that was saved, or of a run. It returns data frames of pandas.

        Raises:
            InputError: if there is no model of tables.
        """
        loaded = cls()
        loaded.model_ = load(Path(path))
        modality = loaded.model_.modality
        if modality.shown_as != "table":
            raise InputError(f"{path} holds a model of {modality.words.items}; give one of the rows of a table")
        loaded._library, loaded._target = "pandas", None
        return loaded

    def __getstate__(self) -> dict[str, Any]:
        """The parameters, and the files of the model instead of its code."""
        state = dict(super().__getstate__())
        if "model_" in state:
            with TemporaryDirectory() as temporary:
                folder = Path(temporary) / "model"
                state["model_"].save(folder)
                files = [path for path in folder.rglob("*") if path.is_file()]
                state["model_"] = {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        if "model_" in state:
            with TemporaryDirectory() as temporary:
                for name, content in state["model_"].items():
                    path = Path(temporary) / name
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(content)
                state = {**state, "model_": load(temporary)}
        super().__setstate__(state)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        return tags


def _given(fields: Mapping[str, Any]) -> dict[str, str]:
    """The kinds of columns among the fields of a recipe."""
    return dict(text.split("=", 1) for text in fields.get("columns", ()))


def kinds(metadata: str | os.PathLike[str] | Mapping[str, Any], names: list[str]) -> dict[str, str]:
    """The kinds of columns that SDV's metadata give, in the words of `columns=NAME=KIND`.

    Args:
        metadata: of one table, with "columns" at the top or in the only one of "tables"; or the path of such a file.
        names: of the columns of the table.

    Raises:
        InputError: if that is no such description, or it names other columns than the table has.
    """
    where = "the metadata" if isinstance(metadata, Mapping) else str(metadata)
    content: Any = metadata if isinstance(metadata, Mapping) else read_json(Path(metadata), dict)
    tables = content.get("tables") if isinstance(content, Mapping) else None
    if isinstance(tables, Mapping) and len(tables) == 1:
        (content,) = tables.values()
    columns = content.get("columns") if isinstance(content, Mapping) else None
    if not isinstance(columns, Mapping) or not all(isinstance(about, Mapping) for about in columns.values()):
        raise InputError(f"{where}: no description of one table is found; give SDV's metadata with its columns")
    unknown = [name for name in columns if name not in names]
    if unknown:
        raise InputError(f"{where} names the column {unknown[0]!r}, which the table does not have")
    found = {name: KINDS.get(str(about.get("sdtype"))) for name, about in columns.items()}
    return {name: kind for name, kind in found.items() if kind is not None}
