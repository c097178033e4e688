"""How fixtures are written: the seed, the versions that made them, random numbers, and the files."""

import json
import platform
import shutil

import numpy
import peft
import safetensors
import torch
import transformers
from safetensors.torch import load_file, save_file

SEED = 20260
VERSIONS = {
    "python": platform.python_version(),
    "torch": torch.__version__,
    "transformers": transformers.__version__,
    "peft": peft.__version__,
    "safetensors": safetensors.__version__,
    "numpy": numpy.__version__,
}


def fresh(folder):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def read_config(folder):
    return json.loads((folder / "config.json").read_text())


def write_json(path, value):
    path.write_text(json.dumps(value, indent=2) + "\n")


def save(path, tensors):
    for key, t in tensors.items():
        assert not t.is_floating_point() or torch.isfinite(t).all(), f"{path}: {key} is not finite"
    tensors = {key: t.detach().contiguous().clone() for key, t in tensors.items()}
    # One entry: safetensors writes several in an order that changes from run to run.
    save_file(tensors, path, metadata={"madeWith": json.dumps({"seed": SEED, **VERSIONS})})


def generator_for(*names):
    """One stream of random numbers a purpose, so that adding a case moves no other case."""
    text = ":".join(names)
    return torch.Generator().manual_seed(SEED + sum((i + 1) * ord(c) for i, c in enumerate(text)))


def stored_gradients(model, folder):
    """Gradients by the names and shapes of the saved file: saved once more in place of the weights, by the same code."""
    values = {key: p.detach().clone() for key, p in model.named_parameters()}
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(p.grad if p.grad is not None else torch.zeros_like(p))
    scratch = fresh(folder / "scratch")
    model.save_pretrained(scratch)
    gradients = load_file(scratch / "model.safetensors")
    for path in scratch.iterdir():
        path.unlink()
    scratch.rmdir()
    with torch.no_grad():
        for key, p in model.named_parameters():
            p.copy_(values[key])
    return gradients
