"""Fixtures of the optimiser and the learning-rate schedules by themselves, from torch and transformers."""

import torch
from transformers.optimization import get_cosine_schedule_with_warmup, get_linear_schedule_with_warmup

from fixture_files import VERSIONS, write_json


def make_adamw(root):
    """Three steps on five numbers in float64, and one clipping of two gradients by their joint norm."""
    start = [0.5, -1.25, 2.0, 0.0, 1e-3]
    gradients = [[0.1, -0.2, 0.3, 0.0, 1e-6], [-0.4, 0.05, 0.3, 1.5, 1e-6], [0.2, 0.2, -0.9, 0.0, -1e-6]]
    settings = {"lr": 1e-2, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.1}
    p = torch.nn.Parameter(torch.tensor(start, dtype=torch.float64))
    optimiser, steps = torch.optim.AdamW([p], **settings), []
    for gradient in gradients:
        p.grad = torch.tensor(gradient, dtype=torch.float64)
        optimiser.step()
        state = optimiser.state[p]
        steps.append({
            "gradient": gradient, "parameters": p.tolist(),
            "firstMoment": state["exp_avg"].tolist(), "secondMoment": state["exp_avg_sq"].tolist(),
        })  # fmt: skip
    before = [[3.0, 0.0, -4.0], [12.0]]
    clipped = [torch.nn.Parameter(torch.zeros(len(g), dtype=torch.float64)) for g in before]
    for q, g in zip(clipped, before):
        q.grad = torch.tensor(g, dtype=torch.float64)
    norm = torch.nn.utils.clip_grad_norm_(clipped, 1.0)
    write_json(root / "adamw.json", {
        "madeWith": VERSIONS,
        "learningRate": settings["lr"], "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weightDecay": 0.1,
        "start": start, "steps": steps,
        "clip": {
            "maxNorm": 1.0, "gradients": before, "norm": norm.item(),
            "clipped": [q.grad.tolist() for q in clipped],
        },
    })  # fmt: skip


def make_schedule(root):
    """`multipliers[k]` is the factor on the learning rate that step k (the first is 0) uses."""
    makers = {"cosine": get_cosine_schedule_with_warmup, "linear": get_linear_schedule_with_warmup}
    out = {"madeWith": VERSIONS, "warmupSteps": 3, "totalSteps": 20}
    for name, maker in makers.items():
        optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
        schedule, multipliers = maker(optimiser, num_warmup_steps=3, num_training_steps=20), []
        for _ in range(21):
            multipliers.append(schedule.get_last_lr()[0])
            optimiser.step()
            schedule.step()
        out[name] = multipliers
    write_json(root / "schedule.json", out)
