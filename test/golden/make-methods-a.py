"""Makes the golden fixture of the LoRA family: `python make-methods-a.py [OUTPUT]` (default: fixtures/ beside this file).

rsLoRA, DoRA, PiSSA, OLoRA, LoRA+ and LoRA-FA on `llama-untied-gqa`, as PEFT and torch train them in float32, each checked
here against the formulas in float64 (`reference_llama.py`). Needs the Llama fixtures; see README.md for the keys.
"""

import argparse
import importlib.util
import math
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from peft.optimizers import create_loraplus_optimizer
from safetensors.torch import load_file
from transformers.utils import logging

import reference_llama as reference
from fixture_files import SEED, VERSIONS, fresh, read_config, save, write_json

spec = importlib.util.spec_from_file_location("make_llama", Path(__file__).parent / "make-llama.py")
make_llama = importlib.util.module_from_spec(spec)
spec.loader.exec_module(make_llama)

BASE = "llama-untied-gqa"
RANK, ALPHA, RATIO = 3, 6.0, 16.0
PREFIX = "base_model.model."
SETTINGS = {
    "rslora": {"use_rslora": True},
    "dora": {"use_dora": True},
    "pissa": {"init_lora_weights": "pissa"},
    "olora": {"init_lora_weights": "olora"},
    "lora-plus": {},
    "lora-fa": {},
}
MOVES_BASE = ("pissa", "olora")


def saved_name(key):
    """As `adapter_model.safetensors` has it."""
    return key.replace("lora_magnitude_vector.default.weight", "lora_magnitude_vector").replace(".default.", ".")


def peft_model(folder, method):
    """A model at a generic point: B is not zero; a magnitude is the base's row norm, which ρ then is not."""
    config = LoraConfig(
        r=RANK, lora_alpha=ALPHA, lora_dropout=0.0, target_modules=make_llama.LINEARS, task_type="CAUSAL_LM",
        **SETTINGS[method],
    )  # fmt: skip
    model = get_peft_model(make_llama.load_model(folder), config)
    if method not in MOVES_BASE:
        random = make_llama.generator_for("methods-a", "adapter")
        with torch.no_grad():
            for key, p in model.named_parameters():
                if "lora_A" in key or "lora_B" in key:
                    p.copy_((0.3 if "lora_A" in key else 0.1) * torch.randn(p.shape, generator=random))
    if method == "lora-fa":
        for key, p in model.named_parameters():
            if "lora_A" in key:
                p.requires_grad_(False)
    return model


def optimiser_for(model, method, named):
    settings = make_llama.OPTIMISER
    if method != "lora-plus":
        return torch.optim.AdamW([p for _, p in named], **settings)
    more = {"betas": settings["betas"], "eps": settings["eps"], "loraplus_weight_decay": settings["weight_decay"]}
    return create_loraplus_optimizer(model, torch.optim.AdamW, lr=settings["lr"], loraplus_lr_ratio=RATIO, **more)


def train(model, batch, method):
    """The start, logits and gradients there, trained tensors after five steps, and the six losses."""
    tokens, mask, labels = batch
    ask = lambda: model(input_ids=tokens, attention_mask=mask, labels=labels)  # noqa: E731
    every = [(saved_name(key), p) for key, p in model.named_parameters() if "lora_" in key]
    named = [(key, p) for key, p in every if p.requires_grad]
    optimiser = optimiser_for(model, method, named)
    out, losses = {f"{method}.init.{key}": p.detach().clone() for key, p in every}, []
    for step in range(make_llama.STEPS):
        optimiser.zero_grad()
        output = ask()
        losses.append(output.loss.item())
        output.loss.backward()
        if step == 0:
            out[f"{method}.logits"] = output.logits.detach().clone()
            out |= {f"{method}.grad.{key}": p.grad.clone() for key, p in named}
        torch.nn.utils.clip_grad_norm_([p for _, p in named], make_llama.CLIP_NORM)
        optimiser.step()
    with torch.no_grad():
        losses.append(ask().loss.item())
    out |= {f"{method}.after5.{key}": p.detach().clone() for key, p in named}
    out[f"{method}.losses"] = torch.tensor(losses)
    return out


