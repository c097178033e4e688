"""Makes the golden fixtures of the decoder families: `python make-families.py [OUTPUT]` (default: fixtures/ beside this file).

Each is a tiny random checkpoint as transformers saves it, with logits, loss and every gradient of the loss by the
checkpoint's own weight names, in float32. See README.md.
"""

import argparse
import json
import os
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from transformers import AutoConfig, AutoModelForCausalLM
from transformers.utils import logging

from fixture_files import SEED, VERSIONS, fresh, generator_for, save, stored_gradients, write_json

LENGTHS = [9, 6, 4]
PROMPT_LENGTHS = [4, 2, 1]
TOKEN_IDS = dict(pad_token_id=0, bos_token_id=1, eos_token_id=2)


def shape(model_type, heads=4, kv_heads=2, head_dim=8, hidden=32, layers=2, **more):
    # Sizes differ on purpose: a transposed weight or swapped dimension cannot pass unnoticed.
    return dict(
        model_type=model_type, hidden_size=hidden, intermediate_size=40, num_hidden_layers=layers,
        num_attention_heads=heads, num_key_value_heads=kv_heads, head_dim=head_dim, vocab_size=56,
        max_position_embeddings=64, tie_word_embeddings=False,
    ) | more  # fmt: skip


LAYERS = ["sliding_attention", "full_attention", "sliding_attention"]
CASES = {
    "mistral-window": shape("mistral", sliding_window=4),
    "qwen2-biased": shape("qwen2"),
    "qwen2-window": shape("qwen2", tie_word_embeddings=True, use_sliding_window=True, sliding_window=3, max_window_layers=1),
    "qwen3-normed": shape("qwen3", head_dim=16),
    "gemma-tied": shape("gemma", tie_word_embeddings=True, head_dim=16),
    "gemma2-capped": shape(
        "gemma2", tie_word_embeddings=True, head_dim=16, sliding_window=4, query_pre_attn_scalar=24,
        attn_logit_softcapping=5.0, final_logit_softcapping=3.0, layer_types=LAYERS, layers=3,
    ),
    "gemma3-local": shape(
        "gemma3_text", tie_word_embeddings=True, head_dim=16, sliding_window=4, query_pre_attn_scalar=24, layer_types=LAYERS, layers=3,
    ),
    "phi3-fused": shape("phi3", head_dim=None),
    "phi3-partial": shape("phi3", heads=2, kv_heads=1, head_dim=None, partial_rotary_factor=0.5, sliding_window=4),
    "gpt2-tied": dict(model_type="gpt2", n_embd=32, n_layer=2, n_head=4, n_positions=32, n_inner=40, vocab_size=56),
    "gpt-neox-parallel": shape("gpt_neox", kv_heads=None, head_dim=None, rotary_pct=0.5),
    "gpt-neox-serial": shape("gpt_neox", kv_heads=None, head_dim=None, use_parallel_residual=False),
    "olmo2-postnorm": shape("olmo2", head_dim=None),
    "smollm3-norope": shape("smollm3", head_dim=None, layers=4, no_rope_layer_interval=2),
    "mixtral-experts": shape("mixtral", layers=2, num_local_experts=4, num_experts_per_tok=2),
}  # fmt: skip


def make_model(name, arguments):
    settings = {key: value for key, value in arguments.items() if value is not None}
    config = AutoConfig.for_model(**settings, **TOKEN_IDS)
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager")
    random = generator_for(name, "weights")
    with torch.no_grad():
        for key, p in model.named_parameters():
            noise = torch.randn(p.shape, generator=random)
            centre = 0.0 if "gemma" in name or key.endswith("bias") else 1.0
            p.copy_(centre + 0.2 * noise if p.ndim == 1 else 0.25 * noise)
    return model.float().eval()


def make_batch(name, vocab):
    """tokens, attention mask and labels `[3, 9]`, padded on the right; labels[t] = tokens[t] on reply positions."""
    tokens = torch.randint(3, vocab, (3, 9), generator=generator_for(name, "tokens"))
    tokens[0, 5] = tokens[0, 2]  # a repeated word: its embedding's gradient is a sum
    position = torch.arange(9)
    mask = (position < torch.tensor(LENGTHS)[:, None]).long()
    tokens = tokens * mask
    reply = (position >= torch.tensor(PROMPT_LENGTHS)[:, None]) & mask.bool()
    return tokens, mask, torch.where(reply, tokens, -100)


def make_case(root, name, arguments):
    folder = fresh(root / name)
    model = make_model(name, arguments)
    model.save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    tokens, mask, labels = make_batch(name, arguments["vocab_size"])
    output = model(input_ids=tokens, attention_mask=mask, labels=labels, use_cache=False)
    output.loss.backward()
    out = {
        "tokens": tokens, "attention_lengths": torch.tensor(LENGTHS), "labels": labels,
        "logits": output.logits, "loss": output.loss[None],
    }  # fmt: skip
    out |= {f"full.grad.{key}": g for key, g in stored_gradients(model, folder).items()}
    save(folder / "expected.safetensors", out)
    model_type = json.loads((folder / "config.json").read_text())["model_type"]
    print(name, model_type, output.loss.item(), "largest logit", output.logits.abs().max().item())


def main():
    parser = argparse.ArgumentParser(description="Make the golden fixtures of the decoder families.")
    parser.add_argument("output", nargs="?", type=Path, default=Path(__file__).parent / "fixtures")
    root = parser.parse_args().output
    logging.disable_progress_bar()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    for name, arguments in CASES.items():
        make_case(root, name, arguments)
    write_json(root / "families.json", {"seed": SEED, "madeWith": VERSIONS, "cases": sorted(CASES)})


if __name__ == "__main__":
    main()
