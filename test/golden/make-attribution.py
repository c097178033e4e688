"""Makes fixtures/attribution.json: `python make-attribution.py`. Needs torch, safetensors and the fixture `llama-untied-gqa`.

Scores of three rows by their gradients at two checkpoints of full fine-tuning with torch.optim.AdamW, in float64: at each, the
score grows by -rate * <dL, update>, dL the gradient of the first row's mean loss less the third's, and the update in three forms
(evals/arms/causes/gradient-forms.ts). Row losses are weighted as in a step: by labels, over those of a mean row. One tensor's
update is also projected from both sides.
"""

import json
from pathlib import Path

import torch
from safetensors.torch import load_file

import reference_llama as reference

ROOT = Path(__file__).parent / "fixtures"
BASE, STEPS, CHECKPOINTS, RATE, EPSILON, BETAS = "llama-untied-gqa", 5, (2, 4), 1e-3, 1e-8, (0.9, 0.999)
TENSOR, SIDE = "model.layers.0.mlp.down_proj.weight", 3


def main():
    config = json.loads((ROOT / BASE / "config.json").read_text())
    weights = {k: w.double().requires_grad_() for k, w in load_file(ROOT / BASE / "model.safetensors").items()}
    expected = load_file(ROOT / BASE / "expected.safetensors")
    tokens, labels = expected["tokens"].long(), expected["labels"].long()
    counts = (labels[:, 1:] != -100).sum(1).tolist()
    mean = sum(counts) / len(counts)
    names = list(weights)
    optimiser = torch.optim.AdamW([weights[k] for k in names], lr=RATE, betas=BETAS, eps=EPSILON, weight_decay=0.0)

    def loss_of(rows):
        return reference.loss_of(reference.forward(config, weights, tokens[rows]), labels[rows])

    def gradient(loss):
        return dict(zip(names, torch.autograd.grad(loss, [weights[k] for k in names])))

    scores = [{"plain": 0.0, "scaled": 0.0, "update": 0.0} for _ in counts]
    losses, out = None, {}
    for step in range(1, STEPS + 1):
        optimiser.zero_grad()
        loss_of(slice(None)).backward()
        optimiser.step()
        if step not in CHECKPOINTS:
            continue
        slope = gradient(loss_of(slice(0, 1)) - loss_of(slice(2, 3)))
        rows = [loss_of(slice(i, i + 1)) for i in range(len(counts))]
        losses = losses or [loss.item() for loss in rows]
        for i, loss in enumerate(rows):
            g = gradient(loss * counts[i] / mean)
            for form in scores[i]:
                update = {k: form_of(form, g[k], optimiser.state[weights[k]], step) for k in names}
                scores[i][form] -= RATE * sum((slope[k] * update[k]).sum() for k in names).item()
                if (step, i, form) == (CHECKPOINTS[0], 1, "update"):
                    out = projection(update[TENSOR])
    fixture = {"madeWith": {"torch": torch.__version__}, "base": BASE, "steps": STEPS, "checkpoints": CHECKPOINTS,
               "rate": RATE, "losses": losses, "scores": scores, "projection": out}  # fmt: skip
    (ROOT / "attribution.json").write_text(json.dumps(fixture) + "\n")


def form_of(form, g, state, step):
    m, v = state["exp_avg"], state["exp_avg_sq"]
    if form == "plain":
        return g
    if form == "scaled":
        return g / ((v / (1 - BETAS[1] ** step)).sqrt() + EPSILON)
    next_m = BETAS[0] * m + (1 - BETAS[0]) * g
    next_v = BETAS[1] * v + (1 - BETAS[1]) * g**2
    return next_m / (1 - BETAS[0] ** (step + 1)) / ((next_v / (1 - BETAS[1] ** (step + 1))).sqrt() + EPSILON)


def projection(update):
    random = torch.Generator().manual_seed(20260)
    left = torch.randn(SIDE, update.shape[0], generator=random, dtype=torch.float64).round(decimals=3)
    right = torch.randn(SIDE, update.shape[1], generator=random, dtype=torch.float64).round(decimals=3)
    update = update.round(decimals=4)
    return {"update": update.tolist(), "left": left.tolist(), "right": right.tolist(),
            "projected": (left @ update @ right.T).tolist()}  # fmt: skip


if __name__ == "__main__":
    main()
