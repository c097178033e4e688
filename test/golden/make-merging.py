"""Adapters merged by PEFT's add_weighted_adapter: two linear layers, three adapters; A, B and the merged ΔW, row-major.

    python test/golden/make-merging.py > test/golden/fixtures/merging.json

Density 1 for DARE, whose draws are PyTorch's own; ranks 2, 2 and 3 (the third only where ranks may differ).
"""

import json

import peft
import torch
from peft import LoraConfig, get_peft_model
from torch import nn


class Two(nn.Module):
    def __init__(self):
        super().__init__()
        self.up = nn.Linear(5, 8, bias=False)
        self.down = nn.Linear(8, 5, bias=False)

    def forward(self, x):
        return self.down(self.up(x))


ADAPTERS = {"a": (2, 4), "b": (2, 3), "c": (3, 6)}
CASES = [
    ("linear", "ab", [0.7, 0.3], {}),
    ("cat", "abc", [0.5, 1.0, 0.25], {}),
    ("svd", "abc", [0.5, 1.0, 0.25], {"svd_rank": 3}),
    ("ties", "ab", [1.0, 0.5], {"density": 0.6}),
    ("dare_linear", "ab", [1.0, 0.5], {"density": 1.0}),
    ("ties_svd", "abc", [1.0, 0.5, 0.75], {"density": 0.4, "svd_rank": 2}),
]


def numbers(tensor):
    return [round(x, 9) for x in tensor.detach().double().flatten().tolist()]


def main():
    torch.manual_seed(3)
    model = None
    for name, (rank, alpha) in ADAPTERS.items():
        config = LoraConfig(r=rank, lora_alpha=alpha, target_modules=["up", "down"])
        if model is None:
            model = get_peft_model(Two(), config, adapter_name=name)
        else:
            model.add_adapter(name, config)
    layers = {name: getattr(model.base_model.model, name) for name in ("up", "down")}
    adapters = {name: {} for name in ADAPTERS}
    for layer, module in layers.items():
        for name in ADAPTERS:
            for side in (module.lora_A[name], module.lora_B[name]):
                side.weight.data = torch.randn_like(side.weight).mul(4096).round().div(4096)
            a, b = module.lora_A[name].weight, module.lora_B[name].weight
            adapters[name][layer] = {"A": numbers(a), "B": numbers(b)}
    cases = []
    for i, (kind, names, weights, options) in enumerate(CASES):
        model.add_weighted_adapter(list(names), weights, f"m{i}", combination_type=kind, **options)
        change = {layer: numbers(module.get_delta_weight(f"m{i}")) for layer, module in layers.items()}
        cases.append({"kind": kind, "adapters": list(names), "weights": weights, "options": options, "change": change})
    shapes = {"up": [8, 5], "down": [5, 8]}
    versions = {"peft": peft.__version__, "torch": torch.__version__}
    ranks = {name: {"rank": rank, "alpha": alpha} for name, (rank, alpha) in ADAPTERS.items()}
    print(json.dumps({"versions": versions, "shapes": shapes, "ranks": ranks, "adapters": adapters, "cases": cases}))


main()
