"""The bench's work in PyTorch, transformers and PEFT: a long-lived process that a driver can alternate with.

    python bench_torch.py [--layers 30] [--threads 2] [--seed 1] [--attention sdpa] [--model DIR] [--adapter DIR] [--save-model DIR]
                          [--variant compile|bf16] [--device cpu|cuda]

It reads one JSON command a line on stdin and answers one JSON line on stdout; the first line says that it is ready.

    {"work": "lora-step"}   4 × 128 tokens, all labelled, LoRA rank 8 alpha 16 on all linears: forward, backward, clip at 1.0, AdamW
    {"work": "lora-chat", "rows": [ids, …], "prompts": [tokens, …]}   the same on rows of mixed lengths, padded to the longest by transformers'
                            collator; a row's loss is that of what comes after its prompt
    {"work": "full-step"}   the same with every weight
    {"work": "generate"}    greedy, 16 prompts × 64 tokens, 32 new tokens each, cache, nothing ends a reply early
    {"work": "generate-mixed"}   transformers' generate, greedy, 64 prompts × 16–160 tokens in left-padded batches of 16, up to 64 new tokens;
                                 the blocks' matrices are doubled, so that answers vary, and every 48th token is an end
    {"work": "memory"}      peak resident set so far
    {"work": "quit"}

Answers: {"work", "ms"} and "loss" (steps), "tokens" (both generations), "prefillMs" (generate), "peakRssBytes" (memory); {"error"} for a command that
cannot be done. A command may bring "tokens", rows of equal length; otherwise tokens[i] = 3 + (7919·i + 104729) mod (vocab − 3), i counting
over the whole batch row by row. Steps go on training from where the last one stopped. Only the state of the last work is
held: changing the work builds the model anew, outside the time, and its peak memory stays in the process: one process a work for memory.

Dimensions are SmolLM2-135M's with random weights from the seed, float32, tied; --model takes a Hugging Face folder instead, --adapter a PEFT
folder to start lora-step from, so that both sides have the same numbers; --save-model writes the random model as such a folder. The attention is
torch's own fused one unless told, --variant
compile gives the steps to torch.compile, --variant bf16 runs them under bfloat16 autocast (whose numbers are approximate), and AdamW is fused, so that the peer runs at its best. That needs a quiet machine: torch's threads
spin at barriers, and busy neighbours on two cores made a step over ten times slower (OMP_WAIT_POLICY=PASSIVE softens it). Exit 3 where torch is missing.
"""

import argparse
import contextlib
import json
import os
import resource
import shutil
import sys
import time

os.environ.setdefault("HF_HUB_OFFLINE", "1")
ANSWERS = sys.stdout
sys.stdout = sys.stderr  # a library that prints must not break the protocol

SMOLLM2_135M = dict(
    hidden_size=576, intermediate_size=1536, num_attention_heads=9, num_key_value_heads=3, vocab_size=49152,
    tie_word_embeddings=True, rms_norm_eps=1e-5, max_position_embeddings=8192,
    rope_parameters={"rope_type": "default", "rope_theta": 100000.0}, pad_token_id=None, eos_token_id=None, bos_token_id=None,
)  # fmt: skip
LINEARS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
BATCH, PROMPTS, NEW_TOKENS = (4, 128), (16, 64), 32
MIXED = dict(rows=64, shortest=16, longest=160, batch=16, new_tokens=64, end_every=48, block_scale=2)
OPTIMISER = {"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.01, "fused": True}


def build_model(options):
    settings = {"attn_implementation": options.attention}
    if options.model:
        return AutoModelForCausalLM.from_pretrained(options.model, dtype=torch.float32, **settings).to(options.device)
    torch.manual_seed(options.seed)
    return LlamaForCausalLM(LlamaConfig(num_hidden_layers=options.layers, **SMOLLM2_135M, **settings)).to(options.device)


def tokens_for(command, shape, vocab):
    if "tokens" in command:
        return torch.tensor(command["tokens"])
    count = torch.arange(shape[0] * shape[1])
    return (3 + (7919 * count + 104729) % (vocab - 3)).view(shape)


def tokens_as_labels(command, vocab):
    tokens = tokens_for(command, BATCH, vocab)
    return {"input_ids": tokens, "labels": tokens}


def padding_collator():
    """transformers' own, as its examples use it; of the tokenizer it needs the padding token alone."""
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(WordLevel({"<pad>": 0}, "<pad>")), pad_token="<pad>")
    return DataCollatorForSeq2Seq(tokenizer, padding=True)


