"""Golden numbers for evals/statistics: SciPy's distributions, and sums over every outcome in float64.

Run: python test/golden/make-statistics.py   (numpy, scipy; writes fixtures/statistics.json)
"""
import json
import pathlib

import numpy as np
from scipy import optimize, special, stats

FIXTURE = pathlib.Path(__file__).parent / "fixtures" / "statistics.json"
COUNTS = [(0, 1), (1, 1), (0, 100), (3, 520), (514, 520), (5, 10), (1, 30), (17, 40), (100, 100), (250, 1000)]
PAIRS = [(1, 9), (0, 5), (12, 30), (5, 5), (0, 0), (2, 3), (40, 81)]


def normal():
    return [{"x": x, "lower": float(stats.norm.cdf(x))} for x in (-9, -4.2, -3, -1.959964, -0.3, 0, 0.7, 2.5, 3.5, 8)]


def intervals():
    rows = []
    for x, n in COUNTS:
        for confidence in (0.9, 0.95, 0.99):
            a = (1 - confidence) / 2
            exact = [
                0.0 if x == 0 else float(stats.beta.ppf(a, x, n - x + 1)),
                1.0 if x == n else float(stats.beta.ppf(1 - a, x + 1, n - x)),
            ]
            half = lambda p: stats.binom.pmf(x, n, p) / 2
            solve = lambda f: float(optimize.brentq(f, 1e-15, 1 - 1e-15, xtol=1e-15, rtol=1e-14))
            mid = [
                0.0 if x == 0 else solve(lambda p: stats.binom.sf(x, n, p) + half(p) - a),
                1.0 if x == n else solve(lambda p: stats.binom.cdf(x, n, p) - half(p) - a),
            ]
            rows.append({"x": x, "n": n, "confidence": confidence, "exact": exact, "midP": mid})
    return rows


def mcnemar():
    rows = []
    for b, c in PAIRS:
        p = float(stats.binomtest(b, b + c, 0.5).pvalue) if b + c else 1.0
        rows.append({"b": b, "c": c, "exact": p})
    return rows


def cells(n):
    """Every (b, c) with b + c <= n."""
    b, c = np.meshgrid(np.arange(n + 1), np.arange(n + 1), indexing="ij")
    keep = b + c <= n
    return b[keep], c[keep]


def probabilities(n, b, c, lost, gained):
    """Trinomial probabilities of (b, c)."""
    rest = n - b - c
    log = special.gammaln(n + 1) - special.gammaln(b + 1) - special.gammaln(c + 1) - special.gammaln(rest + 1)
    log = log + special.xlogy(b, lost) + special.xlogy(c, gained) + special.xlogy(rest, 1 - lost - gained)
    return np.exp(log)


def constrained(n, b, c, margin):
    """The likelihood's p01 at p10 - p01 = margin, by the numbers rather than by Tango's formula."""
    f = lambda q: -(special.xlogy(b, q + margin) + special.xlogy(c, q) + special.xlogy(n - b - c, 1 - margin - 2 * q))
    if c == 0 and f(1e-9) >= f(0):
        return 0.0
    return float(optimize.minimize_scalar(f, bounds=(0, (1 - margin) / 2), method="bounded", options={"xatol": 1e-13}).x)


def tango(n, b, c, margin):
    """Closed form, over arrays."""
    B = b + c + margin * (b - c - 2 * n)
    q = np.maximum(0, (B + np.sqrt(B**2 + 8 * n * c * margin * (1 - margin))) / (4 * n))
    return (b - c - n * margin) / np.sqrt(n * (2 * q + margin - margin**2))


def scores():
    rows = []
    for n, b, c, margin in [(50, 3, 2, 0.05), (96, 0, 0, 0.03), (96, 7, 1, 0.05), (200, 4, 9, 0.02), (30, 0, 4, 0.2)]:
        q = constrained(n, b, c, margin)
        rows.append({"n": n, "lost": b, "gained": c, "margin": margin,
                     "score": float((b - c - n * margin) / np.sqrt(n * (2 * q + margin - margin**2)))})
    return rows


def margins():
    """sup over p01 of P[T <= t] and of P[T >= t], at the margin, over a dense grid."""
    rows = []
    for n, b, c, margin in [(20, 0, 1, 0.1), (50, 1, 2, 0.05), (96, 0, 0, 0.03), (96, 1, 4, 0.05), (150, 14, 2, 0.03), (200, 3, 2, 0.05)]:
        B, C = cells(n)
        T = tango(n, B, C, margin)
        t = tango(n, b, c, margin)
        below, above = T <= t + 1e-9, T >= t - 1e-9
        # Twice as dense as it needs to be near 0, where the probability turns fastest.
        grid = (1 - margin) / 2 * np.linspace(0, 1, 1201) ** 2
        sums = [(P[below].sum(), P[above].sum()) for q in grid for P in [probabilities(n, B, C, q + margin, q)]]
        rows.append({"n": n, "lost": b, "gained": c, "margin": margin,
                     "below": float(max(s[0] for s in sums)), "above": float(max(s[1] for s in sums))})
    return rows


def power():
    """The exact McNemar test's power, cell by cell."""
    rows = []
    for n, lost, gained in [(60, 0.2, 0.05), (120, 0.08, 0.01), (200, 0.03, 0.03), (40, 0.5, 0.1)]:
        B, C = cells(n)
        p = np.minimum(1, 2 * stats.binom.cdf(np.minimum(B, C), B + C, 0.5))
        rows.append({"n": n, "lost": lost, "gained": gained, "alpha": 0.05,
                     "power": float(probabilities(n, B, C, lost, gained)[p <= 0.05].sum())})
    return rows


def variance():
    """Balanced two-way ANOVA of a small table, by projections."""
    rng = np.random.default_rng(7)
    S, P, r = 3, 5, 2
    y = np.round(rng.normal(size=(S, 1, 1)) + rng.normal(size=(1, P, 1)) + 0.5 * rng.normal(size=(S, P, r)), 3)
    cell, seed, prompt, mean = y.mean(2), y.mean((1, 2)), y.mean((0, 2)), y.mean()
    ms = {
        "S": P * r * ((seed - mean) ** 2).sum() / (S - 1),
        "P": S * r * ((prompt - mean) ** 2).sum() / (P - 1),
        "SP": r * ((cell - seed[:, None] - prompt[None] + mean) ** 2).sum() / ((S - 1) * (P - 1)),
        "E": ((y - cell[..., None]) ** 2).sum() / (S * P * (r - 1)),
    }
    return {"scores": y.tolist(), "seed": (ms["S"] - ms["SP"]) / (P * r), "prompt": (ms["P"] - ms["SP"]) / (S * r),
            "seedByPrompt": (ms["SP"] - ms["E"]) / r, "sample": ms["E"]}


def main():
    made = {"normal": normal(), "intervals": intervals(), "mcnemar": mcnemar(), "scores": scores(),
            "margins": margins(), "power": power(), "variance": variance()}
    FIXTURE.write_text(json.dumps(made, indent=1) + "\n")


main()
