"""test/golden/fixtures/curvature.json: the Hessian of a small tanh network by torch's autograd, float64.

python make-curvature.py (torch 2.13)
"""

import json
from pathlib import Path

import torch

torch.manual_seed(0)
torch.set_default_dtype(torch.float64)
INPUTS, WIDTH, CLASSES, ROWS = 4, 5, 3, 12
x = torch.randn(ROWS, INPUTS)
labels = torch.randint(0, CLASSES, (ROWS,))
# Numbers that float32 holds, as the engine stores parameters.
theta = torch.randn(INPUTS * WIDTH + WIDTH * CLASSES).float().double()


def loss(flat):
    first = flat[: INPUTS * WIDTH].view(WIDTH, INPUTS)
    second = flat[INPUTS * WIDTH :].view(CLASSES, WIDTH)
    return torch.nn.functional.cross_entropy(torch.tanh(x @ first.T) @ second.T, labels)


hessian = torch.autograd.functional.hessian(loss, theta)
fixture = {
    "sizes": [INPUTS, WIDTH, CLASSES],
    "x": x.tolist(),
    "labels": labels.tolist(),
    "theta": theta.tolist(),
    "largestEigenvalue": torch.linalg.eigvalsh(hessian).max().item(),
    "trace": hessian.trace().item(),
}
path = Path(__file__).parent / "fixtures" / "curvature.json"
path.write_text(json.dumps(fixture) + "\n")
