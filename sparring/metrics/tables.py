"""Metrics of generated tables: columns, pairs of columns, what classifiers learn from them, and copies."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
NUMBER_BINS = 10  # into which a numeric column is divided when it is paired with a categorical one
MAX_DISTANCES = 2**22  # distances computed in one step
MAX_LEVELS = 200  # levels of a column that the tree models distinguish
DEVIATIONS_PER_LEVEL = 2.0  # a difference of this many standard deviations counts as much as another level


@dataclass(frozen=True)
class Rows:
    """Rows as numbers.

    Attributes:
        values: (n, columns); levels as their codes, NaN for a missing number.
        category: True for the columns that hold levels, (columns,).
    """

    values: Floats
    category: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: NDArray[np.generic]) -> Rows:
        """Some of the rows."""
        return Rows(self.values[rows], self.category)


def column_shapes(real: Rows, generated: Rows) -> Floats:
    """Similarity of each column's distribution, (columns,); 1 if it is equal.

    For a number: 1 - the larger of the Kolmogorov-Smirnov statistic and the difference of the missing shares. For
    levels: 1 - the total variation distance.
    """
    similarities = []
    for a, b, category in zip(real.values.T, generated.values.T, real.category, strict=True):
        distance = _total_variation(a[:, None], b[:, None]) if category else _kolmogorov_smirnov(a, b)
        similarities.append(1 - distance)
    return np.array(similarities)


def _kolmogorov_smirnov(a: Floats, b: Floats) -> float:
    from scipy.stats import ks_2samp

    missing = abs(np.isnan(a).mean() - np.isnan(b).mean())
    a, b = a[~np.isnan(a)], b[~np.isnan(b)]
    if not len(a) or not len(b):
        return float(len(a) != len(b))
    return max(float(missing), float(ks_2samp(a, b, method="asymp").statistic))


def _total_variation(a: Floats, b: Floats) -> float:
    """Total variation distance of the joint distributions of codes, (n, columns) each."""
    _, places = np.unique(np.concatenate([a, b]), axis=0, return_inverse=True)
    places = places.reshape(-1)
    shares = [np.bincount(p, minlength=places.max() + 1) / len(p) for p in (places[: len(a)], places[len(a) :])]
    return float(np.abs(shares[0] - shares[1]).sum() / 2)


def column_pair_trends(real: Rows, generated: Rows) -> Floats:
    """Similarity of the dependence of each pair of columns, (pairs,); 1 if it is equal. NaN if there are no pairs.

    For two numbers: 1 - half the difference of their correlations. Otherwise: 1 - the total variation distance of the
    joint distribution, with numbers in ten bins.
    """
    real_codes, generated_codes = (_binned(rows, real) for rows in (real, generated))
    similarities = []
    for i, j in combinations(range(real_codes.shape[1]), 2):
        if not real.category[i] and not real.category[j]:
            a, b = (_correlation(rows.values[:, i], rows.values[:, j]) for rows in (real, generated))
            similarities.append(1 - abs(a - b) / 2)
        else:
            similarities.append(1 - _total_variation(real_codes[:, [i, j]], generated_codes[:, [i, j]]))
    return np.array(similarities or [np.nan])


def _binned(rows: Rows, reference: Rows) -> Floats:
    """Levels as they are, numbers as quantile bins of the reference."""
    columns = zip(rows.values.T, reference.values.T, rows.category, strict=True)
    return np.stack([x if category else _bins(other, x) for x, other, category in columns], 1)


def _bins(reference: Floats, x: Floats) -> Floats:
    """Bins with equal shares of the reference; missing numbers are a bin of their own."""
    present = reference[~np.isnan(reference)]
    edges = np.unique(np.quantile(present, np.linspace(0, 1, NUMBER_BINS + 1)[1:-1])) if len(present) else present
    return np.where(np.isnan(x), -1, np.searchsorted(edges, x, "right")).astype(float)


def _correlation(a: Floats, b: Floats) -> float:
    present = ~(np.isnan(a) | np.isnan(b))
    a, b = a[present], b[present]
    return float(np.corrcoef(a, b)[0, 1]) if len(a) > 2 and a.std() > 0 and b.std() > 0 else 0.0


def c2st_auc(real: Rows, generated: Rows, seed: int = 0) -> float:
    """Classifier two-sample test: the area under the ROC curve of a classifier that is trained to distinguish real from
    generated rows, on rows that it was not trained on. 0.5 if it cannot. Lopez-Paz and Oquab 2016, arXiv:1610.06545.
    """
    n = min(len(real), len(generated))
    random = np.random.default_rng(seed)
    subsets = [rows.take(random.permutation(len(rows))[:n]) for rows in (real, generated)]
    values = np.concatenate([rows.values for rows in subsets])
    labels = np.repeat([0, 1], n)
    order = random.permutation(2 * n)
    train, test = order[:n], order[n:]
    from sklearn.metrics import roc_auc_score

    values = _limited(values, real.category)
    net = _classifier(real.category).fit(values[train], labels[train])
    return float(roc_auc_score(labels[test], net.predict_proba(values[test])[:, 1]))


def tstr(train: Rows, test: Rows, target: int) -> dict[str, float]:
    """Train on synthetic, test on real: how well a model that is trained on some rows predicts a column of others.

    Esteban et al. 2017, arXiv:1706.02633.

    Args:
        target: index of the predicted column.

    Returns:
        For a category "auc" (mean over the classes of each against the rest) and "f1" (mean over the classes), for a
        number "r2".
    """
    from sklearn.metrics import f1_score, r2_score, roc_auc_score

    others = np.arange(train.values.shape[1]) != target
    y, y_test = train.values[:, target], test.values[:, target]
    if not others.any():
        return {}
    usable = ~np.isnan(train.values[:, others]).all(0)  # a column that is always missing has no information
    category = train.category[others]
    x, x_test = (np.where(usable, _limited(rows.values[:, others], category), 0.0) for rows in (train, test))
    if not train.category[target]:
        present, present_test = ~np.isnan(y), ~np.isnan(y_test)
        if present.sum() < 2 or present_test.sum() < 2:
            return {"r2": float("nan")}
        predicted = _regressor(category).fit(x[present], y[present]).predict(x_test[present_test])
        return {"r2": float(r2_score(y_test[present_test], predicted))}
    classes = np.unique(y_test)
    if len(np.unique(y)) < 2 or len(classes) < 2:
        return {"auc": 0.5, "f1": 0.0}
    net = _classifier(category).fit(x, y)
    p = np.zeros((len(y_test), len(classes)))
    for i, label in enumerate(classes):
        if label in net.classes_:
            p[:, i] = net.predict_proba(x_test)[:, list(net.classes_).index(label)]
    areas = [roc_auc_score(y_test == label, p[:, i]) for i, label in enumerate(classes)]
    return {"auc": float(np.mean(areas)), "f1": float(f1_score(y_test, net.predict(x_test), average="macro"))}


def probabilities(
    train: Rows, labels: NDArray[np.int64], test: Rows, classes: int, balanced: bool, seed: int
) -> Floats:
    """Class probabilities of rows, (n, classes), by gradient-boosted trees that are trained on other rows.

    Args:
        balanced: give every class the same weight, however rare it is.
    """
    usable = ~np.isnan(train.values).all(0)
    x, x_test = (np.where(usable, _limited(rows.values, train.category), 0.0) for rows in (train, test))
    weights = {"class_weight": "balanced"} if balanced else {}
    net = _classifier(train.category).set_params(random_state=seed, **weights).fit(x, labels)
    p = np.zeros((len(x_test), classes))
    p[:, net.classes_] = net.predict_proba(x_test)
    return p


def _limited(values: Floats, category: NDArray[np.bool_]) -> Floats:
    """Rows as scikit-learn's trees accept them: levels beyond the most frequent ones share a code."""
    return np.where(category, np.minimum(values, MAX_LEVELS), values)


