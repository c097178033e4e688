"""Makes fixtures/peft: `python make-peft.py [OUTPUT]` (default: fixtures/ beside this file), about 10 seconds.

Each folder is an adapter as PEFT saves it, of a tiny checkpoint of make-families.py or make-llama.py, with random numbers
in whatever PEFT trains. `expected.safetensors` holds by the folder's name the logits on the base's tokens of the adapter as
PEFT reads it back. See README.md.
"""

import argparse
import json
import os
import warnings
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
warnings.filterwarnings("ignore")

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM
from transformers.utils import logging

from fixture_files import SEED, VERSIONS, fresh, generator_for, save, write_json

TIED, UNTIED, GEMMA, GPT2, MIXTRAL = "qwen2-window", "llama-untied-gqa", "gemma-tied", "gpt2-tied", "mixtral-experts"
TYING = dict(ensure_weight_tying=True)
SAVED = dict(target_modules=["q_proj"])
EXPERTS = ["mlp.experts.gate_up_proj", "mlp.experts.down_proj"]
CASES = {
    "saved-embedding": (TIED, SAVED | dict(modules_to_save=["embed_tokens"])),
    "saved-embedding-tied": (TIED, SAVED | TYING | dict(modules_to_save=["embed_tokens"])),
    "saved-head": (TIED, SAVED | dict(modules_to_save=["lm_head"])),
    "saved-both": (TIED, SAVED | dict(modules_to_save=["embed_tokens", "lm_head"])),
    "lora-embedding": (TIED, dict(target_modules=["q_proj", "embed_tokens"])),
    "lora-embedding-tied": (TIED, TYING | dict(target_modules=["q_proj", "embed_tokens"])),
    "lora-head": (TIED, dict(target_modules=["q_proj", "lm_head"])),
    "lora-both": (TIED, dict(target_modules=["lm_head", "embed_tokens"])),
    "dora-embedding": (TIED, dict(target_modules=["q_proj", "embed_tokens"], use_dora=True)),
    "bias-all": (TIED, dict(target_modules=["q_proj", "o_proj"], bias="all")),
    "bias-lora-only": (TIED, dict(target_modules=["q_proj", "o_proj"], bias="lora_only")),
    "lora-bias": (TIED, dict(target_modules=["q_proj", "k_proj"], lora_bias=True)),
    "norms": (TIED, SAVED | dict(modules_to_save=["norm", "input_layernorm"])),
    "expressions": (
        TIED,
        dict(
            target_modules=r".*\.layers\.[01]\.(self_attn\.(q|v)_proj|mlp\.down_proj)",
            rank_pattern={r"layers\.0\.self_attn\..*": 3, "down_proj": 2},
            alpha_pattern={r"layers\.\d+\.mlp\.down_proj": 5, "q_proj": 7},
        ),
    ),
    "untied-saved": (UNTIED, SAVED | TYING | dict(modules_to_save=["embed_tokens"])),
    "untied-lora": (UNTIED, dict(target_modules=["embed_tokens", "lm_head", "down_proj"])),
    "untied-parameters": (UNTIED, dict(target_modules=[], target_parameters=["q_proj.weight"])),
    "gemma-embedding": (GEMMA, dict(target_modules=["embed_tokens", "o_proj"])),
    "gpt2": (GPT2, dict(target_modules=["c_attn", "wte", "mlp.c_proj"], bias="all", fan_in_fan_out=True)),
    "gpt2-saved": (GPT2, dict(target_modules=["c_attn"], modules_to_save=["ln_f", "wpe", "c_fc"], fan_in_fan_out=True)),
    "mixtral-all": (MIXTRAL, dict(target_modules="all-linear")),
    "mixtral-experts": (MIXTRAL, dict(target_modules=["q_proj"], target_parameters=EXPERTS)),
    "mixtral-down": (MIXTRAL, dict(target_modules=[], target_parameters=EXPERTS[1:])),
    "mixtral-router": (MIXTRAL, dict(target_modules=["q_proj"], target_parameters=["mlp.gate.weight"])),
}  # fmt: skip


def base_of(root, name):
    return AutoModelForCausalLM.from_pretrained(root / name, attn_implementation="eager").float().eval()


def logits_of(model, root, base):
    batch = load_file(root / base / "expected.safetensors")
    lengths = batch["attention_lengths"]
    mask = (torch.arange(batch["tokens"].shape[1]) < lengths[:, None]).long()
    with torch.no_grad():
        return model(input_ids=batch["tokens"], attention_mask=mask).logits


def make_case(root, name, base, options):
    folder = fresh(root / "peft" / name)
    config = LoraConfig(task_type="CAUSAL_LM", r=4, lora_alpha=6, **options)
    model = get_peft_model(base_of(root, base), config).eval()
    random = generator_for(name, "adapter")
    with torch.no_grad():
        for _, p in model.named_parameters():
            if p.requires_grad:
                p.add_(0.1 * torch.randn(p.shape, generator=random))
    model.save_pretrained(folder)
    (folder / "README.md").unlink()
    settings = json.loads((folder / "adapter_config.json").read_text())
    lists = {key: sorted(value) for key, value in settings.items() if isinstance(value, list)}
    settings |= lists | {"base_model_name_or_path": base}
    write_json(folder / "adapter_config.json", settings)
    weights = load_file(folder / "adapter_model.safetensors")
    save_file(weights, folder / "adapter_model.safetensors", metadata={"format": "pt"})
    read = logits_of(PeftModel.from_pretrained(base_of(root, base), folder).eval(), root, base)
    assert torch.equal(read, logits_of(model, root, base)), f"{name}: PEFT reads another model than it wrote"
    moved = (read - logits_of(base_of(root, base), root, base)).abs().max().item()
    print(name, "moves a logit by", round(moved, 2))
    return read


def main():
    parser = argparse.ArgumentParser(description="Make the golden fixtures of adapters.")
    parser.add_argument("output", nargs="?", type=Path, default=Path(__file__).parent / "fixtures")
    root = parser.parse_args().output
    logging.disable_progress_bar()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    fresh(root / "peft")
    save(root / "peft" / "expected.safetensors", {name: make_case(root, name, *case) for name, case in CASES.items()})
    cases = {name: base for name, (base, _) in CASES.items()}
    write_json(root / "peft.json", {"seed": SEED, "madeWith": VERSIONS, "cases": cases})


if __name__ == "__main__":
    main()
