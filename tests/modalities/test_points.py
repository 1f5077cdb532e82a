"""Arrays of points, and those that are refused."""

import numpy as np
import pytest

from sparring.errors import InputError
from sparring.modalities import Points, find


def read(tmp_path, array):
    np.save(tmp_path / "set.npy", array)
    return find(str(tmp_path / "set.npy"))


@pytest.mark.parametrize("dtype", [np.float64, np.int16, np.uint8, bool])
def test_points_of_any_real_type_are_read(tmp_path, dtype):
    rows = np.array([[0, 1], [1, 0], [1, 1]], dtype)
    np.testing.assert_array_equal(read(tmp_path, rows).items, rows.astype(np.float32))


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.ones((3, 2), complex), "is an array of complex128; give numbers, real ones"),
        (np.ones((3, 2)).astype("datetime64[s]"), r"is an array of datetime64\[s\]"),
        (np.array([["1", "2"], ["3", "4"]]), "is an array of <U1"),
        (np.array([[0, 1], [np.nan, 1]]), "holds nan in row 2, column 1; clean it first"),
        (np.array([[0, 1], [1, 1e300]]), r"holds 1e\+300 in row 2, column 2; points are stored in single precision"),
    ],
    ids=["complex", "dates", "text", "missing", "too large"],
)
def test_what_would_be_read_as_other_numbers_is_refused(tmp_path, array, message):
    with pytest.raises(InputError, match=message):
        read(tmp_path, array)


def test_a_damaged_model_of_points_is_refused():
    with pytest.raises(InputError, match="2 means and 3 deviations"):
        Points(mean=(0.0, 0.0), deviation=(1.0, 1.0, 1.0))
