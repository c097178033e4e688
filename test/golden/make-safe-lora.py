"""Writes fixtures/safe-lora.json: the projection of Safe LoRA on a few matrices, from its published formula.

Hsu et al. 2024, "Safe LoRA: the Silver Lining of Reducing Safety Risks when Fine-tuning Large Language Models"
(arXiv:2405.16833), section 3.2: V = W_aligned - W_unaligned, C = V V^T / ||V||_F, and the change dW of a layer is
replaced by C dW where the cosine of C dW and dW (as vectors) is below a threshold. NumPy, float64.
"""
import json
import pathlib

import numpy as np

rng = np.random.default_rng(20240527)
cases = []
for rows, columns, rank in [(4, 4, 4), (6, 3, 2), (3, 7, 1), (8, 8, 2)]:
    aligned = rng.normal(size=(rows, columns))
    unaligned = aligned - 0.1 * rng.normal(size=(rows, columns))
    change = rng.normal(size=(rows, rank)) @ rng.normal(size=(rank, columns))
    V = aligned - unaligned
    C = V @ V.T / np.linalg.norm(V)
    projected = C @ change
    cosine = np.sum(projected * change) / (np.linalg.norm(projected) * np.linalg.norm(change))
    cases.append(
        {
            "rows": rows,
            "V": V.ravel().tolist(),
            "change": change.ravel().tolist(),
            "projected": projected.ravel().tolist(),
            "cosine": float(cosine),
        }
    )
path = pathlib.Path(__file__).parent / "fixtures" / "safe-lora.json"
path.write_text(json.dumps({"numpy": np.__version__, "cases": cases}) + "\n")
