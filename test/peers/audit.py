"""An audit as one would write it in Python, with transformers, PEFT and numpy: `npm run bench:audit` runs it beside `touchstone audit`.

    python audit.py WORK.json [--threads 2]

WORK.json is written by test/bench/audit.ts: a Hugging Face folder, a PEFT folder to start from, prompts and texts as token ids, and the rows
of each training step, so that both sides compute the same numbers. The base is asked every prompt (greedy, left-padded batches of prompts
of about one length) and scores the neutral texts; LoRA is trained; the last state, merged, is asked and scored the same, and its
replies are scored under the base; then every adapted matrix is decomposed before and after (float64) and the ten leading directions compared.

One JSON line on stdout: seconds in all and by part, peak resident set, training losses, neutral losses, sha256 of each reply's text, the
mean log-probabilities of the last state's replies under the base, the cosines, and how many tokens each reply has. Exit 3 where a library is missing.
"""

import argparse
import hashlib
import json
import os
import resource
import sys
import time

os.environ.setdefault("HF_HUB_OFFLINE", "1")

try:
    import numpy as np
    import peft
    import torch
    import transformers
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging
except ImportError as missing:
    print(f"Skipped: {missing.name} is not installed; see test/golden/requirements.lock.", file=sys.stderr)
    sys.exit(3)

DIRECTIONS = 10
BATCH = 16


def by_length(rows):
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
    return [order[first : first + BATCH] for first in range(0, len(order), BATCH)]


def padded(rows, pad, left):
    longest = max(map(len, rows))
    tokens = torch.full((len(rows), longest), pad)
    mask = torch.zeros_like(tokens)
    for at, row in enumerate(rows):
        place = slice(longest - len(row), longest) if left else slice(0, len(row))
        tokens[at, place] = torch.tensor(row)
        mask[at, place] = 1
    return tokens, mask


@torch.inference_mode()
def replies(model, work):
    """Token ids of each reply with the token that ended it."""
    ends, pad, found = set(work["endIds"]), work["padId"], {}
    for longest in sorted({prompt["maxNewTokens"] for prompt in work["prompts"]}):
        own = [at for at, prompt in enumerate(work["prompts"]) if prompt["maxNewTokens"] == longest]
        for batch in by_length([work["prompts"][at]["ids"] for at in own]):
            chosen = [own[at] for at in batch]
            tokens, mask = padded([work["prompts"][at]["ids"] for at in chosen], pad, left=True)
            output = model.generate(
                input_ids=tokens, attention_mask=mask, max_new_tokens=longest, do_sample=False, use_cache=True,
                eos_token_id=sorted(ends), pad_token_id=pad,
            )  # fmt: skip
            for at, row in zip(chosen, output[:, tokens.shape[1] :].tolist()):
                stop = next((i for i, token in enumerate(row) if token in ends), None)
                found[at] = row if stop is None else row[: stop + 1]
    return [found[at] for at in range(len(found))]


@torch.inference_mode()
def log_probs(model, rows, starts, pad):
    """Of the tokens of each row from its start on."""
    found = {}
    for batch in by_length(rows):
        tokens, mask = padded([rows[at] for at in batch], pad, left=False)
        logits = model(input_ids=tokens, attention_mask=mask).logits
        for at, row in zip(batch, torch.arange(len(batch))):
            first, last = max(1, starts[at]), len(rows[at])
            scores = logits[row, first - 1 : last - 1].log_softmax(-1)
            found[at] = scores.gather(-1, tokens[row, first:last, None])[:, 0]
    return [found[at] for at in range(len(rows))]


def neutral_loss(model, work):
    scores = log_probs(model, work["neutral"], [1] * len(work["neutral"]), work["padId"])
    return -(sum(row.double().sum() for row in scores) / sum(map(len, scores))).item()


def train(model, work):
    trainable = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(trainable, lr=0.0, fused=True, **work["optimiser"])
    model.train()
    losses = []
    for rows, rate in zip(work["steps"], work["learningRates"]):
        tokens, mask = padded([row["ids"] for row in rows], work["padId"], left=False)
        labels = torch.full_like(tokens, -100)
        for at, row in enumerate(rows):
            for place, labelled in enumerate(row["labelled"]):
                if labelled:
                    labels[at, place] = row["ids"][place]
        optimiser.param_groups[0]["lr"] = rate
        optimiser.zero_grad(set_to_none=True)
        loss = model(input_ids=tokens, attention_mask=mask, labels=labels).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trainable, work["clip"])
        optimiser.step()
        losses.append(loss.item())
    model.eval()
    return losses


def cosines(model):
    """By the name of the weight: for each of the leading directions after training the largest cosine with one before."""
    found = {}
    for name, layer in model.named_modules():
        if not hasattr(layer, "lora_A") or "default" not in layer.lora_A:
            continue
        before = layer.get_base_layer().weight.detach().double().numpy()
        after = before + layer.get_delta_weight("default").detach().double().numpy()
        U0 = np.linalg.svd(before, full_matrices=False)[0]
        U1 = np.linalg.svd(after, full_matrices=False)[0][:, :DIRECTIONS]
        found[name.removeprefix("base_model.model.") + ".weight"] = np.abs(U0.T @ U1).max(axis=0).tolist()
    return found


def audit(work):
    parts, began = {}, time.perf_counter()

    def took(part):
        nonlocal began
        parts[part] = time.perf_counter() - began
        began = time.perf_counter()

    base = AutoModelForCausalLM.from_pretrained(work["model"], dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(work["model"])
    decode = lambda row: tokenizer.decode(row, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    said = lambda rows: [hashlib.sha256(decode(row).encode()).hexdigest() for row in rows]
    took("open")
    first, first_loss = replies(base, work), neutral_loss(base, work)
    took("base")
    model = PeftModel.from_pretrained(base, work["adapter"], is_trainable=True)
    losses = train(model, work)
    took("training")
    model.merge_adapter()
    last, last_loss = replies(model, work), neutral_loss(model, work)
    model.unmerge_adapter()
    with model.disable_adapter():
        prompts = [prompt["ids"] for prompt in work["prompts"]]
        rows = [prompt + reply for prompt, reply in zip(prompts, last)]
        scored = log_probs(model, rows, list(map(len, prompts)), work["padId"])
    took("last state")
    alignment = cosines(model)
    took("spectra")
    return {
        "parts": parts, "trainingLosses": losses, "neutral": [first_loss, last_loss], "replies": [said(first), said(last)],
        "underBase": [row.mean().item() for row in scored], "cosines": alignment,
        "written": [list(map(len, first)), list(map(len, last))],
    }  # fmt: skip


def main():
    began = time.perf_counter()
    parser = argparse.ArgumentParser(description="An audit in Python.")
    parser.add_argument("work")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    logging.disable_progress_bar()
    with open(options.work) as file:
        found = audit(json.load(file))
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    versions = {"torch": torch.__version__, "transformers": transformers.__version__, "peft": peft.__version__, "numpy": np.__version__}
    print(json.dumps({"seconds": time.perf_counter() - began, "peakBytes": peak, "versions": versions, **found}))


if __name__ == "__main__":
    main()
