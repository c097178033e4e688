"""PEFT's merge of two LoRA adapters by singular values, over JSON lines: `python merge_svd.py FOLDER [--layers 30] [--rank 16] [--threads 2]`.

Draws two adapters on all linear layers of a Llama of SmolLM2-135M's size with weights of zero, which a merge does not read, saves
them as FOLDER/a and FOLDER/b, and says so. Each further line on stdin is answered by the milliseconds of one `add_weighted_adapter` with
`combination_type="svd"`; the first result is saved as FOLDER/merged. Exit 3 where a library is missing.
"""

import argparse
import json
import sys
import time
from pathlib import Path

try:
    import peft
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import LlamaConfig, LlamaForCausalLM
except ImportError as missing:
    print(f"Skipped: {missing.name} is not installed; see test/golden/requirements.lock.", file=sys.stderr)
    sys.exit(3)

SIZES = dict(hidden_size=576, intermediate_size=1536, num_attention_heads=9, num_key_value_heads=3, vocab_size=64)
LINEARS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def adapters(options):
    torch.manual_seed(1)
    config = LoraConfig(r=options.rank, lora_alpha=options.rank, target_modules=LINEARS)
    model = get_peft_model(LlamaForCausalLM(LlamaConfig(num_hidden_layers=options.layers, **SIZES)), config, "a")
    model.add_adapter("b", config)
    for name, weights in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weights, std=0.02)
    model.save_pretrained(options.folder)
    return model


def main():
    parser = argparse.ArgumentParser(description="PEFT's merge by singular values.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--layers", type=int, default=30)
    parser.add_argument("--rank", type=int, default=16)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    model = adapters(options)
    print(json.dumps({"ready": True, "torch": torch.__version__, "peft": peft.__version__}), flush=True)
    for line in sys.stdin:
        if json.loads(line)["work"] == "quit":
            return
        started = time.perf_counter()
        model.add_weighted_adapter(["a", "b"], [0.5, 0.5], "merged", combination_type="svd", svd_rank=options.rank)
        ms = 1000 * (time.perf_counter() - started)
        if not (options.folder / "merged").exists():
            model.save_pretrained(options.folder, selected_adapters=["merged"])
        model.delete_adapter("merged")
        print(json.dumps({"ms": ms}), flush=True)


if __name__ == "__main__":
    main()
