"""Golden numbers for evals/spectra: numpy's full SVD of a handful of matrices, and its null distribution of c.

Run: python test/golden/make-spectra.py   (numpy; writes fixtures/spectra.json and fixtures/spectra-null.json)
"""
import json
import pathlib

import numpy as np

FIXTURES = pathlib.Path(__file__).parent / "fixtures"
SEED = 20240611
K = 6
EPSILON = 0.5
rng = np.random.default_rng(SEED)


def as_float32(W):
    """What a checkpoint would hold: both sides must start from the same bits."""
    return W.astype(np.float32).astype(np.float64)


def power_law(m, n, exponent):
    p = min(m, n)
    U, _ = np.linalg.qr(rng.standard_normal((m, p)))
    V, _ = np.linalg.qr(rng.standard_normal((n, p)))
    return U @ np.diag(np.arange(1, p + 1.0) ** -exponent) @ V.T


def spike(W0, size):
    m, n = W0.shape
    u, v = rng.standard_normal(m), rng.standard_normal(n)
    return size * np.linalg.norm(W0, 2) * np.outer(u, v) / (np.linalg.norm(u) * np.linalg.norm(v))


def low_rank(m, n, rank, size):
    return size * rng.standard_normal((m, rank)) @ rng.standard_normal((rank, n)) / np.sqrt(n * rank)


def erank(s):
    p = s[s > s[0] * 1e-12]
    p = p / p.sum()
    return float(np.exp(-(p * np.log(p)).sum()))


def case(name, W0, change):
    W0 = as_float32(W0)
    W1 = as_float32(W0 + change)
    U0, S0, _ = np.linalg.svd(W0, full_matrices=False)
    U1, S1, _ = np.linalg.svd(W1, full_matrices=False)
    c = np.abs(U1.T @ U0).max(axis=1)[:K]
    dW = W1 - W0
    ids = c < EPSILON
    return {
        "name": name,
        "shape": list(W0.shape),
        "W0": [float(f"{x:.9g}") for x in W0.ravel()],
        "W1": [float(f"{x:.9g}") for x in W1.ravel()],
        "base": S0.tolist(),
        "tuned": S1.tolist(),
        "change": np.linalg.svd(dW, compute_uv=False).tolist(),
        "alignment": c.tolist(),
        "energyShare": float((S1[:K][ids] ** 2).sum() / (S1[:K] ** 2).sum()),
        "effectiveRank": erank(np.linalg.svd(dW, compute_uv=False)),
        "relativeChange": float(np.linalg.norm(dW) / np.linalg.norm(W0)),
    }


def rank_deficient(m, n, rank):
    """The change stays in W0's column space: outside it numpy's null vectors are as arbitrary as ours."""
    left = rng.integers(-3, 4, (m, rank)).astype(float)
    W0 = left @ rng.integers(-3, 4, (rank, n)).astype(float)
    change = left @ rng.integers(-2, 3, (rank, n)).astype(float)
    return W0, change


wide = rng.standard_normal((24, 40))
tall = rng.standard_normal((40, 24))
law = power_law(32, 32, 0.7)
steep = power_law(20, 28, 2.5)
cases = [
    case("wide 24×40, small dense change", wide, 0.05 * rng.standard_normal((24, 40))),
    case("tall 40×24, one spike", tall, spike(tall, 1.5)),
    case("square 32×32, power law, rank-4 change", law, low_rank(32, 32, 4, 0.8)),
    case("steep 20×28, rank-2 change", steep, low_rank(20, 28, 2, 0.3)),
    case("rank-deficient 18×30 of rank 5", *rank_deficient(18, 30, 5)),
    case("rank-deficient 30×18 of rank 5", *rank_deficient(30, 18, 5)),
]


def null_row(m, k, draws=100_000):
    c = np.empty(draws)
    for start in range(0, draws, 2000):
        z = rng.standard_normal((2000, m))
        z /= np.linalg.norm(z, axis=1, keepdims=True)
        c[start : start + 2000] = np.abs(z[:, :k]).max(axis=1)
    return {"m": m, "k": k, "band": [round(float(q), 4) for q in np.quantile(c, [0.01, 0.99])]}


SHAPES = [(d, d) for d in (16, 32, 48, 64, 96, 128, 256, 512, 768)] + [(256, 64), (64, 16)]
made = {"made by": f"numpy {np.__version__}, seed {SEED}"}
dump = lambda name, value: (FIXTURES / name).write_text(json.dumps(value, ensure_ascii=False) + "\n")
dump("spectra.json", {**made, "k": K, "epsilon": EPSILON, "cases": cases})
dump("spectra-null.json", {**made, "draws": 100_000, "rows": [null_row(m, k) for m, k in SHAPES]})
