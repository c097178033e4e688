"""Makes the golden fixture of LQ-LoRA, LoRAM and LoRAPrune: `python make-methods-c.py [OUTPUT]` (default: fixtures/ beside this file).

On `llama-untied-gqa`, from the formulas, in plain torch: LQ-LoRA's split in float32 with NormalFloat of 3 bits and nested scales
(Guo et al. 2023), LoRAM's cut by magnitude with zeros in the whole shapes (Zhang et al. 2025), LoRAPrune's masks by importance (Zhang et al. 2023);
gradients and steps in float64.
"""

import argparse
import importlib.util
import math
from pathlib import Path

import torch
from safetensors.torch import load_file

import reference_llama as reference
from fixture_files import SEED, VERSIONS, fresh, read_config, save, write_json

spec = importlib.util.spec_from_file_location("make_methods_b", Path(__file__).parent / "make-methods-b.py")
b = importlib.util.module_from_spec(spec)
spec.loader.exec_module(b)

BITS, ALTERNATIONS, PRUNE = 3, 20, 0.5
PRUNE_EVERY, MEMORY = 2, 0.9
BLOCK, SCALES_BLOCK, LEVELS = 64, 256, 255


def codebook(bits):
    normal, half = torch.distributions.Normal(0.0, 1.0), 2 ** (bits - 1)
    above = normal.icdf(torch.linspace(0.9677083, 0.5, half + 1)[:-1])
    below = -normal.icdf(torch.linspace(0.9677083, 0.5, half)[:-1])
    book = torch.cat([below, torch.zeros(1), above]).sort().values
    return book / book.max()


def blocks_of(x, size):
    padded = torch.nn.functional.pad(x.flatten(), (0, -x.numel() % size))
    return padded.view(-1, size)


def round_trip(weight, bits):
    blocks = blocks_of(weight, BLOCK)
    scales = blocks.abs().amax(1)
    above = blocks_of(scales - scales.min(), SCALES_BLOCK)
    step = above.amax(1, keepdim=True) / LEVELS
    nested = (above / step.clamp(min=1e-30)).round() * step
    scales = nested.flatten()[: len(scales)] + scales.min()
    book = codebook(bits)
    codes = torch.bucketize(blocks / scales[:, None], (book[1:] + book[:-1]) / 2)
    return (book[codes] * scales[:, None]).flatten()[: weight.numel()].view(weight.shape)


def split(weight):
    Q, best = torch.zeros_like(weight), None
    for _ in range(ALTERNATIONS):
        U, S, Vh = torch.linalg.svd((weight - Q).double(), full_matrices=False)
        half = (S[: b.RANK] / b.SCALE).sqrt()
        A, B = (half[:, None] * Vh[: b.RANK]).float(), (U[:, : b.RANK] * half).float()
        Q = round_trip((weight.double() - b.SCALE * B.double() @ A.double()).float(), BITS)
        error = (weight.double() - Q.double() - b.SCALE * B.double() @ A.double()).norm().item()
        if best is not None and error >= best[0]:
            break
        best = (error, Q, A, B)
    return best


