"""Denoisers in PyTorch float64: noise, loss and gradients; and numbers of samplers and energy distances by NumPy.

    python make-denoiser.py    # writes fixtures/denoiser-*/expected.safetensors and fixtures/diffusion.json
"""

import json
import math
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch.nn import functional as F

SIDE, WIDTH, LAYERS, HEADS, WORDS, VOCABULARY = 4, 8, 2, 2, 2, 5
BATCH, FREQUENCIES = 3, 16
FIXTURES = Path(__file__).parent / "fixtures"


def numbers(count, start):
    return [1.5 * math.sin(start + 1.3 * i) for i in range(count)]


def tensor(shape, start):
    return torch.tensor(numbers(math.prod(shape), start), dtype=torch.float64).reshape(shape)


def weight(name, shape):
    """Written again in the test: sin of a running number, by the name's length."""
    values = [0.4 * math.sin(1 + 0.7 * i + len(name)) for i in range(math.prod(shape))]
    return torch.tensor(values, dtype=torch.float64).reshape(shape).requires_grad_()


def declare(kind):
    size = SIDE if kind == "points" else 4
    shapes = {"input.weight": (WIDTH, size), "input.bias": (WIDTH,), "prompt.weight": (VOCABULARY, WIDTH)}
    for name, inputs in [("time.in", 2 * FREQUENCIES), ("time.out", WIDTH)]:
        shapes[f"{name}.weight"], shapes[f"{name}.bias"] = (WIDTH, inputs), (WIDTH,)
    for layer in range(LAYERS):
        block = f"blocks.{layer}"
        if kind == "points":
            shapes[f"{block}.linear.weight"], shapes[f"{block}.linear.bias"] = (WIDTH, WIDTH), (WIDTH,)
            continue
        for norm in ["self_norm", "cross_norm", "mlp_norm"]:
            shapes[f"{block}.{norm}.weight"] = (WIDTH,)
        for way in ["self", "cross"]:
            for part in "qkvo":
                shapes[f"{block}.{way}_{part}.weight"] = (WIDTH, WIDTH)
        shapes[f"{block}.up.weight"], shapes[f"{block}.up.bias"] = (4 * WIDTH, WIDTH), (4 * WIDTH,)
        shapes[f"{block}.down.weight"], shapes[f"{block}.down.bias"] = (WIDTH, 4 * WIDTH), (WIDTH,)
    if kind == "patches":
        shapes["positions.weight"], shapes["norm.weight"] = ((SIDE // 2) ** 2, WIDTH), (WIDTH,)
    shapes["output.weight"], shapes["output.bias"] = (size, WIDTH), (size,)
    return {name: weight(name, shape) for name, shape in shapes.items()}


def network(kind):
    w = declare(kind)

    def linear(name, x):
        return F.linear(x, w[f"{name}.weight"], w.get(f"{name}.bias"))

    def norm(name, x):
        return F.rms_norm(x, (WIDTH,), w[f"{name}.weight"], 1e-5)

    def heads(x):
        return x.reshape(BATCH, -1, HEADS, WIDTH // HEADS).transpose(1, 2)

    def attend(way, block, x, source):
        q, k, v = (heads(linear(f"{block}.{way}_{p}", s)) for p, s in zip("qkv", [x, source, source]))
        mixed = F.scaled_dot_product_attention(q, k, v)
        return linear(f"{block}.{way}_o", mixed.transpose(1, 2).reshape(BATCH, -1, WIDTH))

    size = SIDE if kind == "points" else SIDE**2
    x, target = tensor((BATCH, size), 0.3), tensor((BATCH, size), 2.1)
    t = torch.tensor([[0.0], [7.0], [199.0]], dtype=torch.float64)
    prompt = torch.tensor([[0, 4], [3, 1], [2, 2]])
    speeds = torch.tensor([1e-4 ** (k / FREQUENCIES) for k in range(FREQUENCIES)], dtype=torch.float64)
    features = torch.cat([torch.sin(t * speeds), torch.cos(t * speeds)], 1)
    time = linear("time.out", F.silu(linear("time.in", features)))
    if kind == "points":
        y = linear("input", x)
        for layer in range(LAYERS):
            told = y + time + w["prompt.weight"][prompt].sum(1)
            y = y + F.silu(linear(f"blocks.{layer}.linear", told))
        noise = linear("output", y)
    else:
        # unfold gives each patch as a column of its four pixels.
        patches = F.unfold(x.reshape(BATCH, 1, SIDE, SIDE), 2, stride=2).transpose(1, 2)
        y = linear("input", patches) + w["positions.weight"] + time[:, None]
        words = w["prompt.weight"][prompt]
        for layer in range(LAYERS):
            block = f"blocks.{layer}"
            own = norm(f"{block}.self_norm", y)
            y = y + attend("self", block, own, own)
            y = y + attend("cross", block, norm(f"{block}.cross_norm", y), words)
            y = y + linear(f"{block}.down", F.silu(linear(f"{block}.up", norm(f"{block}.mlp_norm", y))))
        out = linear("output", norm("norm", y)).transpose(1, 2)
        noise = F.fold(out, SIDE, 2, stride=2).reshape(BATCH, size)
    loss = F.mse_loss(noise, target)
    loss.backward()
    tensors = {"x": x, "t": t, "prompt": prompt, "target": target, "logits": noise, "loss": loss.reshape(1)}
    for name, value in w.items():
        grad = value.grad
        tensors[f"denoiser.grad.{name}"] = torch.zeros_like(value) if grad is None else grad
    folder = FIXTURES / f"denoiser-{kind}"
    folder.mkdir(exist_ok=True)
    kept = {n: v.detach().contiguous().to(torch.int64 if n == "prompt" else torch.float32) for n, v in tensors.items()}
    save_file(kept, folder / "expected.safetensors")


def diffusion():
    """DDIM by its formula on a linear noise, and an energy distance over all pairs."""
    levels, steps = 200, 50
    angle = lambda t: (t + 1) / (levels + 1) * math.pi / 2
    x = np.array(numbers(4, 0.7))
    plan = [round((steps - i) * levels / steps) - 1 for i in range(steps)]
    for t, after in zip(plan, [*plan[1:], None]):
        alpha, sigma = math.cos(angle(t)), math.sin(angle(t))
        noise = 0.6 * x + 0.1
        clean = np.clip((x - sigma * noise) / alpha, -1, 1)
        bent = (x - alpha * clean) / sigma
        x = clean if after is None else math.cos(angle(after)) * clean + math.sin(angle(after)) * bent
    a, b = np.array(numbers(10, 0.2)).reshape(5, 2), np.array(numbers(8, 3.0)).reshape(4, 2) + 0.5
    gaps = lambda p, q: np.sqrt(((p[:, None] - q[None]) ** 2).sum(-1))
    within = lambda p: gaps(p, p).sum() / (len(p) * (len(p) - 1))
    energy = 2 * gaps(a, b).mean() - within(a) - within(b)
    out = {"sample": x.tolist(), "energy": float(energy)}
    (FIXTURES / "diffusion.json").write_text(json.dumps(out, indent=2) + "\n")


for kind in ["patches", "points"]:
    network(kind)
diffusion()
