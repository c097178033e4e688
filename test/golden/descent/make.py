"""PyTorch's two-layer networks on the optical digits, from the engine's own start and rows.

    node test/golden/descent/start.ts > START
    oracle/bin/python test/golden/descent/make.py START > test/golden/fixtures/digits-descent.json

torch.optim.Adam on the mean cross-entropy, full batch, float32, one thread; about a minute.
"""

import json
import sys

import torch

LOOKS = 25


def tensor(values, shape):
    return torch.tensor(values, dtype=torch.float32).reshape(shape)


def error(network, rows):
    x, labels = rows
    with torch.no_grad():
        return (network(x).argmax(1) != labels).double().mean().item()


def curve(size, start):
    weights = {name: tensor(each["data"], each["shape"]) for name, each in start["tensors"].items()}
    network = torch.nn.Sequential(
        torch.nn.Linear(64, size["width"]), torch.nn.ReLU(), torch.nn.Linear(size["width"], 10)
    )
    with torch.no_grad():
        network[0].weight.copy_(weights["W1"])
        network[0].bias.copy_(weights["b1"].flatten())
        network[2].weight.copy_(weights["W2"])
        network[2].bias.copy_(weights["b2"].flatten())
    train, test = (
        (tensor(rows["x"], [-1, 64]), torch.tensor(rows["labels"]))
        for rows in (start["train"], start["test"])
    )
    optimiser = torch.optim.Adam(network.parameters(), lr=size["learningRate"])
    looks = {round(size["epochs"] ** (i / (LOOKS - 1))) for i in range(LOOKS)}
    points = []
    for epoch in range(1, size["epochs"] + 1):
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(network(train[0]), train[1]).backward()
        optimiser.step()
        if epoch in looks:
            points.append({"epoch": epoch, "train": error(network, train), "test": error(network, test)})
    return points


torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)
sizes = [
    {
        **{name: value for name, value in size.items() if name != "seeds"},
        "seeds": [curve(size, start) for start in size["seeds"]],
    }
    for size in json.load(open(sys.argv[1]))
]
print(json.dumps({"madeWith": {"torch": torch.__version__}, "sizes": sizes}))
