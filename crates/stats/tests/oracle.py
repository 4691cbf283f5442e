"""Computes the facts in oracle.json with scipy and numpy, which this crate is compared with.

    python3 -m venv venv && venv/bin/pip install scipy==1.17.1 numpy==2.4.6
    venv/bin/python crates/stats/tests/oracle.py > crates/stats/tests/oracle.json
"""

import json
import math

import numpy as np
from scipy import stats

rng = np.random.default_rng(20261121)


def samples():
    """Pairs of samples as builds give them: skewed, rounded, with outliers, of unequal sizes."""
    yield [5.1, 5.3, 4.9], [4.8, 5.0, 5.2, 5.05, 4.95]
    yield [20.0], [10.0, 10.1, 9.9, 10.05, 9.95, 10.2, 9.8]
    yield [1.0, 2.0, 2.0, 3.0], [2.0, 2.0, 4.0, 5.0, 5.0]
    for first, second in [(2, 3), (1, 30), (5, 5), (4, 20), (10, 12), (25, 25)]:
        yield np.round(rng.lognormal(1.1, 0.3, first), 6).tolist(), np.round(rng.lognormal(1, 0.3, second), 6).tolist()
        yield np.round(rng.lognormal(2, 0.2, first), 0).tolist(), np.round(rng.lognormal(2, 0.2, second), 0).tolist()


def is_tied(first, second):
    pooled = first + second
    return len(set(pooled)) < len(pooled)


def exact(first, second, alternative):
    """The permutation probability; scipy's own exact method assumes that there are no ties."""
    if not is_tied(first, second):
        return stats.mannwhitneyu(first, second, alternative=alternative, method="exact").pvalue
    if min(len(first), len(second)) < 2 or math.comb(len(first) + len(second), len(first)) > 200_000:
        return None
    ranks = lambda x, y, axis: stats.rankdata(np.concatenate([x, y], axis=axis), axis=axis)[..., : x.shape[axis]].sum(axis=axis)
    return stats.permutation_test(
        (first, second), ranks, alternative=alternative, vectorized=True, n_resamples=np.inf
    ).pvalue


def interval(first, second, confidence):
    """Every shift that the exact test does not refuse, found by trying the places between all differences."""
    if is_tied(first, second):
        return None
    differences = np.sort(np.subtract.outer(first, second).ravel())
    if len(np.unique(differences)) < len(differences):
        return None
    tail = (1 - confidence) / 2
    u = lambda shift: stats.mannwhitneyu(np.array(first) - shift, second, alternative="greater", method="exact").pvalue
    v = lambda shift: stats.mannwhitneyu(np.array(first) - shift, second, alternative="less", method="exact").pvalue
    edges = np.concatenate([[differences[0] - 1], differences, [differences[-1] + 1]])
    middles = (edges[1:] + edges[:-1]) / 2
    kept = [i for i, shift in enumerate(middles) if u(shift) > tail and v(shift) > tail]
    if kept[0] == 0 or kept[-1] == len(middles) - 1:
        return None
    return [edges[kept[0]], edges[kept[-1] + 1]]


def facts(first, second):
    probabilities = [0.0, 0.05, 0.25, 0.5, 0.9, 0.95, 1.0]
    asymptotic = stats.mannwhitneyu(first, second, alternative="two-sided", method="asymptotic")
    greater = stats.mannwhitneyu(first, second, alternative="greater", method="asymptotic")
    return {
        "first": first,
        "second": second,
        "probabilities": probabilities,
        "quantiles": np.quantile(second, probabilities).tolist(),
        "mad": stats.median_abs_deviation(second),
        "scaled_mad": stats.median_abs_deviation(second, scale="normal"),
        "u": asymptotic.statistic,
        "exact": {side: exact(first, second, side) for side in ["greater", "less", "two-sided"]},
        "asymptotic_greater": greater.pvalue,
        "hodges_lehmann": float(np.median(np.subtract.outer(first, second))),
        "interval_90": interval(first, second, 0.9),
        "cliffs_delta": float(np.sign(np.subtract.outer(first, second)).mean()),
    }


def large():
    first = np.round(rng.lognormal(1.05, 0.4, 400), 2).tolist()
    second = np.round(rng.lognormal(1.0, 0.4, 600), 2).tolist()
    result = {"first": first, "second": second}
    for side in ["greater", "less"]:
        result[side] = stats.mannwhitneyu(first, second, alternative=side, method="asymptotic").pvalue
    return result


def plain(value):
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    if isinstance(value, np.generic):
        return value.item()
    return value


pairs = [facts(*pair) for pair in samples()]
text = json.dumps(plain({"pairs": pairs, "large": large()}), separators=(",", ":"))
print(text.replace('{"first"', '\n{"first"'))
