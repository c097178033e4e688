"""A step of a task's network in PyTorch eager: a long-lived process that a driver can alternate with.

    python bench_tasks.py --model FOLDER [--threads 2]

FOLDER holds what `task-inputs.ts` writes: config.json, model.safetensors with the weights before any training, and batch.json, the rows
of the one batch that every step reads: numbers, or token ids for BERT, and labels or targets. The protocol is that of bench_torch.py:
{"work": "task-step"} trains one step in full (forward, backward, clip at 1.0, AdamW), {"work": "memory"} and {"work": "quit"}.
"""

import argparse
import json
import math
import os
import resource
import sys
import time
from importlib.metadata import version

os.environ.setdefault("HF_HUB_OFFLINE", "1")
ANSWERS = sys.stdout
sys.stdout = sys.stderr


class Network:
    """Weights by their names in the checkpoint, and what networks share."""

    def __init__(self, folder):
        self.c = json.load(open(os.path.join(folder, "config.json")))
        self.w = {name: value.requires_grad_() for name, value in load_file(os.path.join(folder, "model.safetensors")).items()}
        batch = json.load(open(os.path.join(folder, "batch.json")))
        self.x = torch.tensor(batch["rows"])
        self.labels = torch.tensor(batch["labels"])
        self.targets = torch.tensor(batch["targets"]) if batch["targets"] else None

    def linear(self, name, x):
        return F.linear(x, self.w[f"{name}.weight"], self.w.get(f"{name}.bias"))

    def norm(self, name, x):
        return F.rms_norm(x, x.shape[-1:], self.w[f"{name}.weight"], 1e-5)

    def attend(self, names, x, source):
        heads = self.c["num_attention_heads"]
        q, k, v = (self.linear(n, s).unflatten(-1, (heads, -1)).transpose(1, 2) for n, s in zip(names, [x, source, source]))
        return self.linear(names[3], F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))

    def parameters(self):
        return list(self.w.values())


class Places(Network):
    """Spherical harmonics by the fully normalised recurrence, then sines."""

    def __init__(self, folder):
        super().__init__(folder)
        if (self.c["encoding"], self.c["network"]) != ("spherical-harmonics", "siren"):
            raise ValueError("only spherical-harmonics/siren is written here")

    def harmonics(self, lon, lat):
        degrees = self.c.get("degrees", 10)
        phi, theta = torch.deg2rad(lon + 180), torch.deg2rad(lat + 90)
        x, s = torch.cos(theta), torch.sin(theta)
        N = [[None] * degrees for _ in range(degrees)]
        for m in range(degrees):
            N[m][m] = torch.full_like(x, 1 / math.sqrt(4 * math.pi)) if m == 0 else -math.sqrt((2 * m + 1) / (2 * m)) * s * N[m - 1][m - 1]
            if m + 1 < degrees:
                N[m + 1][m] = math.sqrt(2 * m + 3) * x * N[m][m]
            for l in range(m + 2, degrees):
                outer = math.sqrt((4 * l**2 - 1) / (l**2 - m**2))
                inner = math.sqrt(((l - 1) ** 2 - m**2) / (4 * (l - 1) ** 2 - 1))
                N[l][m] = outer * (x * N[l - 1][m] - inner * N[l - 2][m])
        turns = [(math.sqrt(2) * torch.sin(m * phi), math.sqrt(2) * torch.cos(m * phi)) for m in range(degrees)]
        columns = []
        for l in range(degrees):
            for m in range(-l, l + 1):
                columns.append(N[l][0] if m == 0 else turns[abs(m)][m > 0] * N[l][abs(m)])
        return torch.stack(columns, 1)

    def vector(self):
        y = self.harmonics(self.x[:, 0], self.x[:, 1])
        for layer in range(self.c["num_hidden_layers"]):
            z = self.linear(f"network.layers.{layer}.linear", y)
            y = torch.sin(30 * z if layer == 0 else z)
        return y

    def loss(self):
        return F.cross_entropy(self.linear("classifier", self.vector()), self.labels)


class Contrast(Places):
    def loss(self):
        place = F.normalize(self.linear("place_projection", self.vector()), dim=-1)
        described = self.x[:, 2:].reshape(len(self.x), -1, self.c["feature_size"])
        hidden = torch.relu(self.linear("features.layers.0.linear", described))
        vectors = F.normalize(self.linear("features.layers.1.linear", hidden), dim=-1)
        rows = torch.arange(len(self.x))
        logits = self.w["logit_scale.weight"].exp() * place @ vectors[rows, self.labels].T
        return (F.cross_entropy(logits, rows) + F.cross_entropy(logits.T, rows)) / 2


class PointMap(Network):
    def loss(self):
        y = self.x
        for layer in range(self.c["num_hidden_layers"]):
            y = torch.relu(self.linear(f"layers.{layer}.linear", y))
        out = self.linear("head", y)
        point, label, confidence = self.targets[:, :3], self.targets[:, 3], self.targets[:, 4]
        apart = ((out[:, :3] - point) ** 2).sum(-1).add(1e-8).sqrt()
        log_c = out[:, 3]
        taught = apart + (log_c - confidence) ** 2
        own = label * (log_c.exp() * apart / self.c.get("scene_scale", 1) - self.c.get("confidence_weight", 0.2) * log_c)
        return torch.where(label == 0, taught, own).mean()