def _classifier(category: NDArray[np.bool_]):  # type: ignore[no-untyped-def]
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(categorical_features=category, early_stopping=False, random_state=0)


def _regressor(category: NDArray[np.bool_]):  # type: ignore[no-untyped-def]
    from sklearn.ensemble import HistGradientBoostingRegressor

    return HistGradientBoostingRegressor(categorical_features=category, early_stopping=False, random_state=0)


def exact_copy_share(generated: Rows, train: Rows) -> float:
    """Share of rows that are equal to a training row in every value."""
    copies = {row.tobytes() for row in _comparable(train)}
    return float(np.mean([row.tobytes() in copies for row in _comparable(generated)]))


def _comparable(rows: Rows) -> Floats:
    return np.ascontiguousarray(np.nan_to_num(rows.values, nan=-1e300)) + 0.0  # no negative zeros


def dcr_share(generated: Rows, train: Rows, held: Rows, seed: int = 0) -> float:
    """Share of rows whose distance to the closest record (DCR) is smaller among training rows than among the same
    number of held-out rows; ties count half. 0.5 if nothing was memorized. See `nearest` for the distance.
    """
    n = min(len(train), len(held))
    random = np.random.default_rng(seed)
    a, b = (rows.take(random.permutation(len(rows))[:n]) for rows in (train, held))
    to_train, to_held = nearest(generated, a, train), nearest(generated, b, train)
    return float(np.mean((to_train < to_held) + 0.5 * (to_train == to_held)))


def nearest(rows: Rows, others: Rows, scale: Rows) -> Floats:
    """Gower distance of each row to the nearest of others, (n,). A different level counts 1, and so does a difference
    of two standard deviations (of `scale`) or more.
    """
    deviation = np.nanstd(scale.values, axis=0)
    x, y = (_scaled(part, deviation) for part in (rows, others))
    best = np.full(len(x), np.inf)
    for part in np.array_split(np.arange(len(y)), max(1, len(x) * len(y) // MAX_DISTANCES)):
        distance = np.zeros((len(x), len(part)), np.float32)
        for i, category in enumerate(scale.category):
            difference = x[:, i, None] - y[None, part, i]
            distance += (difference != 0) if category else np.minimum(np.abs(difference), 1)
        best = np.minimum(best, distance.min(1))
    return best


def _scaled(rows: Rows, deviation: Floats) -> NDArray[np.float32]:
    unchanged = rows.category | ~(deviation > 0)
    scaled = rows.values / np.where(unchanged, 1.0, DEVIATIONS_PER_LEVEL * deviation)
    return np.nan_to_num(scaled, nan=1e6).astype(np.float32)
