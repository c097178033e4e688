"""Makes the golden fixtures of the encoder families: `python make-encoders.py [OUTPUT]` (default: fixtures/ beside this file).

Each is a tiny random checkpoint as transformers saves it. With a head: logits, loss, every gradient of full fine-tuning by the
checkpoint's own weight names, and PEFT's gradients of a LoRA whose A and B are both random. Without one: the hidden states'
mean over each pair of texts' tokens, at length 1, as sentence embeddings are made. See README.md.
"""

import argparse
import os
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from peft import LoraConfig, get_peft_model
from peft.utils import get_peft_model_state_dict
from transformers import AutoConfig, AutoModel, AutoModelForSequenceClassification
from transformers.utils import logging

from fixture_files import SEED, VERSIONS, fresh, generator_for, save, stored_gradients, write_json

LENGTHS = [9, 6, 4]
NAMES = {0: "greeting", 1: "question", 2: "complaint"}
HEAD = dict(id2label=NAMES, label2id={name: i for i, name in NAMES.items()})
BERT_LAYERS = ["query", "key", "value", "attention.output.dense", "intermediate.dense", "output.dense"]
DISTILBERT_LAYERS = ["q_lin", "k_lin", "v_lin", "out_lin", "lin1", "lin2"]


def bert(model_type, **more):
    # Sizes differ on purpose: a transposed weight or swapped dimension cannot pass unnoticed.
    return dict(
        model_type=model_type, hidden_size=32, intermediate_size=40, num_hidden_layers=2, num_attention_heads=4,
        vocab_size=56, max_position_embeddings=20, type_vocab_size=2, pad_token_id=0,
    ) | more  # fmt: skip


DISTILBERT = dict(
    model_type="distilbert", dim=32, hidden_dim=40, n_layers=2, n_heads=4, vocab_size=56, max_position_embeddings=20, pad_token_id=0,
)  # fmt: skip
# Each: the configuration, the layers that LoRA adapts, and what of the head PEFT trains whole.
CASES = {
    "bert-classes": (bert("bert") | HEAD, BERT_LAYERS, ["classifier"]),
    "bert-bare": (bert("bert", hidden_act="gelu_new", layer_norm_eps=1e-5), None, None),
    "roberta-classes": (bert("roberta", pad_token_id=1, bos_token_id=0, type_vocab_size=1) | HEAD, BERT_LAYERS, ["classifier"]),
    "distilbert-classes": (DISTILBERT | HEAD, DISTILBERT_LAYERS, ["pre_classifier", "classifier"]),
}


def fill(name, parameters):
    random = generator_for(name, "weights")
    with torch.no_grad():
        for key, p in parameters:
            noise = torch.randn(p.shape, generator=random)
            centre = 0.0 if key.endswith("bias") else 1.0
            p.copy_(centre + 0.2 * noise if p.ndim == 1 else 0.25 * noise)


def make_batch(name, settings):
    """input_ids and attention_mask `[3, 9]`, padded on the right."""
    pad = settings["pad_token_id"]
    tokens = torch.randint(3, settings["vocab_size"], (3, 9), generator=generator_for(name, "tokens"))
    tokens[0, 5] = tokens[0, 2]  # a repeated word: its embedding's gradient is a sum
    position = torch.arange(9)
    mask = (position < torch.tensor(LENGTHS)[:, None]).long()
    return {"input_ids": torch.where(mask.bool(), tokens, pad), "attention_mask": mask}


def common(batch):
    return {"tokens": batch["input_ids"], "attention_lengths": torch.tensor(LENGTHS)}


def lora_gradients(name, model, batch, labels, targets, saved):
    """What A, B and the head begin as, and the gradient of each, by PEFT's names without its prefix."""
    config = LoraConfig(r=3, lora_alpha=6, target_modules=targets, modules_to_save=saved, task_type="SEQ_CLS")
    adapted = get_peft_model(model, config).eval()
    trained = {key: p for key, p in adapted.named_parameters() if p.requires_grad}
    random = generator_for(name, "adapter")
    with torch.no_grad():
        for key, p in trained.items():
            if "lora_" in key:
                p.copy_(0.2 * torch.randn(p.shape, generator=random))
    output = adapted(**batch, labels=labels)
    adapted.zero_grad()
    output.loss.backward()
    short = lambda key: key.removeprefix("base_model.model.")
    states = {}
    for what in ("init", "grad"):
        states |= {f"lora.{what}.{short(key)}": t.clone() for key, t in get_peft_model_state_dict(adapted).items()}
        with torch.no_grad():
            for p in trained.values():
                p.copy_(p.grad)
    return states | {"lora.logits": output.logits, "lora.loss": output.loss[None]}


def make_classes(root, name, settings, targets, saved):
    folder = fresh(root / name)
    model = AutoModelForSequenceClassification.from_config(AutoConfig.for_model(**settings), attn_implementation="eager")
    fill(name, model.named_parameters())
    model = model.float().eval()
    model.save_pretrained(folder)
    batch = make_batch(name, settings)
    labels = torch.tensor([2, 0, 1])
    output = model(**batch, labels=labels)
    output.loss.backward()
    out = common(batch) | {"classes": labels, "logits": output.logits, "loss": output.loss[None]}
    out |= {f"full.grad.{key}": g for key, g in stored_gradients(model, folder).items()}
    out |= lora_gradients(name, model, batch, labels, targets, saved)
    save(folder / "expected.safetensors", out)
    print(name, output.loss.item(), "largest logit", output.logits.abs().max().item())


def make_bare(root, name, settings):
    folder = fresh(root / name)
    model = AutoModel.from_config(AutoConfig.for_model(**settings), attn_implementation="eager")
    fill(name, model.named_parameters())
    model = model.float().eval()
    model.save_pretrained(folder)
    batch = make_batch(name, settings)
    second = torch.arange(9) >= torch.tensor([5, 3, 9])[:, None]
    types = second.long() * batch["attention_mask"]
    with torch.no_grad():
        hidden = model(**batch, token_type_ids=types).last_hidden_state
    mask = batch["attention_mask"][:, :, None]
    mean = (hidden * mask).sum(1) / mask.sum(1)
    out = common(batch) | {"token_types": types, "hidden": hidden, "embedding": torch.nn.functional.normalize(mean, dim=1)}
    save(folder / "expected.safetensors", out)
    print(name, "largest state", hidden.abs().max().item())


def main():
    parser = argparse.ArgumentParser(description="Make the golden fixtures of the encoder families.")
    parser.add_argument("output", nargs="?", type=Path, default=Path(__file__).parent / "fixtures")
    root = parser.parse_args().output
    logging.disable_progress_bar()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    for name, (settings, targets, saved) in CASES.items():
        if targets is None:
            make_bare(root, name, settings)
        else:
            make_classes(root, name, settings, targets, saved)
    classes = sorted(name for name, (_, targets, _) in CASES.items() if targets)
    bare = sorted(name for name, (_, targets, _) in CASES.items() if not targets)
    write_json(root / "encoders.json", {"seed": SEED, "madeWith": VERSIONS, "classes": classes, "bare": bare})


if __name__ == "__main__":
    main()
