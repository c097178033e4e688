"""Prints shape and sha256 of every float32 weight of a GGUF file, as transformers loads it.

    python smollm2-weights.py SmolLM2-135M-Instruct.Q4_1.gguf
"""
import hashlib, json, os, sys

import torch
from transformers import AutoModelForCausalLM

folder, file = os.path.split(sys.argv[1])
model = AutoModelForCausalLM.from_pretrained(folder, gguf_file=file, dtype=torch.float32)
print(
    json.dumps(
        {
            name: {"shape": list(p.shape), "sha256": hashlib.sha256(p.detach().contiguous().numpy().tobytes()).hexdigest()}
            for name, p in model.named_parameters()
        }
    )
)
