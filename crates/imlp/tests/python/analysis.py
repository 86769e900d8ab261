"""Compares o/analysis.json with SciPy, statsmodels and NumPy, from the rows of results.

Usage: analysis.py FOLDER ROWS.jsonl
"""

import json
import sys
from pathlib import Path

import numpy as np
from scipy import stats
from statsmodels.stats.multitest import multipletests

folder, rows = map(Path, sys.argv[1:])
analysis = json.loads((folder / "analysis.json").read_text())
rows = [json.loads(line) for line in rows.read_text().splitlines()]

by_alpha = {}
prior = {}
for row in rows:
    value = row["test_accuracy_after"]
    if value is not None:
        by_alpha.setdefault(row["alpha"], {})[row["seed"]] = value
    prior[row["seed"]] = row["prior_test_accuracy"]


def close(got, expected, what):
    assert np.allclose(got, expected, rtol=1e-7, atol=1e-10), (what, got, expected)


def compare(found, reference, what):
    tested = [c for c in found if c["p"] is not None]
    holm = multipletests([c["p"] for c in tested], method="holm")[1]
    for c, adjusted in zip(tested, holm):
        close(c["holm"], adjusted, what)
    for c in found:
        values = by_alpha[c["alpha"]]
        seeds = sorted(values.keys() & reference.keys())
        d = np.array([values[s] - reference[s] for s in seeds])
        assert c["difference"]["n"] == len(d), what
        close(c["difference"]["mean"], d.mean(), what)
        if c["p"] is None:
            continue
        close(c["p"], stats.ttest_1samp(d, 0).pvalue, what)
        interval = stats.t.interval(0.95, len(d) - 1, d.mean(), stats.sem(d))
        close(c["difference"]["ci95"], interval, what)
        tost = max(
            stats.ttest_1samp(d, -0.01, alternative="greater").pvalue,
            stats.ttest_1samp(d, 0.01, alternative="less").pvalue,
        )
        close(c["equivalence"], tost, what)
        resampled = stats.bootstrap((d,), np.mean, method="percentile", random_state=1)
        low, high = resampled.confidence_interval
        width = max(high - low, 1e-9)
        assert abs(c["bootstrap"][0] - low) < 0.1 * width, what
        assert abs(c["bootstrap"][1] - high) < 0.1 * width, what


compare(analysis["to_plain_mlp"], by_alpha[0.0], "to the plain MLP")
compare(analysis["to_prior"], prior, "to the prior")


def t(y, weights):
    z = y @ weights
    return z.mean() / (z.std(ddof=1) / np.sqrt(len(z)))


def contrast(first, last, levels):
    """Rising rank scores of the levels first … last, centred and of unit norm."""
    weights = np.zeros(levels)
    scores = np.arange(first, last + 1) - (first + last) / 2
    weights[first : last + 1] = scores / np.linalg.norm(scores)
    return weights


y = np.array([[by_alpha[a][s] for a in analysis["alphas"]] for s in analysis["seeds"]])
levels = y.shape[1]
verdict = analysis["verdict"]
for name, sign in (("minimum", 1), ("maximum", -1)):
    splits = [
        min(t(-sign * y, contrast(0, j, levels)), t(sign * y, contrast(j, levels - 1, levels)))
        for j in range(1, levels - 1)
    ]
    close(verdict[name]["v"], max(splits), name)
    assert verdict[name]["split"] == 1 + int(np.argmax(splits)), name
trend = t(y, contrast(0, levels - 1, levels))
close(verdict["trend"]["t"], trend, "trend")
close(verdict["trend"]["p"], 2 * stats.t.sf(abs(trend), len(y) - 1), "trend")

# The critical value, from other random numbers.
random = np.random.default_rng(7)
drawn = []
for _ in range(10):
    noise = random.standard_normal((4000, len(y), levels))
    z = np.stack([noise @ contrast(j, levels - 1, levels) for j in range(1, levels - 1)])
    drawn.append((z.mean(2) / (z.std(2, ddof=1) / np.sqrt(len(y)))).max(0))
critical = np.quantile(np.concatenate(drawn), 0.95)
assert abs(verdict["critical"] - critical) < 0.03 * critical, (verdict["critical"], critical)
print(f"{len(analysis['to_plain_mlp'])} and {len(analysis['to_prior'])} comparisons")
