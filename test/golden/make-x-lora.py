"""X-LoRA folders of PEFT on llama-untied-gqa, and its logits; two adapters of ranks 2 and 3, not all on the same layers.

    python test/golden/make-x-lora.py        # writes test/golden/fixtures/x-lora

`as-saved` is what PEFT 0.21.2's save_pretrained leaves: it takes the 0 of the classifier's first layer for the name of adapter
"0" and puts that layer into the folder of that adapter, without its number (reloaded by PEFT, the classifier is another one).
The adapter's folder is cut to these tensors; the others hold the whole classifier. Logits are those of the model in memory.
"""

import json
import shutil
from pathlib import Path

import torch
from peft import LoraConfig, XLoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

HERE = Path(__file__).parent / "fixtures"
BASE = HERE / "llama-untied-gqa"
OUT = HERE / "x-lora"
IDS = [3, 17, 5, 29, 11, 2, 23]
ADAPTERS = {"a": (2, 6, ["q_proj", "down_proj"]), "b": (3, 3, ["q_proj", "v_proj", "down_proj"]), "c": (2, 2, ["v_proj", "down_proj"])}
CASES = {
    "as-saved": {},
    "deep-layerwise": {"xlora_depth": 3, "xlora_size": 6, "layerwise_scalings": True, "softmax_temperature": 0.7},
    "top-1": {"top_k_lora": 1, "global_scaling_weight": 0.5},
    "softmax-top-2": {"enable_softmax": False, "enable_softmax_topk": True, "top_k_lora": 2},
    "raw": {"enable_softmax": False},
}


def base():
    model = AutoModelForCausalLM.from_pretrained(BASE, dtype=torch.float32)
    model.config.use_cache = False
    return model


def clean(path):
    (path / "README.md").unlink(missing_ok=True)
    config = path / "adapter_config.json"
    stored = json.loads(config.read_text())
    stored["base_model_name_or_path"] = "llama-untied-gqa"
    if "adapters" in stored:
        stored["adapters"] = {key: f"../{Path(value).name}" for key, value in stored["adapters"].items()}
    for key in ("target_modules",):
        if key in stored:
            stored[key] = sorted(stored[key])
    config.write_text(json.dumps(stored, indent=2, sort_keys=True) + "\n")


def main():
    torch.manual_seed(7)
    shutil.rmtree(OUT, ignore_errors=True)
    for name, (rank, alpha, modules) in ADAPTERS.items():
        model = get_peft_model(base(), LoraConfig(r=rank, lora_alpha=alpha, target_modules=modules))
        for key, parameter in model.named_parameters():
            if "lora_" in key:
                parameter.data = torch.randn_like(parameter) * 0.3
        model.save_pretrained(OUT / name)
        clean(OUT / name)
    expected = {"ids": IDS, "logits": {}}
    for name, settings in CASES.items():
        paths = {str(i): str(OUT / each) for i, each in enumerate(ADAPTERS)}
        hidden = base().config.hidden_size
        config = XLoraConfig(task_type="CAUSAL_LM", hidden_size=hidden, adapters=paths, **settings)
        model = get_peft_model(base(), config).eval()
        classifier = model.base_model.internal_xlora_classifier
        for parameter in classifier.parameters():
            parameter.data = torch.randn_like(parameter)
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([IDS])).logits[0]
        expected["logits"][name] = [round(x, 6) for x in logits.flatten().tolist()]
        folder = OUT / name
        model.save_pretrained(folder)
        clean(folder)
        if name == "as-saved":
            found = load_file(folder / "0" / "adapter_model.safetensors")
            kept = {key: value for key, value in found.items() if "internal_xlora_classifier" in key}
            save_file(kept, folder / "0" / "adapter_model.safetensors", {"format": "pt"})
            (folder / "0" / "adapter_config.json").unlink()
            shutil.rmtree(folder / "1")
            shutil.rmtree(folder / "2")
            continue
        for each in "012":
            shutil.rmtree(folder / each)
        whole = {
            f"base_model.internal_xlora_classifier.{key}": value.contiguous()
            for key, value in classifier.state_dict().items()
        }
        save_file(whole, folder / "adapter_model.safetensors", {"format": "pt"})
    (OUT / "expected.json").write_text(json.dumps(expected) + "\n")


if __name__ == "__main__":
    main()