def reference_linear(method, weights, start, adapter):
    """y = x·W′ᵀ with the method's W′, from the formulas."""
    scale = ALPHA / math.sqrt(RANK) if method == "rslora" else ALPHA / RANK

    def linear(name, x):
        W = weights[name + ".weight"]
        half = lambda side, of: of.get(f"{PREFIX}{name}.lora_{side}.weight")  # noqa: E731
        A, B = half("A", adapter), half("B", adapter)
        if A is None:
            return x @ W.T
        if method in MOVES_BASE:
            W = W - scale * half("B", start) @ half("A", start)
        V = W + scale * B @ A
        y = x @ V.T
        if method != "dora":
            return y
        return adapter[f"{PREFIX}{name}.lora_magnitude_vector"] / V.norm(dim=1).detach() * y

    return linear


def reference_run(config, weights, batch, method, start):
    tokens, _, labels = batch
    weights = {key: w.double() for key, w in weights.items()}
    start = {key: w.double() for key, w in start.items()}
    frozen = lambda key: method == "lora-fa" and "lora_A" in key  # noqa: E731
    adapter = {key: w.clone().requires_grad_(not frozen(key)) for key, w in start.items()}
    trained = {key: p for key, p in adapter.items() if not frozen(key)}
    rates = {key: 1e-3 * (RATIO if method == "lora-plus" and "lora_B" in key else 1) for key in trained}
    moments = {key: (torch.zeros_like(p), torch.zeros_like(p)) for key, p in trained.items()}
    out, losses = {}, []
    for step in range(make_llama.STEPS + 1):
        logits = reference.forward(config, weights, tokens, reference_linear(method, weights, start, adapter))
        loss = reference.loss_of(logits, labels)
        losses.append(loss.item())
        if step == make_llama.STEPS:
            break
        loss.backward()
        if step == 0:
            out[f"{method}.logits"] = logits.detach()
            out |= {f"{method}.grad.{key}": p.grad.clone() for key, p in trained.items()}
        norm = math.sqrt(sum(float(p.grad.pow(2).sum()) for p in trained.values()))
        clip = min(1.0, make_llama.CLIP_NORM / (norm + 1e-6))
        for key, p in trained.items():
            # The gradient is scaled here, over all tensors, so that each may have a rate of its own.
            p.grad.mul_(clip)
            reference.adamw([p], [moments[key]], step + 1, learning_rate=rates[key], clip=math.inf)
    out |= {f"{method}.after5.{key}": p.detach() for key, p in trained.items()}
    out[f"{method}.losses"] = torch.tensor(losses, dtype=torch.float64)
    return out


def main():
    parser = argparse.ArgumentParser(description="Make the golden fixture of the LoRA family.")
    parser.add_argument("output", nargs="?", type=Path, default=Path(__file__).parent / "fixtures")
    root = parser.parse_args().output
    logging.disable_progress_bar()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    base = root / BASE
    config, weights = read_config(base), load_file(base / "model.safetensors")
    batch = make_llama.make_batch(BASE, config["vocab_size"])
    expected = load_file(base / "expected.safetensors")
    assert torch.equal(batch[0], expected["tokens"]), "the tokens are those of the base's own fixture"
    out, noise = {}, {}
    for method in SETTINGS:
        found = train(peft_model(base, method), batch, method)
        prefix = f"{method}.init."
        start = {key.removeprefix(prefix): value for key, value in found.items() if key.startswith(prefix)}
        wanted = reference_run(config, weights, batch, method, start)
        noise |= make_llama.distances(found, wanted, make_llama.LENGTHS)
        if method in MOVES_BASE:
            gap = float((found[f"{method}.logits"][0] - expected["logits"][0]).abs().max())
            assert gap < 1e-4, f"{method} begins as its base: {gap:.1e}"
        out |= found
    print(noise)
    save(fresh(root / "methods-a") / "expected.safetensors", out)
    write_json(root / "methods-a" / "provenance.json", {
        "seed": SEED, "madeWith": VERSIONS, "base": BASE, "rank": RANK, "alpha": ALPHA, "rateRatio": RATIO,
        "distanceFromFloat64": noise,
    })  # fmt: skip


if __name__ == "__main__":
    main()
