"""Numbers about rows of tables: columns, pairs of columns, and what classifiers make of them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
PARTS = 10  # into which a number is cut where it is held against a category
AT_ONCE = 2**22  # distances that are computed at once
LEVELS = 200  # that trees tell apart
SCALES = 2.0  # deviations of a number that count as much as another level


@dataclass(frozen=True)
class Rows:
    """Rows as numbers.

    Attributes:
        values: (n, columns); levels as their codes, NaN for a missing number.
        category: which columns are levels, (columns,).
    """

    values: Floats
    category: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.values)

    def of(self, rows: NDArray[np.generic]) -> Rows:
        """Some of them."""
        return Rows(self.values[rows], self.category)


def shapes(real: Rows, made: Rows) -> Floats:
    """How alike each column is, (columns,), 1 where it is the same: 1 less the greatest distance of the distribution
    functions of numbers (Kolmogorov and Smirnov) or of the missing shares, 1 less the total variation of levels.
    """
    found = []
    for a, b, category in zip(real.values.T, made.values.T, real.category, strict=True):
        found.append(1 - (_variation(a[:, None], b[:, None]) if category else _kolmogorov(a, b)))
    return np.array(found)


def _kolmogorov(a: Floats, b: Floats) -> float:
    from scipy.stats import ks_2samp

    gone = abs(np.isnan(a).mean() - np.isnan(b).mean())
    a, b = a[~np.isnan(a)], b[~np.isnan(b)]
    if not len(a) or not len(b):
        return float(len(a) != len(b))
    return max(float(gone), float(ks_2samp(a, b, method="asymp").statistic))


def _variation(a: Floats, b: Floats) -> float:
    """Of the joint distributions of codes (n, columns)."""
    _, place = np.unique(np.concatenate([a, b]), axis=0, return_inverse=True)
    place = place.reshape(-1)
    shares = [np.bincount(p, minlength=place.max() + 1) / len(p) for p in (place[: len(a)], place[len(a) :])]
    return float(np.abs(shares[0] - shares[1]).sum() / 2)


def trends(real: Rows, made: Rows) -> Floats:
    """How alike each pair of columns goes together, (pairs,), 1 where it is the same: for numbers 1 less half the
    difference of their correlations, else 1 less the total variation of their joint distribution, numbers in ten parts.
    """
    codes, codes_made = (_coded(rows, real) for rows in (real, made))
    found = []
    for i, j in combinations(range(codes.shape[1]), 2):
        if not real.category[i] and not real.category[j]:
            a, b = (_correlation(rows.values[:, i], rows.values[:, j]) for rows in (real, made))
            found.append(1 - abs(a - b) / 2)
        else:
            found.append(1 - _variation(codes[:, [i, j]], codes_made[:, [i, j]]))
    return np.array(found)


def _coded(rows: Rows, reference: Rows) -> Floats:
    """Levels, and of numbers the tenths of the reference in which they lie."""
    columns = zip(rows.values.T, reference.values.T, rows.category, strict=True)
    return np.stack([x if category else _cut(known, x) for x, known, category in columns], 1)


def _cut(reference: Floats, x: Floats) -> Floats:
    """Parts of equal shares in the reference; a missing number is a part of its own."""
    known = reference[~np.isnan(reference)]
    edges = np.unique(np.quantile(known, np.linspace(0, 1, PARTS + 1)[1:-1])) if len(known) else known
    return np.where(np.isnan(x), -1, np.searchsorted(edges, x, "right")).astype(float)


def _correlation(a: Floats, b: Floats) -> float:
    known = ~(np.isnan(a) | np.isnan(b))
    a, b = a[known], b[known]
    return float(np.corrcoef(a, b)[0, 1]) if len(a) > 2 and a.std() > 0 and b.std() > 0 else 0.0


def told_apart(real: Rows, made: Rows, seed: int = 0) -> float:
    """The area under the ROC curve of a classifier that learns to tell real rows from made ones, on rows that it has
    not seen: .5 where it cannot. Lopez-Paz and Oquab 2016, arXiv:1610.06545.
    """
    n = min(len(real), len(made))
    random = np.random.default_rng(seed)
    chosen = [rows.of(random.permutation(len(rows))[:n]) for rows in (real, made)]
    values = np.concatenate([rows.values for rows in chosen])
    labels = np.repeat([0, 1], n)
    order = random.permutation(2 * n)
    learn, test = order[:n], order[n:]
    from sklearn.metrics import roc_auc_score

    values = _readable(values, real.category)
    net = _classifier(real.category).fit(values[learn], labels[learn])
    return float(roc_auc_score(labels[test], net.predict_proba(values[test])[:, 1]))


def useful(train: Rows, test: Rows, target: int) -> dict[str, float]:
    """What a model that has learnt a column from some rows knows of it in others: "auc" (each class against the rest)
    and "f1" (the mean over classes) of a category, "r2" of a number. Esteban et al. 2017, arXiv:1706.02633 (TSTR).
    """
    from sklearn.metrics import f1_score, r2_score, roc_auc_score

    others = np.arange(train.values.shape[1]) != target
    y, y_test = train.values[:, target], test.values[:, target]
    if not others.any():
        return {}
    some = ~np.isnan(train.values[:, others]).all(0)  # what is always missing teaches nothing
    category = train.category[others]
    x, x_test = (np.where(some, _readable(rows.values[:, others], category), 0.0) for rows in (train, test))
    if not train.category[target]:
        known, known_test = ~np.isnan(y), ~np.isnan(y_test)
        if known.sum() < 2 or known_test.sum() < 2:
            return {"r2": float("nan")}
        found = _regressor(category).fit(x[known], y[known]).predict(x_test[known_test])
        return {"r2": float(r2_score(y_test[known_test], found))}
    classes = np.unique(y_test)
    if len(np.unique(y)) < 2 or len(classes) < 2:
        return {"auc": 0.5, "f1": 0.0}
    net = _classifier(category).fit(x, y)
    p = np.zeros((len(y_test), len(classes)))
    for place, known_class in enumerate(classes):
        if known_class in net.classes_:
            p[:, place] = net.predict_proba(x_test)[:, list(net.classes_).index(known_class)]
    areas = [roc_auc_score(y_test == c, p[:, i]) for i, c in enumerate(classes)]
    said = net.predict(x_test)
    return {"auc": float(np.mean(areas)), "f1": float(f1_score(y_test, said, average="macro"))}


def probabilities(
    train: Rows, labels: NDArray[np.int64], test: Rows, classes: int, balanced: bool, seed: int
) -> Floats:
    """What trees that have learnt labels from some rows say of others, (n, classes).

    Args:
        balanced: whether every class counts as much as another, however rare.
    """
    some = ~np.isnan(train.values).all(0)
    x, x_test = (np.where(some, _readable(rows.values, train.category), 0.0) for rows in (train, test))
    weights = {"class_weight": "balanced"} if balanced else {}
    net = _classifier(train.category).set_params(random_state=seed, **weights).fit(x, labels)
    found = np.zeros((len(x_test), classes))
    found[:, net.classes_] = net.predict_proba(x_test)
    return found


def _readable(values: Floats, category: NDArray[np.bool_]) -> Floats:
    """Rows as scikit-learn's trees take them: levels beyond the most frequent share a code."""
    return np.where(category, np.minimum(values, LEVELS), values)


