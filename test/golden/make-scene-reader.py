"""Scene readers in PyTorch float64: scores of words, loss and gradients.

    python make-scene-reader.py    # writes fixtures/scene-reader-*/expected.safetensors
"""

import math
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch.nn import functional as F

WIDTH, HEADS, BATCH = 8, 2, 3
ASKED, VOCABULARY, WORDS, LETTERS, COLUMNS, TALL = 8, 128, 12, 7, 5, 7
LABELS = [0, 4, 2]
PRESENT = [3, 12, 5]


def weight(name, shape):
    """Written again in the test: sin of a running number, by the name's length."""
    values = [0.4 * math.sin(1 + 0.7 * i + len(name)) for i in range(math.prod(shape))]
    return torch.tensor(values, dtype=torch.float64).reshape(shape).requires_grad_()


def declare(senses):
    shapes = {"question.weight": (VOCABULARY, WIDTH)}
    square = []
    if senses != "visual":
        shapes["letters.0.glyph.weight"], shapes["letters.0.glyph.bias"] = (WIDTH, COLUMNS * TALL), (WIDTH,)
        shapes["positions.weight"] = (LETTERS, WIDTH)
        shapes["letters.0.norm.weight"] = shapes["letters.0.mlp_norm.weight"] = (WIDTH,)
        shapes["letters.0.up.weight"], shapes["letters.0.up.bias"] = (2 * WIDTH, WIDTH), (2 * WIDTH,)
        shapes["letters.0.down.weight"] = (WIDTH, 2 * WIDTH)
        square += [f"letters.0.{part}" for part in "qkvo"] + ["scores.1.word", "scores.1.word_question"]
    if senses != "language":
        shapes["scores.1.place.weight"], shapes["scores.1.place.bias"] = (WIDTH, 4), (WIDTH,)
        square += ["scores.1.place_question"]
    shapes.update({f"{name}.weight": (WIDTH, WIDTH) for name in square})
    return {name: weight(name, shape) for name, shape in shapes.items()}


def rows():
    """Question, then for each word its box and the columns of its letters; integers by a running number."""
    out, step = [], 0
    for present in PRESENT:
        row = [(3 * i + present) % VOCABULARY for i in range(ASKED)]
        for word in range(WORDS):
            step += 1
            here = word < present
            row += [((step * k) % 7 + 1) / 8 if here else 0 for k in (1, 2, 3, 5)]
            row += [(step * 31 + 17 * c) % 128 if here else 0 for c in range(LETTERS * COLUMNS)]
        out.append(row)
    return torch.tensor(out, dtype=torch.float64)


def network(senses):
    w = declare(senses)

    def linear(name, x):
        return F.linear(x, w[f"{name}.weight"], w.get(f"{name}.bias"))

    def norm(name, x):
        return F.rms_norm(x, (WIDTH,), w[f"{name}.weight"], 1e-5)

    table = rows()
    asked = w["question.weight"][table[:, :ASKED].long()].sum(1)
    words = table[:, ASKED:].reshape(BATCH, WORDS, 4 + LETTERS * COLUMNS)
    boxes, columns = words[..., :4], words[..., 4:].long()
    mask = torch.where(boxes.sum(-1) > 0, 0.0, -1e4)

    def score(part, vectors):
        key = linear(f"scores.1.{part}_question", asked)
        return F.log_softmax((vectors * key[:, None]).sum(-1) / math.sqrt(WIDTH) + mask, -1)

    def said():
        bits = (columns[..., None] >> torch.arange(TALL - 1, -1, -1)) & 1
        pixels = bits.reshape(BATCH * WORDS, LETTERS, COLUMNS * TALL).double()
        begin = linear("letters.0.glyph", pixels) + w["positions.weight"]
        own = norm("letters.0.norm", begin)
        q, k, v = (
            linear(f"letters.0.{p}", own).reshape(-1, LETTERS, HEADS, WIDTH // HEADS).transpose(1, 2) for p in "qkv"
        )
        mixed = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(-1, LETTERS, WIDTH)
        seen = begin + linear("letters.0.o", mixed)
        end = seen + linear("letters.0.down", F.silu(linear("letters.0.up", norm("letters.0.mlp_norm", seen))))
        return score("word", linear("scores.1.word", end.mean(1).reshape(BATCH, WORDS, WIDTH)))

    parts = []
    if senses != "language":
        parts.append(score("place", F.silu(linear("scores.1.place", boxes))))
    if senses != "visual":
        parts.append(said())
    logits = sum(parts) / len(parts)
    loss = F.cross_entropy(logits, torch.tensor(LABELS))
    loss.backward()
    tensors = {"rows": table, "labels": torch.tensor(LABELS), "logits": logits, "loss": loss.reshape(1)}
    tensors.update({f"scene.grad.{name}": value.grad for name, value in w.items()})
    folder = Path(__file__).parent / "fixtures" / f"scene-reader-{senses}"
    folder.mkdir(exist_ok=True)
    kept = {n: v.detach().contiguous().to(torch.int64 if n == "labels" else torch.float32) for n, v in tensors.items()}
    save_file(kept, folder / "expected.safetensors")


for senses in ["both", "visual", "language"]:
    network(senses)
