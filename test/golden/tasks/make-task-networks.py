"""Networks of the tasks satclip and scene3d in PyTorch float64: outputs, loss and gradients.

    python make-task-networks.py    # writes fixtures/place-contrast-siren and fixtures/point-map-relu
"""

import importlib.util
import math
from pathlib import Path

import torch
from safetensors.torch import save_file

here = Path(__file__).parent.parent
spec = importlib.util.spec_from_file_location("place_encoder", here / "make-place-encoder.py")
places = importlib.util.module_from_spec(spec)
spec.loader.exec_module(places)

# Written again in networks.test.ts.
WIDTH, DIM, FEATURES, CANDIDATES = 6, 3, 2, 2
LABELS = [0, 1, 1, 0, 1]


def numbers(count, step):
    return torch.tensor([0.5 * math.sin(step * (i + 1)) for i in range(count)], dtype=torch.float64)


def weights(shapes):
    return {name: places.weight(name, shape) for name, shape in shapes.items()}


def layers(names):
    shapes = {}
    for name, (outputs, inputs) in names.items():
        shapes[f"{name}.weight"] = (outputs, inputs)
        shapes[f"{name}.bias"] = (outputs,)
    return shapes


def contrast():
    w = weights(
        layers(
            {
                "network.layers.0.linear": (WIDTH, places.DEGREES**2),
                "network.layers.1.linear": (WIDTH, WIDTH),
                "place_projection": (DIM, WIDTH),
                "features.layers.0.linear": (WIDTH, FEATURES),
                "features.layers.1.linear": (DIM, WIDTH),
            }
        )
        | {"logit_scale.weight": (1,)}
    )

    def linear(name, x):
        return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    n = len(places.PLACES)
    x = torch.tensor([places.harmonics(*place) for place in places.PLACES], dtype=torch.float64)
    x = torch.sin(30 * linear("network.layers.0.linear", x))
    x = torch.sin(linear("network.layers.1.linear", x))
    place = torch.nn.functional.normalize(linear("place_projection", x), dim=-1)
    given = numbers(n * CANDIDATES * FEATURES, 0.9).reshape(n, CANDIDATES, FEATURES)
    hidden = torch.relu(linear("features.layers.0.linear", given))
    described = torch.nn.functional.normalize(linear("features.layers.1.linear", hidden), dim=-1)
    own = described[torch.arange(n), torch.tensor(LABELS)]
    logits = w["logit_scale.weight"].exp() * place @ own.T
    diagonal = torch.arange(n)
    cross = torch.nn.functional.cross_entropy
    loss = (cross(logits, diagonal) + cross(logits.T, diagonal)) / 2
    asked = w["logit_scale.weight"].exp() * (place[:, None] * described).sum(-1)
    return "place-contrast-siren", asked, loss, w


def point_map():
    w = weights(layers({"layers.0.linear": (WIDTH, 4), "layers.1.linear": (WIDTH, WIDTH), "head": (4, WIDTH)}))

    def linear(name, x):
        return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    n = 4
    x = numbers(n * 4, 1.3).reshape(n, 4)
    x = torch.relu(linear("layers.0.linear", x))
    x = torch.relu(linear("layers.1.linear", x))
    out = linear("head", x)
    target = numbers(n * 3, 0.7).reshape(n, 3)
    # Two rows are taught, two are pseudo-labels.
    label = torch.tensor([0.0, 1.0, 0.0, 2.0], dtype=torch.float64)
    confidence = torch.tensor([0.5, 0.0, 1.0, 0.0], dtype=torch.float64)
    apart = ((out[:, :3] - target) ** 2).sum(-1).add(1e-8).sqrt()
    log_c = out[:, 3]
    taught = apart + (log_c - confidence) ** 2
    self_taught = label * (log_c.exp() * apart / 2 - 0.2 * log_c)
    loss = torch.where(label == 0, taught, self_taught).mean()
    return "point-map-relu", out, loss, w


for name, outputs, loss, w in (contrast(), point_map()):
    loss.backward()
    tensors = {"logits": outputs, "loss": loss.reshape(1)}
    tensors |= {f"grad.{weight_name}": value.grad for weight_name, value in w.items()}
    folder = here / "fixtures" / name
    folder.mkdir(parents=True, exist_ok=True)
    as_stored = {key: value.detach().float().contiguous() for key, value in tensors.items()}
    save_file(as_stored, folder / "expected.safetensors")