def _classifier(category: NDArray[np.bool_]):  # type: ignore[no-untyped-def]
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(categorical_features=category, early_stopping=False, random_state=0)


def _regressor(category: NDArray[np.bool_]):  # type: ignore[no-untyped-def]
    from sklearn.ensemble import HistGradientBoostingRegressor

    return HistGradientBoostingRegressor(categorical_features=category, early_stopping=False, random_state=0)


def copied(made: Rows, train: Rows) -> float:
    """The share of rows that are rows of the training data, value by value."""
    known = {row.tobytes() for row in _exact(train)}
    return float(np.mean([row.tobytes() in known for row in _exact(made)]))


def _exact(rows: Rows) -> Floats:
    return np.ascontiguousarray(np.nan_to_num(rows.values, nan=-1e300)) + 0.0  # no negative zeros


def closer(made: Rows, train: Rows, held: Rows, seed: int = 0) -> float:
    """The share of rows that lie closer to training rows than to as many held-out ones, ties counted half: .5 where
    nothing was learnt by heart. Distances are Gower's, of numbers in deviations.
    """
    n = min(len(train), len(held))
    random = np.random.default_rng(seed)
    a, b = (rows.of(random.permutation(len(rows))[:n]) for rows in (train, held))
    near, far = nearest(made, a, train), nearest(made, b, train)
    return float(np.mean((near < far) + 0.5 * (near == far)))


def nearest(made: Rows, others: Rows, scale: Rows) -> Floats:
    """The distance of each row to the nearest of others, (n,): a level apart, or two deviations (of `scale`), are 1."""
    deviation = np.nanstd(scale.values, axis=0)
    x, y = (_plane(rows, deviation) for rows in (made, others))
    best = np.full(len(x), np.inf)
    for part in np.array_split(np.arange(len(y)), max(1, len(x) * len(y) // AT_ONCE)):
        distance = np.zeros((len(x), len(part)), np.float32)
        for i, category in enumerate(scale.category):
            apart = x[:, i, None] - y[None, part, i]
            distance += (apart != 0) if category else np.minimum(np.abs(apart), 1)
        best = np.minimum(best, distance.min(1))
    return best


def _plane(rows: Rows, deviation: Floats) -> NDArray[np.float32]:
    scaled = rows.values / np.where(rows.category | ~(deviation > 0), 1.0, SCALES * deviation)
    return np.nan_to_num(scaled, nan=1e6).astype(np.float32)
