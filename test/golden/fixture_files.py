"""How fixtures are written: the seed, the versions that made them, and the files."""

import json
import platform
import shutil

import numpy
import peft
import safetensors
import torch
import transformers
from safetensors.torch import save_file

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
