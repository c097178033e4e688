"""
Levels of group-sequential looks, for test/unit/statistics/paired/sequential-levels.test.ts: Lan and DeMets' boundaries by Gauss and Legendre's rule with
scipy's normal distribution, and passing probabilities of paired counts, block by block with multinomial probabilities.

Run: python test/golden/make-sequential.py   (numpy, scipy 1.17.1; writes fixtures/sequential.json)
"""
import json
import math
from pathlib import Path

import numpy as np
from scipy.optimize import brentq
from scipy.stats import multinomial, norm

SPENDING = {
    "obrien-fleming": lambda t, a: 2 - 2 * norm.cdf(norm.ppf(1 - a / 2) / math.sqrt(t)),
    "pocock": lambda t, a: a * math.log(1 + (math.e - 1) * t),
}


def boundaries(fractions, spent):
    """z of each look, so that P[some Z_j > z_j, j <= k] = spent[k]: Brownian motion on a fine grid, Gauss-Legendre between looks."""
    found, at, mass = [], np.array([0.0]), np.array([1.0])
    nodes, weights = np.polynomial.legendre.leggauss(400)
    for k, t in enumerate(fractions):
        sd = math.sqrt(t - (fractions[k - 1] if k else 0))
        wanted = spent[k] - (spent[k - 1] if k else 0)
        bound = brentq(lambda c: mass @ norm.sf((c - at) / sd) - wanted, -3, 12, xtol=1e-14)
        found.append(bound / math.sqrt(t))
        low = -10 * math.sqrt(t)
        points = low + (nodes + 1) * (bound - low) / 2
        density = norm.pdf((points[:, None] - at[None, :]) / sd) @ mass / sd
        at, mass = points, density * weights * (bound - low) / 2
    return found


def passed(sizes, limits, lost, gained):
    """P[lost <= limits[k][gained] at some look up to k], k by k."""
    table = {(0, 0): 1.0}
    done, so_far, before = [], 0.0, 0
    for n, limit in zip(sizes, limits):
        block = n - before
        before = n
        steps = [
            (b, c, multinomial.pmf([b, c, block - b - c], block, [lost, gained, 1 - lost - gained]))
            for b in range(block + 1)
            for c in range(block + 1 - b)
        ]
        following = {}
        for (b, c), p in table.items():
            for db, dc, q in steps:
                if p * q > 1e-16:
                    key = (b + db, c + dc)
                    following[key] = following.get(key, 0.0) + p * q
        stopped = {key: p for key, p in following.items() if key[0] <= limit + key[1]}
        so_far += sum(stopped.values())
        table = {key: p for key, p in following.items() if key not in stopped}
        done.append(so_far)
    return done


looks = []
for spending in SPENDING:
    for fractions in ([0.2, 0.4, 0.6, 0.8, 1.0], [0.5, 1.0], [0.1, 0.45, 1.0]):
        for alpha in (0.05, 0.025):
            spent = [SPENDING[spending](t, alpha) if t < 1 else alpha for t in fractions]
            levels = [float(norm.sf(z)) for z in boundaries(fractions, spent)]
            looks.append({"spending": spending, "fractions": fractions, "alpha": alpha, "levels": levels})

tables = []
for sizes, limits, lost, gained in [
    ([10, 20, 30], [-2, -1, 0], 0.2, 0.1),
    ([12, 24], [0, 0], 0.07, 0.02),
]:
    found = passed(sizes, limits, lost, gained)
    tables.append({"sizes": sizes, "limits": limits, "lost": lost, "gained": gained, "passed": [float(p) for p in found]})

path = Path(__file__).parent / "fixtures" / "sequential.json"
path.write_text(json.dumps({"looks": looks, "tables": tables}, indent=1) + "\n")
