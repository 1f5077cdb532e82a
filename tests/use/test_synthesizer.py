"""A synthesizer has the manners of scikit-learn's estimators, and returns what it was given."""

import json
import pickle

import numpy as np
import pandas as pd
import pyarrow
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils import estimator_checks

import sparring
from sparring.errors import InputError
from sparring.use.synthesizer import Synthesizer, kinds

SMALL = {"width": 8, "D": 8, "batch": 8}
N = 60


def quick(**parameters):
    return Synthesizer("table", steps=2, device="cpu", fields=SMALL, **parameters)


@pytest.fixture(scope="module")
def frame():
    random = np.random.default_rng(0)
    return pd.DataFrame({
        "age": random.integers(18, 80, N),
        "income": random.lognormal(10, 1, N).round(2),
        "city": random.choice(["Rome", "Oslo"], N),
    })  # fmt: skip


@pytest.fixture(scope="module")
def fitted(frame):
    return quick().fit(frame)


# Those that are about fitting any estimator, without predictions.
CHECKS = [
    "check_no_attributes_set_in_init", "check_parameters_default_constructible", "check_get_params_invariance",
    "check_set_params", "check_mixin_order", "check_do_not_raise_errors_in_init_or_set_params",
    "check_dont_overwrite_parameters", "check_dataframe_column_names_consistency", "check_estimators_pickle",
    "check_fit_check_is_fitted", "check_positive_only_tag_during_fit", "check_estimator_cloneable",
    "check_estimator_repr", "check_readonly_memmap_input", "check_n_features_in", "check_n_features_in_after_fitting",
    "check_fit1d", "check_fit2d_1sample", "check_estimators_fit_returns_self", "check_estimators_unfitted",
    "check_estimator_sparse_tag", "check_complex_data", "check_estimators_empty_data_messages",
    "check_estimators_overwrite_params",
]  # fmt: skip


@pytest.mark.parametrize("check", CHECKS)
def test_checks_of_scikit_learn(check):
    getattr(estimator_checks, check)("Synthesizer", quick())


def test_rows_come_back_as_they_were_given(frame, fitted):
    polars = pytest.importorskip("polars")
    rows = fitted.sample(5, seed=1)
    pd.testing.assert_series_equal(rows.dtypes, frame.dtypes)
    assert (fitted.n_features_in_, list(fitted.feature_names_in_)) == (3, list(frame))
    expected = rows.to_dict("list")
    given = quick().fit(polars.from_pandas(frame)).sample(5, seed=1)
    assert isinstance(given, polars.DataFrame)
    assert given.to_dict(as_series=False) == expected
    given = quick().fit(pyarrow.Table.from_pandas(frame)).sample(5, seed=1)
    assert isinstance(given, pyarrow.Table)
    assert given.to_pydict() == expected


def test_arrays_and_targets(frame):
    X, y = frame[["age", "income"]].to_numpy(), (frame["city"] == "Rome").to_numpy().astype(int)
    synthesizer = quick().fit(X, y)
    rows, targets = synthesizer.sample(7, seed=0)
    assert (rows.shape, rows.dtype, targets.shape) == ((7, 2), X.dtype, (7,))
    assert set(targets) <= {0, 1}
    with pytest.raises(ValueError, match="y has 3 rows, X has 60"):
        quick().fit(X, y[:3])
    with pytest.raises(InputError, match="y is called 'city', as a column of X"):
        quick().fit(frame, frame["city"])


def test_equal_seeds_give_equal_rows(frame, fitted):
    again = clone(fitted).fit(frame)
    pd.testing.assert_frame_equal(fitted.sample(9, seed=3), again.sample(9, seed=3))
    assert not fitted.sample(9, seed=3).equals(fitted.sample(9, seed=4))


def test_conditions_are_satisfied(fitted):
    rows = fitted.sample(8, seed=0, where=["city=Oslo", "age<60"])
    assert set(rows["city"]) == {"Oslo"}
    assert rows["age"].max() < 60


def test_it_is_saved_pickled_and_loaded(fitted, tmp_path):
    fitted.save(tmp_path / "model")
    expected = fitted.sample(6, seed=2)
    pd.testing.assert_frame_equal(Synthesizer.load(tmp_path / "model").sample(6, seed=2), expected)
    pd.testing.assert_frame_equal(pickle.loads(pickle.dumps(fitted)).sample(6, seed=2), expected)
    assert sparring.load(tmp_path / "model").sample(6, seed=2).items.equals(expected)
    with pytest.raises(NotFittedError):
        quick().sample(2)


def test_models_of_other_data_are_refused(tmp_path):
    sparring.train("r3gan_mlp", "ring", out=tmp_path / "ring", steps=1, quiet=True, device="cpu", G=8, D=8)
    with pytest.raises(InputError, match="holds a model of points; give one of the rows of a table"):
        Synthesizer.load(tmp_path / "ring")


def test_the_run_is_kept_where_it_is_asked_for(frame, tmp_path):
    quick(out=tmp_path / "run").fit(frame)
    assert sparring.load(tmp_path / "run").sample(3, seed=0).items.shape == (3, 3)


COLUMNS = {
    "age": {"sdtype": "categorical"}, "income": {"sdtype": "numerical", "computer_representation": "Float"},
    "city": {"sdtype": "email", "pii": True},
}  # fmt: skip


@pytest.mark.parametrize("metadata", [{"columns": COLUMNS}, {"tables": {"people": {"columns": COLUMNS}}}])
def test_metadata_decide_what_columns_are(frame, tmp_path, metadata):
    path = tmp_path / "metadata.json"
    path.write_text(json.dumps(metadata))
    expected = {"age": "category", "income": "number"}  # the type of city is detected
    assert kinds(metadata, list(frame)) == kinds(path, list(frame)) == expected
    columns = quick(metadata=metadata).fit(frame).model_.modality.columns
    assert [type(column).__name__ for column in columns] == ["Category", "Number", "Category"]


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        (
            {"columns": {"size": {"sdtype": "id"}}},
            "the metadata names the column 'size', which the table does not have",
        ),
        ({"tables": {"a": {}, "b": {}}}, "no description of one table is found"),
        ({"columns": ["age"]}, "no description of one table is found"),
    ],
)
def test_unusable_metadata(frame, metadata, message):
    with pytest.raises(InputError, match=message):
        quick(metadata=metadata).fit(frame)
