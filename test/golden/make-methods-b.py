"""Makes the golden fixture of the methods that PEFT lacks: `python make-methods-b.py [OUTPUT]` (default: fixtures/ beside this file).

GGPO in both forms, MGPO, ALLoRA, LoRA-GA, BA-LoRA and LoRA-SB on `llama-untied-gqa`, from the formulas, in plain torch and
float64 (`reference_llama.py`), stored in float32. GGPO's noise is drawn here by a Threefry of our own. See README.md for the keys.
"""

import argparse
import importlib.util
import math
from pathlib import Path

import torch
from safetensors.torch import load_file

import reference_llama as reference
from fixture_files import SEED, VERSIONS, fresh, read_config, save, write_json

spec = importlib.util.spec_from_file_location("make_llama", Path(__file__).parent / "make-llama.py")
make_llama = importlib.util.module_from_spec(spec)
spec.loader.exec_module(make_llama)

BASE = "llama-untied-gqa"
RANK, ALPHA = 3, 6.0
SCALE = ALPHA / RANK
STEPS, RATE, CLIP = 5, 1e-3, 1.0
SIGMA, BETA = 0.3, 1.0
RHO, NORM_MEMORY = 0.5, 0.9
ETA_SQUARED = 2.0
GAMMA, START_RATE = 16.0, 2e-2
CONSISTENCY, DIVERSITY, CONCENTRATION, LEADING = 0.5, 0.3, 0.7, 3
RUN_SEED = 5
MASK = 0xFFFFFFFF
MOVES_BASE = ("lora-ga", "ba-lora")
METHODS = ("ggpo", "ggpo-kohya", "mgpo", "allora", "lora-ga", "ba-lora", "lora-sb")


# Threefry-2x32-20 (Salmon et al. 2011), as the engine's streams use it


def threefry(key, counter):
    k = [key[0], key[1], key[0] ^ key[1] ^ 0x1BD11BDA]
    a, b = (counter[0] + k[0]) & MASK, (counter[1] + k[1]) & MASK
    turns = [[13, 15, 26, 6], [17, 29, 16, 24]]
    for group in range(5):
        for turn in turns[group % 2]:
            a = (a + b) & MASK
            b = (((b << turn) | (b >> (32 - turn))) & MASK) ^ a
        a = (a + k[(group + 1) % 3]) & MASK
        b = (b + k[(group + 2) % 3] + group + 1) & MASK
    return a, b


def stream_words(seed, label, count):
    """The first `count` draws of 32 bits of the stream (seed, label)."""
    key = (seed & MASK, seed >> 32)
    for character in label:
        key = threefry(key, (ord(character), MASK))
    key = threefry(key, (len(label), MASK))
    out = []
    for position in range(count):
        a, b = threefry(key, (position, 0))
        uniform = ((a >> 5) * 67108864 + (b >> 6)) / 9007199254740992
        out.append(math.floor(uniform * 2**32))
    return out


