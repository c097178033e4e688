"""numpy's side of the spectra bench: the definition by a full SVD of W1 a matrix, with U0 at hand as ours has its cache.

Reads the file that spectra-files.ts writes; answers one JSON line a command. The time is that of the SVDs and cosines alone;
"base" is the SVDs of the base matrices.
"""

import json
import sys
import time

import numpy as np


def read(path, rank):
    with open(path, "rb") as file:
        header = json.loads(file.readline())
        numbers = lambda count: np.frombuffer(file.read(4 * count), dtype=np.float32)
        for m, n in header["shapes"]:
            W0 = numbers(m * n).reshape(m, n)
            B = numbers(m * rank).reshape(m, rank)
            A = numbers(rank * n).reshape(rank, n)
            yield W0.astype(np.float64), header["scale"], B.astype(np.float64), A.astype(np.float64)


def main():
    matrices = list(read(sys.argv[1], int(sys.argv[2])))
    bases = [np.linalg.svd(W0, full_matrices=False)[0] for W0, _, _, _ in matrices]
    print(json.dumps({"ready": True, "numpy": np.__version__}), flush=True)
    for line in sys.stdin:
        work = json.loads(line)["work"]
        if work == "quit":
            break
        if work == "base":
            began = time.perf_counter()
            for W0, _, _, _ in matrices:
                np.linalg.svd(W0, full_matrices=False)
            print(json.dumps({"ms": 1000 * (time.perf_counter() - began)}), flush=True)
            continue
        began = time.perf_counter()
        alignment = []
        for U0, (W0, scale, B, A) in zip(bases, matrices):
            U1 = np.linalg.svd(W0 + scale * (B @ A), full_matrices=False)[0]
            alignment.append(np.abs(U0.T @ U1[:, :10]).max(axis=0).tolist())
        elapsed = 1000 * (time.perf_counter() - began)
        print(json.dumps({"ms": elapsed, "alignment": alignment}), flush=True)


main()