def variant_lacks(variant):
    """What this machine lacks for a variant; none where it can."""
    if variant == "compile" and not shutil.which(os.environ.get("CXX", "g++")):
        return "torch.compile needs a C++ compiler, and there is none"
    if variant == "bf16" and not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        return "this processor has no products in bfloat16, and autocast gains nothing from emulated ones"
    return None


def trainer(model, trainable, variant, batch_of=tokens_as_labels):
    """A closure that trains one step: `(command) → answer`."""
    forward = torch.compile(model) if variant == "compile" else model
    precision = torch.autocast("cpu", dtype=torch.bfloat16) if variant == "bf16" else contextlib.nullcontext()
    optimiser = torch.optim.AdamW(trainable, **OPTIMISER)
    model.train()

    def step(command):
        started = time.perf_counter()
        batch = {name: rows.to(model.device) for name, rows in batch_of(command, model.config.vocab_size).items()}
        optimiser.zero_grad(set_to_none=True)
        with precision:
            loss = forward(**batch).loss
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(trainable, 1.0)
        optimiser.step()
        return {"ms": elapsed(started), "loss": loss.item(), "gradientNorm": norm.item()}

    return step


def lora_model(options):
    base = build_model(options)
    if options.adapter:
        model = PeftModel.from_pretrained(base, options.adapter, is_trainable=True)
    else:
        torch.manual_seed(options.seed)  # the same adapter whether the base was drawn or read
        config = LoraConfig(r=8, lora_alpha=16, lora_dropout=0.0, target_modules=LINEARS, task_type="CAUSAL_LM")
        model = get_peft_model(base, config)
    model.to(options.device)
    return model, [p for p in model.parameters() if p.requires_grad]


def lora_step(options):
    return trainer(*lora_model(options), options.variant)


def lora_chat(options):
    collate = padding_collator()

    def batch_of(command, _):
        rows = zip(command["rows"], command["prompts"])
        return dict(collate([{"input_ids": ids, "labels": [-100] * prompt + ids[prompt:]} for ids, prompt in rows]))

    return trainer(*lora_model(options), options.variant, batch_of)


def full_step(options):
    model = build_model(options)
    return trainer(model, list(model.parameters()), options.variant)


def generate(options):
    model = build_model(options).eval()

    @torch.inference_mode()
    def run(command):
        step = tokens_for(command, PROMPTS, model.config.vocab_size).to(model.device)
        started, prefill, past, chosen = time.perf_counter(), None, None, []
        for _ in range(NEW_TOKENS):
            output = model(input_ids=step, cache=past, use_cache=True, logits_to_keep=1)
            past, step = output.cache, output.logits[:, -1].argmax(-1, keepdim=True)
            chosen.append(step)
            prefill = prefill or elapsed(started)
        return {"ms": elapsed(started), "prefillMs": prefill, "tokens": torch.cat(chosen, 1).tolist()}

    return run


def mixed_prompts(vocab):
    spread = MIXED["longest"] - MIXED["shortest"] + 1
    lengths = [MIXED["shortest"] + 53 * row % spread for row in range(MIXED["rows"])]
    tokens = 3 + (7919 * torch.arange(sum(lengths)) + 104729) % (vocab - 3)
    return tokens.split(lengths)


def left_padded(prompts):
    longest = max(map(len, prompts))
    tokens = torch.zeros(len(prompts), longest, dtype=torch.long)
    mask = torch.zeros_like(tokens)
    for row, prompt in enumerate(prompts):
        tokens[row, longest - len(prompt) :] = prompt
        mask[row, longest - len(prompt) :] = 1
    return {"input_ids": tokens, "attention_mask": mask}


