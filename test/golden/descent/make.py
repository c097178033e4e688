"""PyTorch's two-layer networks, small transformers and LoRA on them on the optical digits, from the engine's own start and rows.

    node test/golden/descent/start.ts digits > START
    oracle/bin/python test/golden/descent/make.py START > test/golden/fixtures/digits-descent.json
    node test/golden/descent/start.ts digits-transformer > START
    oracle/bin/python test/golden/descent/make.py START > test/golden/fixtures/digits-transformer-descent.json
    node test/golden/descent/start.ts digits-transformer-lora > START
    oracle/bin/python test/golden/descent/make.py START > test/golden/fixtures/digits-transformer-lora-descent.json

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


def two_layers(weights):
    network = torch.nn.Sequential(
        torch.nn.Linear(64, len(weights["W1"])), torch.nn.ReLU(), torch.nn.Linear(len(weights["W1"]), 10)
    )
    with torch.no_grad():
        network[0].weight.copy_(weights["W1"])
        network[0].bias.copy_(weights["b1"].flatten())
        network[2].weight.copy_(weights["W2"])
        network[2].bias.copy_(weights["b2"].flatten())
    return network


class Transformer(torch.nn.Module):
    def __init__(self, weights):
        super().__init__()
        self.w = torch.nn.ParameterDict(weights)

    def weights(self):
        return self.w

    def forward(self, x):
        w, linear = self.weights(), torch.nn.functional.linear
        h = linear(x.reshape(-1, 8, 8), w["E"]) + w["p"]
        queries, keys, values = (linear(h, w[name]) for name in "QKV")
        h = h + linear(torch.nn.functional.scaled_dot_product_attention(queries, keys, values), w["O"])
        h = h + linear(torch.relu(linear(h, w["U"], w["u"][0])), w["D"])
        return linear(h.mean(1), w["C"], w["c"][0])


class AdaptedTransformer(Transformer):
    """W + B·A of each matrix that has a pair; everything else is frozen."""

    def __init__(self, weights):
        super().__init__(weights)
        for name, parameter in self.w.items():
            parameter.requires_grad_(":" in name)

    def weights(self):
        adapted = [name[2:] for name in self.w if name.startswith("A:")]
        return {**self.w, **{name: self.w[name] + self.w[f"B:{name}"] @ self.w[f"A:{name}"] for name in adapted}}


NETWORKS = {
    "digits": two_layers,
    "digits-transformer": Transformer,
    "digits-transformer-lora": AdaptedTransformer,
}


def curve(make, size, start):
    network = make({name: tensor(each["data"], each["shape"]) for name, each in start["tensors"].items()})
    train, test = (
        (tensor(rows["x"], [-1, 64]), torch.tensor(rows["labels"]))
        for rows in (start["train"], start["test"])
    )
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    optimiser = torch.optim.Adam(trained, lr=size["learningRate"])
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
given = json.load(open(sys.argv[1]))
sizes = [
    {
        **{name: value for name, value in size.items() if name != "seeds"},
        "seeds": [curve(NETWORKS[given["network"]], size, start) for start in size["seeds"]],
    }
    for size in given["sizes"]
]
print(json.dumps({"madeWith": {"torch": torch.__version__}, "sizes": sizes}))
