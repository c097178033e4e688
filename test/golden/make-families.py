"""Makes the golden fixtures of the decoder families: `python make-families.py [OUTPUT]` (default: fixtures/ beside this file).

Each is a tiny random checkpoint as transformers saves it, with logits, loss and every gradient of the loss by the
checkpoint's own weight names, in float32. Where positions are stretched beyond the trained length, rows are run alone,
and greedy tokens are written without a cache. See README.md.

With `--seed N` every case has other numbers, odd sizes and greedy tokens: `test/peers/families.test.ts` asks for three.
"""

import argparse
import copy
import os
from contextlib import contextmanager
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from transformers import AutoConfig, AutoModelForCausalLM
from transformers.utils import logging

import fixture_files
from fixture_files import SEED, VERSIONS, fresh, generator_for, read_config, save, stored_gradients, write_json

LENGTHS = [9, 6, 4]
TRAINED, STRETCHED_LENGTHS = 10, [15, 10, 6]  # beyond the trained length, at it, below it
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
    "qwen2-other-head": shape("qwen2"),
    "qwen3_moe-mixed": shape(
        "qwen3_moe", hidden=16, head_dim=16, layers=3, moe_intermediate_size=24, num_experts=4, num_experts_per_tok=2, mlp_only_layers=[1],
    ),
    "granite-scaled": shape(
        "granite", head_dim=None, attention_multiplier=0.25, embedding_multiplier=3.0, residual_multiplier=0.5, logits_scaling=2.0,
    ),
    "olmo3-local": shape("olmo3", hidden=16, heads=2, kv_heads=1, head_dim=None, layers=4, sliding_window=4),
    "gemma3-capped": shape(
        "gemma3_text", tie_word_embeddings=True, hidden=16, heads=2, kv_heads=1, head_dim=16, sliding_window=4, layer_types=LAYERS,
        layers=3, final_logit_softcapping=3.0,
    ),
    "smollm3-untold": shape("smollm3", heads=2, kv_heads=1, head_dim=None, hidden=16, tie_word_embeddings=True),
}  # fmt: skip
# config.json says that the head is the embedding, and the file holds another one: transformers 5 takes the file's.
SAYS_TIED = {"qwen2-other-head"}
# Its configuration leaves the tie to the class, as transformers 4.5x wrote it.
SAYS_NOTHING = {"smollm3-untold"}


def stretched(model_type, rope_type, longest=4 * TRAINED, theta=10000.0, scaling={}, **more):
    rope = dict(rope_type=rope_type, rope_theta=theta) | scaling
    return shape(model_type, max_position_embeddings=longest, rope_parameters=rope, **more)


