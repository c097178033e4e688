"""Golden numbers for clustered prompts: statsmodels' cluster-robust OLS, CR2 and its degrees of freedom from their matrices,
ICC from statsmodels' analysis of variance, sign flips by enumeration, Student's t from SciPy.

Run: python test/golden/make-clusters.py   (numpy, scipy, statsmodels; writes fixtures/clusters.json)
"""
import itertools
import json
import pathlib

import numpy as np
import statsmodels.api as sm
from scipy import linalg, stats

FIXTURE = pathlib.Path(__file__).parent / "fixtures" / "clusters.json"
SIZES = [[5] * 12, [1, 2, 3, 4, 5, 6, 7, 8], [1] * 9, [20, 1, 1, 1, 4, 4], [2] * 30, [8] * 10 + [1] * 40]


def inverse_root(matrix):
    values, vectors = np.linalg.eigh(matrix)
    return vectors @ np.diag([v ** -0.5 if v > 1e-10 else 0.0 for v in values]) @ vectors.T


def cr2(y, groups):
    """V = Σ_g (x' A_g e_g)²/n² with A_g = (I − H_gg)^(−1/2), and Satterthwaite's degrees (Bell and McCaffrey 2002)."""
    n = len(y)
    X = np.ones((n, 1))
    H = X @ np.linalg.inv(X.T @ X) @ X.T
    M = np.eye(n) - H
    e = M @ y
    bread = np.linalg.inv(X.T @ X)
    columns, variance = [], 0.0
    for g in np.unique(groups):
        at = groups == g
        A = inverse_root(np.eye(at.sum()) - H[np.ix_(at, at)])
        variance += float((bread @ X[at].T @ A @ e[at]).item()) ** 2
        columns.append((M[:, at] @ A @ X[at] @ bread)[:, 0])
    inner = np.array(columns) @ np.array(columns).T
    values = np.linalg.eigvalsh(inner)
    return variance, float(values.sum() ** 2 / (values ** 2).sum())


def icc(y, groups):
    n, sizes = len(y), np.bincount(groups)
    G = len(sizes)
    if G == n:
        return None
    fit = sm.OLS(y, (groups[:, None] == np.arange(G)).astype(float)).fit()
    within = fit.ssr / (n - G)
    between = (((y - y.mean()) ** 2).sum() - fit.ssr) / (G - 1)
    m = (n - (sizes ** 2).sum() / n) / (G - 1)
    return float((between - within) / (between + (m - 1) * within))


def means():
    rng = np.random.default_rng(11)
    rows = []
    for sizes in SIZES:
        groups = np.repeat(np.arange(len(sizes)), sizes)
        y = np.clip(np.round(rng.normal(0.2, 0.6, len(sizes))[groups] + rng.normal(0, 0.5, len(groups))), -1, 1)
        variance, degrees = cr2(y, groups)
        fit = sm.OLS(y, np.ones(len(y))).fit(cov_type="cluster", cov_kwds={"groups": groups, "use_correction": True})
        rows.append({"values": y.tolist(), "clusters": groups.tolist(), "variance": variance, "degrees": degrees,
                     "statsmodels": float(fit.cov_params()[0, 0]), "icc": icc(y, groups),
                     "quantile": float(stats.t.ppf(0.975, degrees))})
    return rows


def flips():
    rng = np.random.default_rng(12)
    rows = []
    for G in (1, 4, 9, 13):
        z = np.round(rng.normal(-0.1, 0.5, G), 3)
        sums = np.array([np.dot(signs, z) for signs in itertools.product((1, -1), repeat=G)])
        rows.append({"z": z.tolist(), "below": float((sums <= z.sum() + 1e-9).mean()),
                     "above": float((sums >= z.sum() - 1e-9).mean())})
    return rows


def student():
    return [{"t": t, "degrees": v, "lower": float(stats.t.cdf(t, v))}
            for t in (-40, -3.3, -1, 0, 0.4, 2.045, 9) for v in (1, 2.5, 11, 29, 140.2, 5000)]


FIXTURE.write_text(json.dumps({"means": means(), "flips": flips(), "student": student()}, indent=1) + "\n")
