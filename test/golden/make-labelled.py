"""Golden numbers for labels by people: SciPy's hypergeometric distribution and Fisher's test, ppi-python's PPI++.

Run: python test/golden/make-labelled.py   (numpy, scipy, ppi-python 0.2.3; writes fixtures/labelled.json)
"""
import json
import pathlib

import numpy as np
from ppi_py import ppi_mean_ci, ppi_mean_pointestimate
from scipy import stats

FIXTURE = pathlib.Path(__file__).parent / "fixtures" / "labelled.json"


def limits():
    rows = []
    for x, m, N in [(0, 60, 375), (3, 60, 375), (0, 0, 12), (12, 12, 12), (5, 12, 40), (99, 100, 400)]:
        for alpha in (0.05, 0.025, 0.2):
            inside = [K for K in range(x, N - m + x + 1) if stats.hypergeom.cdf(x, N, K, m) > alpha]
            least = [K for K in range(x, N - m + x + 1) if stats.hypergeom.sf(x - 1, N, K, m) > alpha]
            rows.append({"x": x, "m": m, "N": N, "alpha": alpha, "most": max(inside), "least": min(least)})
    return rows


def fisher():
    tables = [(9, 10, 3, 12), (60, 60, 58, 60), (40, 42, 2, 38), (0, 5, 0, 9), (7, 7, 7, 7), (120, 200, 90, 180)]
    return [{"one": [a, n], "two": [b, m], "p": float(stats.fisher_exact([[a, n - a], [b, m - b]]).pvalue)}
            for a, n, b, m in tables]


def powered():
    rng = np.random.default_rng(5)
    rows = []
    for n, N, noise in [(40, 300, 0.1), (25, 60, 0.4), (80, 80, 0.0), (30, 500, 0.9)]:
        truth = rng.choice([-1, 0, 1], n + N, p=[0.1, 0.7, 0.2])
        guess = np.where(rng.random(n + N) < noise, rng.choice([-1, 0, 1], n + N), truth)
        weights = rng.integers(1, 9, n).astype(float)
        for w in (np.ones(n), weights):
            args = (truth[:n].astype(float), guess[:n].astype(float), guess[n:].astype(float))
            low, high = ppi_mean_ci(*args, alpha=0.05, w=w)
            rows.append({"truth": truth[:n].tolist(), "guess": guess[:n].tolist(), "others": guess[n:].tolist(),
                         "weights": w.tolist(), "estimate": float(ppi_mean_pointestimate(*args, w=w).item()),
                         "lower": float(low[0]), "upper": float(high[0])})
    return rows


def main():
    made = {"limits": limits(), "fisher": fisher(), "powered": powered()}
    FIXTURE.write_text(json.dumps(made) + "\n")


main()