class Denoiser(Network):
    def loss(self):
        c, n = self.c, len(self.x)
        side, size = c["side"], c["side"] ** 2
        x, t, prompt = self.x[:, :size], self.x[:, size : size + 1], self.x[:, size + 1 :].long()
        speeds = torch.tensor([1e-4 ** (k / 16) for k in range(16)])
        features = torch.cat([torch.sin(t * speeds), torch.cos(t * speeds)], 1)
        level = self.linear("time.out", F.silu(self.linear("time.in", features)))
        patches = F.unfold(x.reshape(n, 1, side, side), 2, stride=2).transpose(1, 2)
        y = self.linear("input", patches) + self.w["positions.weight"] + level[:, None]
        words = F.embedding(prompt, self.w["prompt.weight"])
        for layer in range(c["num_hidden_layers"]):
            part = lambda name: f"blocks.{layer}.{name}"
            names = lambda way: [part(f"{way}_{letter}") for letter in "qkvo"]
            own = self.norm(part("self_norm"), y)
            y = y + self.attend(names("self"), own, own)
            y = y + self.attend(names("cross"), self.norm(part("cross_norm"), y), words)
            y = y + self.linear(part("down"), F.silu(self.linear(part("up"), self.norm(part("mlp_norm"), y))))
        told = self.linear("output", self.norm("norm", y)).transpose(1, 2)
        return F.mse_loss(F.fold(told, side, 2, stride=2).reshape(n, size), self.targets)


class SceneReader(Network):
    ASKED, WORDS, LETTERS, COLUMNS, TALL = 8, 12, 7, 5, 7

    def loss(self):
        width, n = self.c["hidden_size"], len(self.x)
        asked = F.embedding(self.x[:, : self.ASKED].long(), self.w["question.weight"]).sum(1)
        words = self.x[:, self.ASKED :].reshape(n, self.WORDS, 4 + self.LETTERS * self.COLUMNS)
        boxes, columns = words[..., :4], words[..., 4:].long()
        mask = torch.where(boxes.sum(-1) > 0, 0.0, -1e4)

        def score(part, vectors):
            key = self.linear(f"scores.1.{part}_question", asked)
            return F.log_softmax((vectors * key[:, None]).sum(-1) / math.sqrt(width) + mask, -1)

        bits = (columns[..., None] >> torch.arange(self.TALL - 1, -1, -1)) & 1
        pixels = bits.reshape(n * self.WORDS, self.LETTERS, self.COLUMNS * self.TALL).float()
        begin = self.linear("letters.0.glyph", pixels) + self.w["positions.weight"]
        own = self.norm("letters.0.norm", begin)
        seen = begin + self.attend([f"letters.0.{letter}" for letter in "qkvo"], own, own)
        end = seen + self.linear("letters.0.down", F.silu(self.linear("letters.0.up", self.norm("letters.0.mlp_norm", seen))))
        said = score("word", self.linear("scores.1.word", end.mean(1).reshape(n, self.WORDS, width)))
        place = score("place", F.silu(self.linear("scores.1.place", boxes)))
        return F.cross_entropy((said + place) / 2, self.labels)


class Bert:
    """transformers' own, without dropout."""

    def __init__(self, folder):
        from transformers import BertForSequenceClassification

        off = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0, "classifier_dropout": 0.0}
        self.model = BertForSequenceClassification.from_pretrained(folder, **off).train()
        batch = json.load(open(os.path.join(folder, "batch.json")))
        longest = max(map(len, batch["rows"]))
        self.labels = torch.tensor(batch["labels"])
        self.ids = torch.tensor([row + [0] * (longest - len(row)) for row in batch["rows"]])
        self.mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in batch["rows"]])

    def loss(self):
        return F.cross_entropy(self.model(input_ids=self.ids, attention_mask=self.mask).logits, self.labels)

    def parameters(self):
        return list(self.model.parameters())


NETWORKS = {
    "place-encoder": Places,
    "place-contrast": Contrast,
    "point-map": PointMap,
    "denoiser": Denoiser,
    "scene-reader": SceneReader,
    "bert": Bert,
}


def stepper(folder):
    kind = json.load(open(os.path.join(folder, "config.json")))["model_type"]
    network = NETWORKS[kind](folder)
    trained = network.parameters()
    optimiser = torch.optim.AdamW(trained, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, fused=True)

    def step():
        started = time.perf_counter()
        optimiser.zero_grad(set_to_none=True)
        loss = network.loss()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimiser.step()
        return {"ms": (time.perf_counter() - started) * 1000, "loss": loss.item(), "gradientNorm": norm.item()}

    return step


STEPS_IN_A_ROW = 10


def in_a_row(step):
    steps = [step() for _ in range(STEPS_IN_A_ROW)]
    return {**steps[0], "ms": sum(each["ms"] for each in steps) / len(steps), "losses": [each["loss"] for each in steps]}


def say(answer):
    print(json.dumps(answer), file=ANSWERS, flush=True)


def main():
    parser = argparse.ArgumentParser(description="A step of a task's network in PyTorch.")
    parser.add_argument("--model", required=True)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    step = stepper(options.model)
    say({"ready": True, "attention": "sdpa", **{name: version(name) for name in ["torch", "transformers", "peft"]}})
    for line in sys.stdin:
        work = json.loads(line)["work"]
        if work == "quit":
            return
        if work == "memory":
            unit = 1 if sys.platform == "darwin" else 1024
            say({"work": work, "ms": 0.0, "peakRssBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit})
        else:
            say({"work": work, **in_a_row(step)})


try:
    import torch
    from safetensors.torch import load_file
    from torch.nn import functional as F
except ImportError as missing:
    print(f"Skipped: {missing.name} is not installed; see test/golden/requirements.lock.", file=sys.stderr)
    sys.exit(3)

if __name__ == "__main__":
    main()
