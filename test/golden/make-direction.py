"""Makes fixtures/direction.json: `python make-direction.py`. Needs torch, transformers, scikit-learn and numpy.

Differences of mean activations of the fixture `llama-untied-gqa` at two positions after each block, read with transformers'
`output_hidden_states` (the last block by a hook, since transformers norms the last state), in float32; the area under the ROC curve
of projections and, by training again and again without one prompt, the standardised gap that chooses a place. Then three weights
with one left direction removed beside three that changed otherwise, and the largest eigenvalue that their changes share, by numpy.
"""

import json
from pathlib import Path

import numpy as np
import torch
import transformers
from sklearn.metrics import roc_auc_score

ROOT = Path(__file__).parent / "fixtures"
BASE, POSITIONS = "llama-untied-gqa", 2


def prompts(rng, vocab):
    """Two kinds of token ids that end alike: the kinds draw from different parts of the vocabulary."""
    end = [3, 5]
    kinds = {}
    for kind, low, high in (("refuse", 0, vocab // 2), ("answer", vocab // 3, vocab)):
        kinds[kind] = [rng.integers(low, high, rng.integers(3, 9)).tolist() + end for _ in range(6)]
    return kinds


def activations(model, ids):
    """[layers, positions, hidden]: what each block passes on at the last tokens."""
    caught = []
    hooks = [block.register_forward_hook(lambda _m, _i, out: caught.append(out[0] if isinstance(out, tuple) else out))
             for block in model.model.layers]  # fmt: skip
    with torch.no_grad():
        found = model(torch.tensor([ids]), output_hidden_states=True)
    for hook in hooks:
        hook.remove()
    blocks = [out.reshape(-1, out.shape[-1]) for out in caught]
    for block, state in zip(blocks[:-1], found.hidden_states[1:-1]):
        assert torch.equal(block, state[0])
    return torch.stack([block[-POSITIONS:] for block in blocks]).double().numpy()


def gap_leaving_one_out(refuse, answer):
    def projections(own, other, sign):
        values = []
        for i, row in enumerate(own):
            r = sign * (np.delete(own, i, 0).mean(0) - other.mean(0))
            values.append(r @ row / np.linalg.norm(r))
        return values

    x, y = projections(refuse, answer, 1), projections(answer, refuse, -1)
    return (np.mean(x) - np.mean(y)) / np.sqrt((np.var(x, ddof=1) + np.var(y, ddof=1)) / 2)


def places(found):
    for layer in range(found["refuse"].shape[1]):
        for p in range(POSITIONS):
            refuse, answer = found["refuse"][:, layer, p], found["answer"][:, layer, p]
            r = refuse.mean(0) - answer.mean(0)
            scores = np.concatenate([refuse @ r, answer @ r])
            area = roc_auc_score([1] * len(refuse) + [0] * len(answer), scores)
            yield {"layer": layer, "position": p - POSITIONS, "direction": r.tolist(), "area": float(area),
                   "gap": float(gap_leaving_one_out(refuse, answer))}  # fmt: skip


def changes(rng):
    """Weights [5, n] before and after; `ablated` loses the direction u, `other` gets a change of rank 1 of its own."""
    u = rng.standard_normal(5)
    u /= np.linalg.norm(u)
    cases = []
    for name in ("ablated", "other"):
        weights, total = [], np.zeros((5, 5))
        for n in (4, 7, 6):
            before = rng.standard_normal((5, n))
            change = -np.outer(u, u @ before) if name == "ablated" else np.outer(rng.standard_normal(5), rng.standard_normal(n))
            total += change @ change.T / np.sum(change**2) / 3
            weights.append({"columns": n, "before": before.ravel().tolist(), "after": (before + change).ravel().tolist()})
        values, vectors = np.linalg.eigh(total)
        top = vectors[:, -1]
        left = np.median([np.linalg.norm(top @ np.reshape(w["after"], (5, -1))) / np.linalg.norm(top @ np.reshape(w["before"], (5, -1)))
                          for w in weights])  # fmt: skip
        cases.append({"name": name, "weights": weights, "shared": float(values[-1]), "left": float(left), "direction": top.tolist()})
    return cases


def main():
    model = transformers.LlamaForCausalLM.from_pretrained(ROOT / BASE, dtype=torch.float32).eval()
    rng = np.random.default_rng(11)
    kinds = prompts(rng, model.config.vocab_size)
    found = {kind: np.stack([activations(model, ids) for ids in own]) for kind, own in kinds.items()}
    fixture = {"madeWith": {"torch": torch.__version__, "transformers": transformers.__version__}, "base": BASE,
               "positions": POSITIONS, "prompts": kinds, "places": list(places(found)), "changes": changes(rng)}  # fmt: skip
    (ROOT / "direction.json").write_text(json.dumps(fixture) + "\n")


main()
