"""Makes the golden fixtures of the Llama engine: `python make-llama.py [OUTPUT]` (default: fixtures/ beside this file).

Every number comes from transformers, PEFT and torch in float32 and is checked here against `reference_llama.py`, which
is float64 and shares no code with them; the distance between the two is written to `provenance.json`. See README.md.
"""

import argparse
import json
import os
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file
from transformers import LlamaConfig, LlamaForCausalLM
from transformers.utils import logging

import reference_llama as reference
from fixture_files import SEED, VERSIONS, fresh, read_config, save, write_json
from make_optimiser import make_adamw, make_schedule

LINEARS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
OPTIMISER = {"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.01}
CLIP_NORM = 1.0
STEPS = 5
LENGTHS = [9, 6, 4]
PROMPT_LENGTHS = [4, 2, 1]

LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 1000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}
LINEAR = {"rope_type": "linear", "rope_theta": 10000.0, "factor": 4.0}


def shape(hidden, intermediate, heads, kv_heads, vocab, tied, **more):
    rope = more.pop("rope_parameters", {"rope_type": "default", "rope_theta": 10000.0})
    return dict(
        hidden_size=hidden, intermediate_size=intermediate, num_hidden_layers=2, num_attention_heads=heads,
        num_key_value_heads=kv_heads, vocab_size=vocab, tie_word_embeddings=tied, rope_parameters=rope,
        max_position_embeddings=512, rms_norm_eps=1e-5, pad_token_id=0, bos_token_id=1, eos_token_id=2,
        attention_bias=False, mlp_bias=False,
    ) | more  # fmt: skip


# Sizes differ on purpose: a transposed weight or swapped dimension cannot pass unnoticed.
CASES = {
    "llama-tied": shape(32, 48, 4, 4, 64, True),
    "llama-untied-gqa": shape(32, 40, 4, 2, 56, False, rope_parameters={"rope_type": "default", "rope_theta": 1e5}),
    "llama-bf16": shape(16, 28, 2, 1, 48, True),
    "llama-rope-llama3": shape(16, 24, 2, 2, 48, True, rope_parameters=LLAMA3, max_position_embeddings=512),
    "llama-rope-linear": shape(16, 24, 2, 2, 48, True, rope_parameters=LINEAR),
    "llama-headdim": shape(20, 28, 2, 1, 48, False, head_dim=12, rms_norm_eps=1e-6),
}
ALL_MODES = ("llama-tied", "llama-untied-gqa")
OLD_SPELLING = ("llama-rope-llama3", "llama-rope-linear")


# The models


def generator_for(*names):
    """One stream of random numbers a purpose, so that adding a case moves no other case."""
    text = ":".join(names)
    return torch.Generator().manual_seed(SEED + sum((i + 1) * ord(c) for i, c in enumerate(text)))


def make_model(name, arguments):
    model = LlamaForCausalLM(LlamaConfig(attn_implementation="eager", **arguments))
    random = generator_for(name, "weights")
    with torch.no_grad():
        for key, p in model.named_parameters():
            noise = torch.randn(p.shape, generator=random)
            p.copy_(1 + 0.2 * noise if p.ndim == 1 else 0.25 * noise)
    if name == "llama-bf16":
        model = model.to(torch.bfloat16)
        model.config.dtype = torch.bfloat16
    return model


def save_model(model, folder):
    model.save_pretrained(folder)
    if folder.name in OLD_SPELLING:
        config = json.loads((folder / "config.json").read_text())
        rope = config.pop("rope_parameters")
        config |= {"rope_theta": rope.pop("rope_theta"), "rope_scaling": rope}
        write_json(folder / "config.v4.json", config)


def load_model(folder):
    model = LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
    return model.eval()


def make_batch(name, vocab):
    """tokens, attention mask and labels `[3, 9]`, padded on the right; labels[t] = tokens[t] on reply positions."""
    tokens = torch.randint(3, vocab, (3, 9), generator=generator_for(name, "tokens"))
    tokens[0, 5] = tokens[0, 2]  # a repeated word: its embedding's gradient is a sum
    tokens[1, 1] = tokens[0, 2]
    position = torch.arange(9)
    mask = (position < torch.tensor(LENGTHS)[:, None]).long()
    tokens = tokens * mask
    reply = (position >= torch.tensor(PROMPT_LENGTHS)[:, None]) & mask.bool()
    return tokens, mask, torch.where(reply, tokens, -100)


# Training as torch does it, and as the reference does


