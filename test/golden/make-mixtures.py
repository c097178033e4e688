"""LoRAMoE (plain torch) and X-LoRA (PEFT) on `llama-untied-gqa` in float64: first gradients, losses, parameters after five steps.

    python test/golden/make-mixtures.py        # after make-x-lora.py; writes test/golden/fixtures/mixtures

Names are the engine's: experts stacked one after another, PEFT's names for the classifier. X-LoRA trains its classifier alone.
"""

from pathlib import Path

import torch
from peft import XLoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import AutoModelForCausalLM

HERE = Path(__file__).parent
FIXTURES = HERE / "fixtures"
BASE = FIXTURES / "llama-untied-gqa"
EXPERTS, RANK, ALPHA = 3, 2, 6.0
BALANCE, LEAN = 0.5, 0.2
KINDS = [1, 0, 1]
STEPS, RATE, CLIP, DECAY = 5, 1e-3, 1.0, 0.01
MODULES = ("gate_proj", "up_proj", "down_proj")


class Mixture(nn.Module):
    def __init__(self, layer, random):
        super().__init__()
        self.layer = layer
        rows, columns = layer.weight.shape
        draw = lambda *shape: nn.Parameter(0.3 * torch.randn(*shape, generator=random).float().double())  # noqa: E731
        self.A, self.B, self.router = draw(EXPERTS * RANK, columns), draw(rows, EXPERTS * RANK), draw(EXPERTS, columns)

    def forward(self, x):
        self.shares = (x @ self.router.T).softmax(-1)
        inner = (x @ self.A.T).unflatten(-1, (EXPERTS, RANK)) * self.shares[..., None]
        return self.layer(x) + ALPHA / RANK * inner.flatten(-2) @ self.B.T


def balance(shares, lengths):
    kinds = torch.tensor(KINDS)
    first = torch.tensor([2 * i < EXPERTS for i in range(EXPERTS)])
    leans = (kinds[:, None] == 1) == first[None, :]
    inside = torch.arange(shares.shape[1])[None, :] < lengths[:, None]
    Q = (shares * inside[..., None]).sum(1)
    Z = Q * torch.where(leans, 1 + LEAN, 1 - LEAN)
    return Z.var(unbiased=True) / (Z.mean() ** 2 + 1e-10)


def base():
    model = AutoModelForCausalLM.from_pretrained(BASE, dtype=torch.float64)
    model.config.use_cache = False
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    return model


def run(name, model, named, extra, out):
    batch = load_file(BASE / "expected.safetensors")
    tokens, labels, lengths = batch["tokens"].long(), batch["labels"].long(), batch["attention_lengths"].long()
    mask = (torch.arange(tokens.shape[1])[None, :] < lengths[:, None]).long()
    decays = [p for p in named.values() if p.dim() > 1]
    plain = [p for p in named.values() if p.dim() == 1]
    groups = [{"params": decays, "weight_decay": DECAY}, {"params": plain, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW([g for g in groups if g["params"]], lr=RATE, betas=(0.9, 0.999), eps=1e-8)
    for key, value in named.items():
        out[f"{name}.init.{key}"] = value.detach().clone().float()
    losses = []
    for step in range(STEPS):
        optimizer.zero_grad()
        logits = model(input_ids=tokens, attention_mask=mask).logits
        loss = nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten(), ignore_index=-100)
        losses.append(loss.item())
        (loss + extra(lengths)).backward()
        if step == 0:
            for key, value in named.items():
                out[f"{name}.grad.{key}"] = value.grad.clone().float()
        torch.nn.utils.clip_grad_norm_(list(named.values()), CLIP)
        optimizer.step()
    for key, value in named.items():
        out[f"{name}.after5.{key}"] = value.detach().clone().float()
    out[f"{name}.losses"] = torch.tensor(losses, dtype=torch.float32)


def main():
    out = {}
    model = base()
    random = torch.Generator().manual_seed(11)
    mixtures, named = [], {}
    for index, layer in enumerate(model.model.layers):
        for module in MODULES:
            mixture = Mixture(getattr(layer.mlp, module), random)
            setattr(layer.mlp, module, mixture)
            mixtures.append(mixture)
            place = f"model.layers.{index}.mlp.{module}"
            named.update({f"{place}.experts_A": mixture.A, f"{place}.experts_B": mixture.B, f"{place}.router": mixture.router})
    run("lora-moe", model, named, lambda lengths: BALANCE * torch.stack([balance(m.shares, lengths) for m in mixtures]).mean(), out)

    adapters = {str(i): str(FIXTURES / "x-lora" / each) for i, each in enumerate("abc")}
    model = base()
    torch.manual_seed(5)
    config = XLoraConfig(task_type="CAUSAL_LM", hidden_size=model.config.hidden_size, adapters=adapters, layerwise_scalings=True, xlora_depth=2, xlora_size=6, xlora_dropout_p=0.0)
    model = get_peft_model(model, config).double()
    classifier = model.base_model.internal_xlora_classifier
    # Without dropout PEFT counts two modules a layer, with it three, as the names of the engine do.
    names = {key: f"internal_xlora_classifier.layers.{3 * (int(key.split('.')[1]) // 2)}.{key.split('.')[2]}" for key, _ in classifier.named_parameters()}
    for parameter in classifier.parameters():
        parameter.data = parameter.data.float().double()
    run("x-lora", model, {names[key]: value for key, value in classifier.named_parameters()}, lambda lengths: 0.0, out)
    folder = FIXTURES / "mixtures"
    folder.mkdir(exist_ok=True)
    save_file({key: value.contiguous() for key, value in out.items()}, folder / "expected.safetensors", {"format": "pt"})


if __name__ == "__main__":
    main()
