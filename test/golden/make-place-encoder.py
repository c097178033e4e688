"""Networks over an encoding of longitude and latitude, in PyTorch float64: logits, loss and gradients.

    python make-place-encoder.py    # writes fixtures/place-encoder-*/expected.safetensors
"""

import math
from pathlib import Path

import torch
from numpy.polynomial import legendre
from safetensors.torch import save_file

DEGREES, WIDTH, LAYERS, CLASSES = 4, 6, 2, 3
PLACES = [(0.0, 0.0), (10.0, 52.0), (-179.5, -33.25), (77.75, 89.0), (151.0, -90.0)]
LABELS = [0, 2, 1, 1, 0]


def associated(degree, m, x):
    """(-1)^m (1 - x^2)^(m/2) times the m-th derivative of the Legendre polynomial."""
    polynomial = [0] * degree + [1]
    slope = legendre.legval(x, legendre.legder(polynomial, m)) if m <= degree else 0
    return (-1) ** m * max(0.0, 1 - x * x) ** (m / 2) * float(slope)


def harmonics(lon, lat):
    phi, theta = math.radians(lon + 180), math.radians(lat + 90)
    out = []
    for degree in range(DEGREES):
        for order in range(-degree, degree + 1):
            m = abs(order)
            norm = math.sqrt(
                (2 * degree + 1) / (4 * math.pi) * math.factorial(degree - m) / math.factorial(degree + m)
            )
            turn = 1 if m == 0 else math.sqrt(2) * (math.cos if order > 0 else math.sin)(m * phi)
            out.append(norm * turn * associated(degree, m, math.cos(theta)))
    return out


def weight(name, shape):
    """Written again in the test: sin of a running number, by the name's length."""
    count = math.prod(shape)
    numbers = [0.4 * math.sin(1 + 0.7 * i + len(name)) for i in range(count)]
    return torch.tensor(numbers, dtype=torch.float64).reshape(shape).requires_grad_()


def network(kind):
    features = DEGREES**2
    shapes = {}
    for layer in range(LAYERS):
        if kind == "siren":
            shapes[f"network.layers.{layer}.linear"] = (WIDTH, features if layer == 0 else WIDTH)
            continue
        if layer == 0:
            shapes["network.layers.0.input"] = (WIDTH, features)
        shapes[f"network.layers.{layer}.up"] = (WIDTH, WIDTH)
        shapes[f"network.layers.{layer}.down"] = (WIDTH, WIDTH)
    shapes["classifier"] = (CLASSES, WIDTH)
    weights = {}
    for name, shape in shapes.items():
        weights[f"{name}.weight"] = weight(f"{name}.weight", shape)
        weights[f"{name}.bias"] = weight(f"{name}.bias", shape[:1])

    def linear(name, x):
        return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]

    x = torch.tensor([harmonics(*place) for place in PLACES], dtype=torch.float64)
    if kind == "siren":
        for layer in range(LAYERS):
            x = torch.sin((30 if layer == 0 else 1) * linear(f"network.layers.{layer}.linear", x))
    else:
        x = torch.relu(linear("network.layers.0.input", x))
        for layer in range(LAYERS):
            inner = torch.relu(linear(f"network.layers.{layer}.up", x))
            x = x + torch.relu(linear(f"network.layers.{layer}.down", inner))
    logits = linear("classifier", x)
    loss = torch.nn.functional.cross_entropy(logits, torch.tensor(LABELS))
    loss.backward()
    tensors = {
        "logits": logits,
        "loss": loss.reshape(1),
        "harmonics": torch.tensor([harmonics(*place) for place in PLACES], dtype=torch.float64),
        "places": torch.tensor(PLACES, dtype=torch.float64),
        "classes": torch.tensor(LABELS),
        **{f"place.grad.{name}": value.grad for name, value in weights.items()},
    }
    folder = Path(__file__).parent / "fixtures" / f"place-encoder-{kind}"
    folder.mkdir(exist_ok=True)
    as_stored = {
        name: value.detach().float() if value.is_floating_point() else value
        for name, value in tensors.items()
    }
    save_file(as_stored, folder / "expected.safetensors")


for kind in ("siren", "residual"):
    network(kind)