def train(model, batch, tag, rename=lambda key: key):
    """Gradients of the first step, trainable weights after five steps, and the six losses."""
    tokens, mask, labels = batch
    named = [(rename(key), p) for key, p in model.named_parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW([p for _, p in named], **OPTIMISER)
    out, losses = {}, []
    for step in range(STEPS):
        optimiser.zero_grad()
        loss = model(input_ids=tokens, attention_mask=mask, labels=labels).loss
        losses.append(loss.item())
        loss.backward()
        if step == 0:
            out |= {f"{tag}.grad.{key}": p.grad.clone() for key, p in named}
        torch.nn.utils.clip_grad_norm_([p for _, p in named], CLIP_NORM)
        optimiser.step()
    with torch.no_grad():
        losses.append(model(input_ids=tokens, attention_mask=mask, labels=labels).loss.item())
    out |= {f"{tag}.after5.{key}": p.detach().clone() for key, p in named}
    out[f"{tag}.losses"] = torch.tensor(losses)
    return out


def reference_run(config, weights, batch, tag, adapter=None, scale=1.0):
    """The same keys as `train`, and `logits` and `loss`, in float64 from `reference_llama.py`."""
    tokens, _, labels = batch
    weights = {key: w.double().requires_grad_(adapter is None) for key, w in weights.items()}
    adapter = {key: w.double().requires_grad_() for key, w in (adapter or {}).items()}
    trainable = adapter or weights

    def linear(name, x):
        y = x @ weights[name + ".weight"].T
        low, high = (adapter.get(f"base_model.model.{name}.lora_{half}.weight") for half in "AB")
        return y if low is None else y + scale * (x @ low.T) @ high.T

    moments = [(torch.zeros_like(p), torch.zeros_like(p)) for p in trainable.values()]
    out, losses = {}, []
    for step in range(STEPS + 1):
        logits = reference.forward(config, weights, tokens, linear)
        loss = reference.loss_of(logits, labels)
        losses.append(loss.item())
        if step == 0:
            prefix = "" if tag == "full" else tag + "."
            out |= {f"{prefix}logits": logits.detach(), f"{prefix}loss": loss.detach()[None]}
        if step == STEPS:
            break
        loss.backward()
        if step == 0:
            out |= {f"{tag}.grad.{key}": p.grad.clone() for key, p in trainable.items()}
        reference.adamw(list(trainable.values()), moments, step + 1, clip=CLIP_NORM)
    out |= {f"{tag}.after5.{key}": p.detach() for key, p in trainable.items()}
    out[f"{tag}.losses"] = torch.tensor(losses, dtype=torch.float64)
    return out


def distances(found, wanted, lengths):
    """Per kind of number, the largest |torch − reference| ÷ largest |reference| over its tensors."""
    worst = {}
    for key, value in found.items():
        if key not in wanted or key.startswith(("greedy", "tokens", "labels")):
            continue
        a, b = value.double(), wanted[key]
        if key.endswith("logits"):
            kept = torch.arange(a.shape[1]) < torch.tensor(lengths)[:, None]
            a, b = a[kept], b[kept]
        kind = ".".join(key.split(".")[:2])
        distance = float((a - b).abs().max() / b.abs().max())
        worst[kind] = max(worst.get(kind, 0.0), distance)
        bound = 2e-4 if ".after5." in key else 1e-5  # Adam divides by √v: a tiny gradient keeps its relative error
        assert distance < bound, f"{key}: torch and the float64 reference differ by {distance:.1e}"
    return {kind: float(f"{d:.1e}") for kind, d in worst.items()}


# What is stored for a case


def without_adapter_name(key):
    return key.replace(".default.", ".")


def lora_model(folder, name):
    """PEFT LoRA on all seven linears, with a B that is not zero so that A has a gradient."""
    config = LoraConfig(r=4, lora_alpha=8, lora_dropout=0.0, target_modules=LINEARS, task_type="CAUSAL_LM")
    model = get_peft_model(load_model(folder), config)
    fill_adapter(model, name)
    return model


def fill_adapter(model, name):
    random = generator_for(name, "adapter")
    with torch.no_grad():
        for key, p in model.named_parameters():
            if "lora_" in key:
                p.copy_((0.3 if "lora_A" in key else 0.1) * torch.randn(p.shape, generator=random))


def greedy(model, name, vocab, count=12):
    """Three prompts one at a time through the cache; the gap says how far the second-best token was."""
    lengths = [5, 2, 7]
    prompts = torch.randint(3, vocab, (3, 7), generator=generator_for(name, "prompts"))
    prompts = prompts * (torch.arange(7) < torch.tensor(lengths)[:, None])
    chosen, gaps = [], []
    for prompt, length in zip(prompts, lengths):
        step, past, row, row_gaps = prompt[None, :length], None, [], []
        for _ in range(count):
            with torch.no_grad():
                output = model(input_ids=step, cache=past, use_cache=True)
            best = output.logits[0, -1].topk(2)
            row.append(best.indices[0].item())
            row_gaps.append((best.values[0] - best.values[1]).item())
            past, step = output.cache, best.indices[:1][None]
        chosen.append(row)
        gaps.append(row_gaps)
    return {
        "greedy.prompts": prompts,
        "greedy.prompt_lengths": torch.tensor(lengths),
        "greedy.tokens": torch.tensor(chosen),
        "greedy.gaps": torch.tensor(gaps),
    }


def make_case(root, name, arguments):
    folder = fresh(root / name)
    save_model(make_model(name, arguments), folder)
    config, weights = read_config(folder), load_file(folder / "model.safetensors")
    batch = tokens, mask, labels = make_batch(name, arguments["vocab_size"])
    model = load_model(folder)
    with torch.no_grad():
        output = model(input_ids=tokens, attention_mask=mask, labels=labels)
    out = {
        "tokens": tokens, "attention_lengths": torch.tensor(LENGTHS), "labels": labels,
        "logits": output.logits, "loss": output.loss[None],
    }  # fmt: skip
    if name == "llama-untied-gqa":
        out |= greedy(model, name, arguments["vocab_size"])
    full = train(model, batch, "full")
    noise = distances(out | full, reference_run(config, weights, batch, "full"), LENGTHS)
    if name in ALL_MODES:
        lora, lora_noise = make_lora(folder, name, batch, config, weights)
        out |= full | lora
        noise |= lora_noise
    else:
        out |= {key: value for key, value in full.items() if ".grad." in key}
    check_old_spelling(folder, tokens, mask, out["logits"])
    save(folder / "expected.safetensors", out)
    return noise


def make_lora(folder, name, batch, config, weights):
    model = lora_model(folder, name)
    tokens, mask, labels = batch
    initial = {
        without_adapter_name(key): p.detach().clone() for key, p in model.named_parameters() if p.requires_grad
    }
    with torch.no_grad():
        output = model(input_ids=tokens, attention_mask=mask, labels=labels)
    out = {"lora.logits": output.logits, "lora.loss": output.loss[None]}
    out |= {f"lora.init.{key}": value for key, value in initial.items()}
    out |= train(model, batch, "lora", without_adapter_name)
    return out, distances(out, reference_run(config, weights, batch, "lora", initial, scale=2.0), LENGTHS)


def check_old_spelling(folder, tokens, mask, logits):
    """`rope_theta` and `rope_scaling` at the top, as before transformers 5, must mean the same model."""
    old = folder / "config.v4.json"
    if not old.exists():
        return
    config = LlamaConfig(attn_implementation="eager", **json.loads(old.read_text()))
    model = LlamaForCausalLM(config)
    model.load_state_dict(load_file(folder / "model.safetensors"), strict=False)
    model.tie_weights()
    with torch.no_grad():
        again = model(input_ids=tokens, attention_mask=mask).logits
    assert torch.equal(again, logits), f"{folder.name}: the two spellings of the rotary settings differ"


def make_peft_pattern(root):
    """An adapter folder as PEFT saves it, one module with another rank and alpha, on `llama-untied-gqa`."""
    name, base = "llama-peft-pattern", root / "llama-untied-gqa"
    folder = fresh(root / name)
    special = "layers.1.mlp.down_proj"
    config = LoraConfig(
        r=4, lora_alpha=8, lora_dropout=0.0, target_modules=LINEARS, task_type="CAUSAL_LM",
        rank_pattern={special: 6}, alpha_pattern={special: 3},
    )  # fmt: skip
    model = get_peft_model(load_model(base), config)
    fill_adapter(model, name)
    # PEFT would record this machine's folder as the base.
    model.peft_config["default"].base_model_name_or_path = base.name
    model.save_pretrained(folder / "peft-adapter")
    (folder / "peft-adapter" / "README.md").unlink(missing_ok=True)
    settings = json.loads((folder / "peft-adapter" / "adapter_config.json").read_text())
    settings["target_modules"].sort()  # PEFT keeps a set; its order changes from run to run
    write_json(folder / "peft-adapter" / "adapter_config.json", settings)

    tokens, mask, labels = make_batch(name, CASES[base.name]["vocab_size"])
    loaded = PeftModel.from_pretrained(load_model(base), folder / "peft-adapter").eval()
    with torch.no_grad():
        output = loaded(input_ids=tokens, attention_mask=mask, labels=labels)
        merged = loaded.merge_and_unload()(input_ids=tokens, attention_mask=mask).logits
    assert torch.allclose(merged, output.logits, atol=1e-4)
    out = {
        "tokens": tokens, "attention_lengths": torch.tensor(LENGTHS), "labels": labels,
        "logits": output.logits, "loss": output.loss[None],
    }  # fmt: skip
    save(folder / "expected.safetensors", out)


def main():
    parser = argparse.ArgumentParser(description="Make the golden Llama fixtures.")
    parser.add_argument("output", nargs="?", type=Path, default=Path(__file__).parent / "fixtures")
    root = parser.parse_args().output
    logging.disable_progress_bar()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    root.mkdir(parents=True, exist_ok=True)
    noise = {}
    for name, arguments in CASES.items():
        noise[name] = make_case(root, name, arguments)
        print(name, noise[name])
    make_peft_pattern(root)
    make_adamw(root)
    make_schedule(root)
    write_json(root / "provenance.json", {"seed": SEED, "madeWith": VERSIONS, "distanceFromFloat64": noise})


if __name__ == "__main__":
    main()
