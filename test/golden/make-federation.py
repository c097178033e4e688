"""What strategies make of four clients' adapters of one layer, by NumPy in float64; row-major.

    python test/golden/make-federation.py > test/golden/fixtures/federation.json
"""

import json
import math

import numpy as np

ROWS, COLUMNS, RANK, SCALE, RIDGE = 7, 6, 2, 2.0, 0.05
WEIGHTS = [0.4, 0.3, 0.2, 0.1]


def numbers(x):
    return [float(v) for v in np.asarray(x).flatten()]


def cosine_descent(change, a, b, steps, rate, ridge):
    start, b = b, b.copy()
    for _ in range(steps):
        x = b @ a
        inner, size, length = (change * x).sum(), np.linalg.norm(change), np.linalg.norm(x)
        slope = -(change @ a.T) / (size * length) + inner * (x @ a.T) / (size * length**3)
        moved = b - start
        norm = np.linalg.norm(moved)
        b = b - rate * (slope + (ridge * moved / norm if norm > 0 else 0))
    return b


def main():
    draw = np.random.default_rng(5)
    # Multiples of 2**-12, so that float32 holds them exactly.
    exact = lambda *shape: np.round(draw.normal(size=shape) * 4096) / 4096
    before = {"A": exact(RANK, COLUMNS), "B": exact(ROWS, RANK)}
    clients = [
        {side: x + exact(*x.shape) / 4 for side, x in before.items()} for _ in WEIGHTS
    ]
    mean = {s: sum(p * c[s] for p, c in zip(WEIGHTS, clients)) for s in "AB"}
    product = sum(p * c["B"] @ c["A"] for p, c in zip(WEIGHTS, clients))
    u, s, vt = np.linalg.svd(SCALE * product)
    cut = (u[:, :RANK] * s[:RANK]) @ vt[:RANK]
    gram = mean["A"] @ mean["A"].T
    change = (product - mean["B"] @ mean["A"]) @ mean["A"].T @ np.linalg.inv(gram + RIDGE * np.eye(RANK))
    order = {s: np.sort([c[s] for c in clients], axis=0) for s in "AB"}
    moves = [{s: c[s] - before[s] for s in "AB"} for c in clients]
    norms = [math.sqrt(sum((m[s] ** 2).sum() for s in "AB")) for m in moves]
    most = float(np.median(norms))
    clipped = {
        s: before[s] + sum(p * m[s] * min(1, most / n) for p, m, n in zip(WEIGHTS, moves, norms))
        for s in "AB"
    }
    both = lambda sides: {s: numbers(sides[s]) for s in "AB"}
    print(
        json.dumps(
            {
                "madeWith": f"numpy {np.__version__}",
                "shape": [ROWS, COLUMNS],
                "rank": RANK,
                "scale": SCALE,
                "ridge": RIDGE,
                "weights": WEIGHTS,
                "before": both(before),
                "clients": [both(c) for c in clients],
                "mean": both(mean),
                "median": both({s: np.median(order[s], axis=0) for s in "AB"}),
                "trimmed": both({s: order[s][1:-1].mean(axis=0) for s in "AB"}),
                "clipped": both(clipped),
                "ridgeB": numbers(mean["B"] + change),
                "cosineB": numbers(
                    cosine_descent(product, mean["A"], mean["B"], 50, 0.1, RIDGE)
                ),
                "change": numbers(SCALE * product),
                "cut": numbers(cut),
            }
        )
    )


if __name__ == "__main__":
    main()