def normals(label, count):
    key = stream_words(RUN_SEED, label, 2)
    out = []
    for block in range((count + 1) // 2):
        a, b = threefry(key, (block, 0))
        radius, angle = math.sqrt(-2 * math.log((a + 0.5) / 2**32)), 2 * math.pi * b / 2**32
        out += [radius * math.cos(angle), radius * math.sin(angle)]
    return torch.tensor(out[:count], dtype=torch.float64)


# The methods: how a layer's weight is made, and where a gradient is taken


def random_start(names, weights):
    random = make_llama.generator_for("methods-b", "adapter")
    start = {}
    for name in names:
        rows, columns = weights[name + ".weight"].shape
        start[f"{name}.lora_A.weight"] = 0.3 * torch.randn(RANK, columns, generator=random)
        start[f"{name}.lora_B.weight"] = 0.1 * torch.randn(rows, RANK, generator=random)
    return {key: value.float().double() for key, value in start.items()}


def base_gradients(config, weights, batch, names):
    leaves = {key: w.clone().requires_grad_(key.removesuffix(".weight") in names) for key, w in weights.items()}
    reference.loss_of(reference.forward(config, leaves, batch[0]), batch[2]).backward()
    return {name: leaves[name + ".weight"].grad for name in names}


def singular_start(method, gradients, weights):
    start = {}
    for name, gradient in gradients.items():
        step = gradient if method == "lora-ga" else -START_RATE * gradient.sign()
        step = weights[name + ".weight"] if method == "ba-lora" else step
        U, S, Vh = torch.linalg.svd(step, full_matrices=False)
        if method == "ba-lora":
            half = (S[:RANK] / SCALE).sqrt()
            A, B = half[:, None] * Vh[:RANK], U[:, :RANK] * half
        elif method == "lora-ga":
            k = gradient.shape[0] ** 0.25 / math.sqrt(GAMMA)
            A, B = k * Vh[:RANK], k * U[:, RANK : 2 * RANK]
        else:
            A, B = Vh[:RANK], U[:, :RANK]
            start[f"{name}.lora_R.weight"] = torch.diag(S[:RANK])
        start[f"{name}.lora_A.weight"], start[f"{name}.lora_B.weight"] = A, B
    return {key: value.float().double() for key, value in start.items()}


def layer_weight(method, name, W, start, adapter, noise):
    part = lambda side, of: of[f"{name}.lora_{side}.weight"]  # noqa: E731
    A, B = part("A", adapter), part("B", adapter)
    if method in MOVES_BASE:
        W = W - SCALE * part("B", start) @ part("A", start)
    if method == "lora-sb":
        return W + B @ part("R", adapter) @ A
    if method == "allora":
        update = B @ A
        c = 1 / (update.detach().norm(dim=1) + 1 / ETA_SQUARED).sqrt()
        update.register_hook(lambda G: c[:, None] * G)
        return W + update
    return W + SCALE * B @ A + (noise.get(name, 0) if method == "ggpo" else 0)


def ggpo_noise(method, names, weights, adapter, memory, step):
    noise = {}
    for name in names:
        A, B = adapter[f"{name}.lora_A.weight"].detach(), adapter[f"{name}.lora_B.weight"].detach()
        base = weights[name + ".weight"]
        W = base + SCALE * B @ A
        gradient = memory.get(name, torch.zeros(W.shape[0], dtype=torch.float64))
        if method == "ggpo":
            deviation = SIGMA / math.sqrt(W.shape[1]) * (W.pow(2).sum(1) + BETA * gradient).sqrt()
        else:
            size = (base.norm(dim=1).mean() ** 2 + (B @ A).pow(2).sum(1)).sqrt()
            deviation = (SIGMA * size + BETA * gradient) / math.sqrt(W.shape[0])
        noise[name] = deviation[:, None] * normals(f"ggpo:{step}:0:{name}", W.numel()).view(W.shape)
    return noise


def bias_terms(logits, base_logits, labels):
    """BA-LoRA's three terms over the labelled rows, gradients of singular values by torch."""
    kept = labels[:, 1:].flatten() != -100
    Z, P = (x[:, :-1].flatten(0, 1)[kept] for x in (logits, base_logits))
    consistency = torch.nn.functional.kl_div(Z.log_softmax(-1), P.softmax(-1), reduction="batchmean")
    diversity = (Z.softmax(-1) * Z.log_softmax(-1)).sum(-1).mean()
    values = torch.linalg.svdvals(Z)
    concentration = -values[:LEADING].sum() / values.sum()
    return CONSISTENCY * consistency + DIVERSITY * diversity + CONCENTRATION * concentration


def total_norm(tensors):
    return math.sqrt(sum(float(t.pow(2).sum()) for t in tensors))


def run(method, config, weights, batch, names, start):
    """The start, the first gradient, what is trained after five steps, and the losses at which each gradient was taken."""
    fixed = ("lora_A", "lora_B") if method == "lora-sb" else ()
    adapter = {key: w.clone().requires_grad_(not any(f in key for f in fixed)) for key, w in start.items()}
    trained = {key: p for key, p in adapter.items() if p.requires_grad}
    moments = {key: (torch.zeros_like(p), torch.zeros_like(p)) for key, p in trained.items()}
    rate = RATE * (math.sqrt(ETA_SQUARED) if method == "allora" else 1)
    out, losses, memory, mean_norm = {f"{method}.init.{k}": w for k, w in start.items()}, [], {}, 0.0
    for step in range(STEPS):
        noise = ggpo_noise(method, names, weights, adapter, memory, step) if "ggpo" in method else {}
        kept = {key: p.detach().clone() for key, p in trained.items()}
        if method == "mgpo" and step > 0:
            size = total_norm([m for m, _ in moments.values()])
            with torch.no_grad():
                for key, p in trained.items():
                    p.add_(RHO * moments[key][0] / size / mean_norm)
        made = {n: layer_weight(method, n, weights[n + ".weight"], start, adapter, noise) for n in names}

        def linear(n, x):
            y = x @ made[n].T
            return y + (x @ noise[n].T).detach() if method == "ggpo-kohya" else y

        logits = reference.forward(config, weights, batch[0], linear)
        loss = reference.loss_of(logits, batch[2])
        losses.append(loss.item())
        if method == "ba-lora":
            loss = loss + bias_terms(logits, reference.forward(config, weights, batch[0]), batch[2])
        loss.backward()
        with torch.no_grad():
            for key, p in trained.items():
                p.copy_(kept[key])
        norm = total_norm([p.grad for p in trained.values()])
        mean_norm = norm if step == 0 else NORM_MEMORY * mean_norm + (1 - NORM_MEMORY) * norm
        for name in names if "ggpo" in method else ():
            a, b = (trained[f"{name}.lora_{side}.weight"] for side in "AB")
            memory[name] = (SCALE * (b.detach() @ a.grad + b.grad @ a.detach())).pow(2).sum(1)
        if step == 0:
            out |= {f"{method}.grad.{key}": p.grad.clone() for key, p in trained.items()}
        for key, p in trained.items():
            p.grad.mul_(min(1.0, CLIP / (norm + 1e-6)))
            reference.adamw([p], [moments[key]], step + 1, learning_rate=rate, clip=math.inf)
    out |= {f"{method}.after5.{key}": p.detach() for key, p in trained.items()}
    out[f"{method}.losses"] = torch.tensor(losses, dtype=torch.float64)
    return {key: value.float() for key, value in out.items()}


def main():
    parser = argparse.ArgumentParser(description="Make the golden fixture of the methods that PEFT lacks.")
    parser.add_argument("output", nargs="?", type=Path, default=Path(__file__).parent / "fixtures")
    root = parser.parse_args().output
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    assert threefry((0, 0), (0, 0)) == (0x6B200159, 0x99BA4EFE), "Random123's own test vector"
    base = root / BASE
    config = read_config(base)
    weights = {key: w.double() for key, w in load_file(base / "model.safetensors").items()}
    names = [key.removesuffix(".weight") for key in weights if "_proj" in key]
    batch = make_llama.make_batch(BASE, config["vocab_size"])
    expected = load_file(base / "expected.safetensors")
    assert torch.equal(batch[0], expected["tokens"]), "the tokens are those of the base's own fixture"
    gradients = base_gradients(config, weights, batch, names)
    out = {}
    for method in METHODS:
        is_singular = method in (*MOVES_BASE, "lora-sb")
        chosen = singular_start(method, gradients, weights) if is_singular else random_start(names, weights)
        out |= run(method, config, weights, batch, names, chosen)
    save(fresh(root / "methods-b") / "expected.safetensors", out)
    write_json(root / "methods-b" / "provenance.json", {
        "seed": SEED, "madeWith": VERSIONS, "base": BASE, "rank": RANK, "alpha": ALPHA, "runSeed": RUN_SEED,
        "ggpo": {"sigma": SIGMA, "beta": BETA}, "mgpo": {"rho": RHO, "gradientMemory": NORM_MEMORY},
        "allora": {"etaSquared": ETA_SQUARED}, "lora-ga": {"gamma": GAMMA}, "lora-sb": {"startRate": START_RATE},
        "ba-lora": {"consistency": CONSISTENCY, "diversity": DIVERSITY, "concentration": CONCENTRATION, "leading": LEADING},
    })  # fmt: skip


if __name__ == "__main__":
    main()
