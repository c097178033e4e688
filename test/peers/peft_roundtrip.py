"""Loads an adapter folder that Touchstone exported with PEFT and writes what base and adapter answer together.

    python peft_roundtrip.py BASE ADAPTER OUT [--tokens FILE]

BASE is a Hugging Face folder or a .gguf file, ADAPTER a folder with `adapter_config.json` and
`adapter_model.safetensors`, OUT a safetensors file that receives `tokens` `[batch, seq]`, `logits` (base + adapter), `base_logits` (adapter
off) and `merged_logits` (adapter merged), all `[batch, seq, vocab]` float32. FILE is JSON (rows of equal length) or a
safetensors file with `tokens`; without it BASE/expected.safetensors is used. Rows are taken whole: what stands at
padded positions is garbage, and real tokens do not see it.

One JSON line on stdout: versions, rank per adapted module, and how far the merged model is from the adapted one. Exit 1 where the
adapter's tensors are not exactly those that its configuration asks for, exit 3 where torch or PEFT is missing.
"""

import argparse
import json
import os
import sys
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")


def leave(code, sentence):
    print(sentence, file=sys.stderr)
    sys.exit(code)


def load_base(path):
    settings = {"dtype": torch.float32, "attn_implementation": "eager"}
    if path.suffix == ".gguf":
        return AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, **settings)
    return AutoModelForCausalLM.from_pretrained(path, **settings)


def read_tokens(file, base):
    file = file or base / "expected.safetensors"
    if not file.is_file():
        leave(2, f"No tokens: {file} is not there; give --tokens FILE.")
    if file.suffix == ".json":
        return torch.tensor(json.loads(file.read_text()))
    return load_file(file)["tokens"]


def check_tensors(model, adapter):
    """PEFT itself only warns about a tensor that is missing or that nobody asked for."""
    found = set(load_file(adapter / "adapter_model.safetensors"))
    wanted = set(get_peft_model_state_dict(model))
    if found != wanted:
        missing, extra = sorted(wanted - found)[:3], sorted(found - wanted)[:3]
        leave(1, f"The adapter's tensors are not those of its configuration: missing {missing}, unexpected {extra}.")


def main():
    parser = argparse.ArgumentParser(description="Read an exported adapter with PEFT.")
    parser.add_argument("base", type=Path)
    parser.add_argument("adapter", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--tokens", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    logging.disable_progress_bar()
    tokens = read_tokens(options.tokens, options.base)
    model = PeftModel.from_pretrained(load_base(options.base), options.adapter).eval()
    check_tensors(model, options.adapter)
    ranks = {
        name.removeprefix("base_model.model.").removesuffix(".lora_A.default"): module.out_features
        for name, module in model.named_modules()
        if name.endswith("lora_A.default")
    }
    with torch.inference_mode():
        logits = model(input_ids=tokens).logits
        with model.disable_adapter():
            base_logits = model(input_ids=tokens).logits
        merged = model.merge_and_unload()(input_ids=tokens).logits
    tensors = {"tokens": tokens, "logits": logits, "base_logits": base_logits, "merged_logits": merged}
    save_file({key: value.contiguous().clone() for key, value in tensors.items()}, options.out)
    print(json.dumps({
        "madeWith": {"torch": torch.__version__, "transformers": transformers.__version__, "peft": peft.__version__},
        "ranks": ranks,
        "largestLogit": float(logits.abs().max()),
        "mergedDistance": float((merged - logits).abs().max()),
        "adapterDistance": float((base_logits - logits).abs().max()),
    }))  # fmt: skip


try:
    import peft
    import torch
    import transformers
    from peft import PeftModel, get_peft_model_state_dict
    from safetensors.torch import load_file, save_file
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging
except ImportError as missing:
    leave(3, f"Skipped: {missing.name} is not installed; see test/golden/requirements.lock.")

if __name__ == "__main__":
    main()