FOUR_PAIRS = dict(short_factor=[1.0, 1.1, 1.3, 1.7], long_factor=[1.2, 2.0, 3.5, 6.0])
ORIGINAL = dict(original_max_position_embeddings=TRAINED)
STRETCHED = {
    "llama-dynamic": stretched("llama", "dynamic", longest=TRAINED, scaling=dict(factor=4.0)),
    "llama-longrope": stretched("llama", "longrope", scaling=FOUR_PAIRS | ORIGINAL | dict(factor=3.0)),
    "llama-yarn": stretched(
        "llama", "yarn", theta=10.0, scaling=ORIGINAL | dict(factor=4.0, beta_fast=0.5, beta_slow=0.05)
    ),
    "phi3-longrope": stretched(
        "phi3", "longrope", heads=2, kv_heads=1, head_dim=None, partial_rotary_factor=0.5, scaling=FOUR_PAIRS, **ORIGINAL
    ),
    "qwen2-yarn": stretched(
        "qwen2", "yarn", theta=10.0,
        scaling=ORIGINAL | dict(factor=4.0, beta_fast=0.5, beta_slow=0.05, mscale=1.5, mscale_all_dim=0.5, truncate=False),
    ),
    "qwen3-yarn": stretched("qwen3", "yarn", head_dim=16, scaling=ORIGINAL | dict(factor=4.0, attention_factor=1.3)),
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


def make_batch(name, vocab, lengths):
    """tokens, attention mask and labels `[3, longest]`, padded on the right; labels[t] = tokens[t] on reply positions."""
    tokens = torch.randint(3, vocab, (3, max(lengths)), generator=generator_for(name, "tokens"))
    tokens[0, 5] = tokens[0, 2]  # a repeated word: its embedding's gradient is a sum
    position = torch.arange(max(lengths))
    mask = (position < torch.tensor(lengths)[:, None]).long()
    tokens = tokens * mask
    reply = (position >= torch.tensor(PROMPT_LENGTHS)[:, None]) & mask.bool()
    return tokens, mask, torch.where(reply, tokens, -100)


def together(model, tokens, mask, labels):
    output = model(input_ids=tokens, attention_mask=mask, labels=labels, use_cache=False)
    return output.logits, output.loss


def one_by_one(model, tokens, mask, labels):
    """Each row by a fresh copy of the positions: transformers' frequencies are those of the longest text seen."""
    logits = torch.zeros(*tokens.shape, model.config.vocab_size)
    loss, terms = 0.0, (labels[:, 1:] != -100).sum()
    for b, length in enumerate(mask.sum(1).tolist()):
        with fresh_positions(model):
            row = model(input_ids=tokens[b : b + 1, :length], use_cache=False).logits[0]
        logits[b, :length] = row
        loss += torch.nn.functional.cross_entropy(row[:-1], labels[b, 1:length], ignore_index=-100, reduction="sum") / terms
    return logits, loss


@contextmanager
def fresh_positions(model):
    if not hasattr(model, "model"):  # learned positions
        yield
        return
    found = model.model.rotary_emb
    model.model.rotary_emb = copy.deepcopy(found)
    yield
    model.model.rotary_emb = found


def greedy(model, name, vocab, count=12):
    """Prompts one at a time, the whole text anew for each token; the gap says how far the second-best token was."""
    lengths = [7, 2, 12]
    prompts = torch.randint(3, vocab, (3, 12), generator=generator_for(name, "prompts"))
    prompts = prompts * (torch.arange(12) < torch.tensor(lengths)[:, None])
    written, gaps = [], []
    for prompt, length in zip(prompts, lengths):
        text, row_gaps = prompt[:length].tolist(), []
        for _ in range(count):
            with torch.no_grad(), fresh_positions(model):
                best = model(input_ids=torch.tensor([text]), use_cache=False).logits[0, -1].topk(2)
            text.append(best.indices[0].item())
            row_gaps.append((best.values[0] - best.values[1]).item())
        written.append(text[length:])
        gaps.append(row_gaps)
    return {
        "greedy.prompts": prompts,
        "greedy.prompt_lengths": torch.tensor(lengths),
        "greedy.tokens": torch.tensor(written),
        "greedy.gaps": torch.tensor(gaps),
    }


def odd(arguments, seed):
    """Sizes that nothing divides; the head's and the trained length stay, since scaling depends on them."""
    width = "n_inner" if arguments["model_type"] == "gpt2" else "intermediate_size"
    # torch multiplies stacks of experts only in rows of 16 bytes.
    size = 20 + 4 * seed if "num_experts_per_tok" in arguments else 21 + 2 * seed
    return arguments | {width: size, "vocab_size": 53 + 2 * seed}


def make_case(root, name, arguments, lengths=LENGTHS, run=together, writes=False):
    folder = fresh(root / name)
    model = make_model(name, arguments)
    model.save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    if name in SAYS_TIED:
        write_json(folder / "config.json", read_config(folder) | {"tie_word_embeddings": True})
        model = AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager").eval()
    if name in SAYS_NOTHING:
        config = read_config(folder)
        del config["tie_word_embeddings"]
        write_json(folder / "config.json", config)
    vocab = arguments["vocab_size"]
    tokens, mask, labels = make_batch(name, vocab, lengths)
    logits, loss = run(model, tokens, mask, labels)
    loss.backward()
    out = {
        "tokens": tokens, "attention_lengths": torch.tensor(lengths), "labels": labels,
        "logits": logits, "loss": loss[None],
    }  # fmt: skip
    if writes:
        out |= greedy(model, name, vocab)
    out |= {f"full.grad.{key}": g for key, g in stored_gradients(model, folder).items()}
    save(folder / "expected.safetensors", out)
    model_type = read_config(folder)["model_type"]
    smallest = out["greedy.gaps"].min().item() if "greedy.gaps" in out else None
    print(name, model_type, loss.item(), "largest logit", logits.abs().max().item(), "smallest gap", smallest)


def main():
    parser = argparse.ArgumentParser(description="Make the golden fixtures of the decoder families.")
    parser.add_argument("output", nargs="?", type=Path, default=Path(__file__).parent / "fixtures")
    parser.add_argument("--seed", type=int)
    arguments = parser.parse_args()
    root, seed = arguments.output, arguments.seed
    fixture_files.SEED = SEED if seed is None else seed
    changed = (lambda case: case) if seed is None else (lambda case: odd(case, seed))
    logging.disable_progress_bar()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    for name, case in CASES.items():
        make_case(root, name, changed(case), writes=seed is not None)
    for name, case in STRETCHED.items():
        make_case(root, name, changed(case), STRETCHED_LENGTHS, one_by_one, writes=True)
    cases = {"cases": sorted([*CASES, *STRETCHED]), "stretched": sorted(STRETCHED)}
    write_json(root / "families.json", {"seed": SEED, "madeWith": VERSIONS} | cases)


if __name__ == "__main__":
    main()
