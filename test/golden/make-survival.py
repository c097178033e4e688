"""Golden numbers for evals/statistics/survival.ts: lifelines' Kaplan-Meier and log-rank, SciPy's log-rank and Clopper-Pearson.

Run: python test/golden/make-survival.py   (lifelines 0.30.3, scipy 1.17.1; writes fixtures/survival.json)
"""
import json
import pathlib

import numpy as np
from lifelines import KaplanMeierFitter
from lifelines.statistics import logrank_test, multivariate_logrank_test  # noqa: F401
from scipy import stats

FIXTURE = pathlib.Path(__file__).parent / "fixtures" / "survival.json"
rng = np.random.default_rng(7)


def lifetimes(n, scale, end, early):
    """Whole numbers, so that there are ties; censored at `end`, or earlier with probability `early`."""
    times = np.ceil(rng.exponential(scale, n)).astype(int)
    leaves = np.where(rng.random(n) < early, rng.integers(1, end, n), end)
    failed = times <= leaves
    return np.minimum(times, leaves), failed


def curve(times, failed):
    fit = KaplanMeierFitter().fit(times, failed)
    limits = fit.confidence_interval_survival_function_
    points = []
    for t in sorted(set(times[failed])):
        gone = int(((~failed) & (times < t)).sum())
        alive = int((times > t).sum() + ((times == t) & ~failed).sum())
        exact = stats.binomtest(alive, len(times)).proportion_ci(0.95, "exact")
        s = float(fit.predict(t))
        log_log = [float(v) for v in limits.loc[t]] if s > 0 else [0.0, 1.0]
        points.append({"time": int(t), "surviving": s, "isComplete": gone == 0,
                       "exact": [float(exact.low), float(exact.high)], "logLog": log_log})
    return points


def scipy_log_rank(a, b):
    data = [stats.CensoredData.right_censored(t, ~f) for t, f in (a, b)]
    found = stats.logrank(*data)
    return {"z": float(found.statistic), "p": float(found.pvalue)}


curves, pairs = [], []
for n, early in ((6, 0), (8, 0), (20, 0), (20, 0.4), (40, 0.3)):
    t, f = lifetimes(n, 8, 16, early)
    curves.append({"times": t.tolist(), "failed": f.tolist(), "points": curve(t, f)})
for n, m, scale in ((6, 6, 12), (10, 8, 20), (30, 25, 8), (40, 40, 14)):
    a, b = lifetimes(n, 8, 16, 0.2), lifetimes(m, scale, 16, 0.2)
    check = logrank_test(a[0], b[0], a[1], b[1])
    found = scipy_log_rank(a, b)
    assert abs(found["z"] ** 2 - check.test_statistic) < 1e-9
    pairs.append({"groups": [{"times": t.tolist(), "failed": f.tolist()} for t, f in (a, b)], **found})

FIXTURE.write_text(json.dumps({"curves": curves, "pairs": pairs}) + "\n")