def kept_channels(config, weights, names):
    """Of each layer, which rows and columns of its matrix are kept; groups of attention and channels of the MLP by magnitude."""
    kept = {}
    heads, groups = config["num_attention_heads"], config["num_key_value_heads"]
    for layer in range(config["num_hidden_layers"]):
        of = lambda part: weights[f"model.layers.{layer}.{part}.weight"].pow(2)  # noqa: E731
        inner = config["intermediate_size"]
        by_group = [of(f"self_attn.{p}_proj").sum(1).view(groups, -1).sum(1) for p in "qkv"]
        by_group.append(of("self_attn.o_proj").sum(0).view(groups, -1).sum(1))
        by_channel = of("mlp.gate_proj").sum(1) + of("mlp.up_proj").sum(1) + of("mlp.down_proj").sum(0)
        alive = sum(by_group).argsort()[math.floor(PRUNE * groups) :].sort().values
        channels = by_channel.argsort()[math.floor(PRUNE * inner) :].sort().values
        size = of("self_attn.k_proj").shape[0] // groups
        spread = lambda width: torch.cat([torch.arange(g * width, (g + 1) * width) for g in alive])  # noqa: E731
        keys, queries = spread(size), spread(size * heads // groups)
        for part, rows, columns in [
            ("self_attn.q_proj", queries, None), ("self_attn.k_proj", keys, None), ("self_attn.v_proj", keys, None),
            ("self_attn.o_proj", None, queries), ("mlp.gate_proj", channels, None), ("mlp.up_proj", channels, None),
            ("mlp.down_proj", None, channels),
        ]:  # fmt: skip
            kept[f"model.layers.{layer}.{part}"] = (rows, columns)
    assert set(kept) == set(names)
    return kept


def part_of(matrix, rows, columns):
    matrix = matrix if rows is None else matrix[rows]
    return matrix if columns is None else matrix[:, columns]


class Masks:
    """LoRAPrune: importance of each group from the gradients of A and B, and which groups are gone after each step."""

    def __init__(self, config, weights, squared):
        self.weights, self.power = weights, 2 if squared else 1
        groups, inner = config["num_key_value_heads"], config["intermediate_size"]
        self.layers, self.masks, self.importance = [], {}, {}
        for layer in range(config["num_hidden_layers"]):
            for parts, reader, count in [
                (["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"], "self_attn.o_proj", groups),
                (["mlp.gate_proj", "mlp.up_proj"], "mlp.down_proj", inner),
            ]:  # fmt: skip
                reader = f"model.layers.{layer}.{reader}"
                self.layers.append(([f"model.layers.{layer}.{p}" for p in parts], reader, count))
                self.masks[reader] = torch.ones(weights[reader + ".weight"].shape[1], dtype=torch.float64)
                self.importance[reader] = torch.zeros(count, dtype=torch.float64)

    def channels(self, adapter, name, dim):
        A, B = adapter[f"{name}.lora_A.weight"], adapter[f"{name}.lora_B.weight"]
        G = B.grad @ A + B @ A.grad - B.grad @ A.grad
        return (G * (self.weights[name + ".weight"] + b.SCALE * B @ A)).abs().pow(self.power).sum(dim)

    def after(self, step, adapter):
        for writers, reader, count in self.layers:
            alive = self.masks[reader].view(count, -1)[:, 0]
            new = torch.zeros(count, dtype=torch.float64)
            for name, dim in [(n, 1) for n in writers] + [(reader, 0)]:
                own = self.channels(adapter, name, dim).view(count, -1).sum(1).detach() * alive
                new += own / own.norm()
            self.importance[reader] = MEMORY * self.importance[reader] + (1 - MEMORY) * new
            if step % PRUNE_EVERY != 0 and step != b.STEPS:
                continue
            share = PRUNE * (1 - (1 - step / b.STEPS) ** 3)
            order = torch.where(alive == 0, -1.0, self.importance[reader]).argsort(stable=True)
            least = 1 if count < 9 else math.ceil(count / 8)
            gone = order[: min(count - least, math.floor(share * count))]
            self.masks[reader].view(count, -1)[gone] = 0


def run(method, config, weights, batch, start, made_of, masks=None):
    """As in make-methods-b.py: the start, the first gradient, what is trained after five steps, and the losses."""
    adapter = {key: w.clone().requires_grad_(True) for key, w in start.items()}
    moments = {key: (torch.zeros_like(p), torch.zeros_like(p)) for key, p in adapter.items()}
    out, losses = {f"{method}.init.{k}": w for k, w in start.items()}, []
    for step in range(b.STEPS):
        made = made_of(adapter)
        logits = reference.forward(config, weights, batch[0], lambda n, x: x @ made[n].T)
        loss = reference.loss_of(logits, batch[2])
        losses.append(loss.item())
        loss.backward()
        norm = b.total_norm([p.grad for p in adapter.values()])
        if step == 0:
            out |= {f"{method}.grad.{key}": p.grad.clone() for key, p in adapter.items()}
        gone = masks and {key: p.detach().clone() for key, p in adapter.items()}
        for key, p in (gone or {}).items():
            p.grad = adapter[key].grad.clone()
        for key, p in adapter.items():
            p.grad.mul_(min(1.0, b.CLIP / (norm + 1e-6)))
            reference.adamw([p], [moments[key]], step + 1, learning_rate=b.RATE, clip=math.inf)
        if masks:
            masks.after(step + 1, gone)
    out |= {f"{method}.after5.{key}": p.detach() for key, p in adapter.items()}
    out[f"{method}.losses"] = torch.tensor(losses, dtype=torch.float64)
    return {key: value.float() for key, value in out.items()}


def main():
    parser = argparse.ArgumentParser(description="Make the golden fixture of LQ-LoRA and LoRAM.")
    parser.add_argument("output", nargs="?", type=Path, default=Path(__file__).parent / "fixtures")
    root = parser.parse_args().output
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    base = root / b.BASE
    config = read_config(base)
    stored = load_file(base / "model.safetensors")
    weights = {key: w.double() for key, w in stored.items()}
    names = [key.removesuffix(".weight") for key in weights if "_proj" in key]
    batch = b.make_llama.make_batch(b.BASE, config["vocab_size"])

    parts = {name: split(stored[name + ".weight"]) for name in names}
    start = {}
    for name, (_, _, A, B) in parts.items():
        start |= {f"{name}.lora_A.weight": A.double(), f"{name}.lora_B.weight": B.double()}
    low = lambda adapter, n: b.SCALE * adapter[f"{n}.lora_B.weight"] @ adapter[f"{n}.lora_A.weight"]  # noqa: E731
    split_made = lambda adapter: {n: parts[n][1].double() + low(adapter, n) for n in names}  # noqa: E731
    out = run("lq-lora", config, weights, batch, start, split_made)
    out |= {f"lq-lora.frozen.{name}.weight": Q for name, (_, Q, _, _) in parts.items()}
    out |= {f"lq-lora.error.{name}": torch.tensor([error]) for name, (error, _, _, _) in parts.items()}

    kept = kept_channels(config, weights, names)
    small = {f"{n}.weight": part_of(weights[f"{n}.weight"], *kept[n]) for n in names}
    start = b.random_start(names, small)

    def cut_made(adapter):
        made = {}
        for n in names:
            rows, columns = kept[n]
            whole = torch.zeros_like(weights[n + ".weight"])
            every = [torch.arange(size) for size in whole.shape]
            at = (every[0] if rows is None else rows)[:, None], (every[1] if columns is None else columns)[None]
            made[n] = whole.index_put(at, small[n + ".weight"] + low(adapter, n))
        return made

    out |= run("loram", config, weights, batch, start, cut_made)

    whole = {f"{n}.weight": weights[f"{n}.weight"] for n in names}
    for method, squared in [("lora-prune", False), ("lora-prune-squared", True)]:
        masks = Masks(config, weights, squared)
        masked = lambda adapter, m=masks: {  # noqa: E731
            n: (weights[n + ".weight"] + low(adapter, n)) * m.masks.get(n, torch.ones(1, dtype=torch.float64)) for n in names
        }
        out |= run(method, config, weights, batch, b.random_start(names, whole), masked, masks)
        out |= {f"{method}.after5.{n}.prune_mask": mask.float() for n, mask in masks.masks.items()}
    save(fresh(root / "methods-c") / "expected.safetensors", out)
    write_json(root / "methods-c" / "provenance.json", {
        "seed": SEED, "madeWith": VERSIONS, "base": b.BASE, "rank": b.RANK, "alpha": b.ALPHA,
        "lq-lora": {"bits": BITS, "alternations": ALTERNATIONS}, "loram": {"prune": PRUNE},
        "lora-prune": {"prune": PRUNE, "pruneEvery": PRUNE_EVERY, "pruneWarmUp": 0, "pruneCoolDown": 0, "pruneEdges": True},
    })  # fmt: skip


if __name__ == "__main__":
    main()