def generate_mixed(options):
    model = build_model(options).eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if name.split(".")[-2] in LINEARS:
                weight.mul_(MIXED["block_scale"])
    vocab = model.config.vocab_size
    ends = list(range(0, vocab, MIXED["end_every"]))
    prompts = mixed_prompts(vocab)

    def until_end(row):
        ended = [i for i, token in enumerate(row) if token % MIXED["end_every"] == 0]
        return row[: ended[0] + 1] if ended else row

    @torch.inference_mode()
    def run(_):
        started, chosen = time.perf_counter(), []
        for first in range(0, len(prompts), MIXED["batch"]):
            batch = {name: rows.to(model.device) for name, rows in left_padded(prompts[first : first + MIXED["batch"]]).items()}
            output = model.generate(
                **batch, max_new_tokens=MIXED["new_tokens"], do_sample=False, use_cache=True, eos_token_id=ends, pad_token_id=0
            )
            chosen += output[:, batch["input_ids"].shape[1] :].tolist()
        return {"ms": elapsed(started), "tokens": [until_end(row) for row in chosen]}

    return run


def memory(_):
    # Linux counts in KiB, macOS in bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    return {"ms": 0.0, "peakRssBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit}


WORKS = {"lora-step": lora_step, "lora-chat": lora_chat, "full-step": full_step, "generate": generate, "generate-mixed": generate_mixed}


def elapsed(started):
    if torch.cuda.is_available():
        torch.cuda.synchronize()  # a card goes on after its calls return
    return (time.perf_counter() - started) * 1000


def say(answer):
    print(json.dumps(answer), file=ANSWERS, flush=True)


def serve(options):
    held, run = None, None
    for line in sys.stdin:
        try:
            command = json.loads(line)
            work = command["work"]
            if work == "quit":
                return
            if work in WORKS and work != held:
                run, held = None, None  # the old model goes before the new one comes
                run, held = WORKS[work](options), work
            answer = memory(command) if work == "memory" else run_known(work, run, command)
            say({"work": work, **answer})
        except Exception as problem:  # the driver decides; the process stays usable
            say({"error": f"{type(problem).__name__}: {problem}"})


def run_known(work, run, command):
    if work not in WORKS:
        raise ValueError(f"unknown work {work!r}; there are {', '.join([*WORKS, 'memory', 'quit'])}")
    return run(command)


def main():
    parser = argparse.ArgumentParser(description="The bench's work in PyTorch.")
    parser.add_argument("--layers", type=int, default=30)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--attention", default="sdpa", choices=["sdpa", "eager"])
    parser.add_argument("--model")
    parser.add_argument("--adapter")
    parser.add_argument("--save-model")
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--variant", choices=["compile", "bf16"])
    options = parser.parse_args()
    if options.device == "cuda" and not torch.cuda.is_available():
        print("Skipped: this Python's torch sees no CUDA card.", file=sys.stderr)
        sys.exit(3)
    if lacks := variant_lacks(options.variant):
        print(f"Skipped: {lacks}.", file=sys.stderr)
        sys.exit(3)
    torch.set_num_threads(options.threads)
    logging.disable_progress_bar()
    if options.save_model:
        build_model(options).save_pretrained(options.save_model)
    versions = {"torch": torch.__version__, "transformers": transformers.__version__, "peft": peft.__version__}
    say({"ready": True, "threads": torch.get_num_threads(), "attention": options.attention, **versions})
    serve(options)


try:
    import peft
    import torch
    import transformers
    from peft import LoraConfig, PeftModel, get_peft_model
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from transformers import AutoModelForCausalLM, DataCollatorForSeq2Seq, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
    from transformers.utils import logging
except ImportError as missing:
    print(f"Skipped: {missing.name} is not installed; see test/golden/requirements.lock.", file=sys.stderr)
    sys.exit(3)

if __name__ == "__main__":
    main()
