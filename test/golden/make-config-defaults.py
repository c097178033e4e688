"""Writes what transformers' configuration classes say where config.json leaves a key out: `python make-config-defaults.py`.

One object a model type in fixtures/config-defaults.json: every key of the class with its value, for a configuration that gives
the sizes of SIZES alone. Keys that a class derives from these sizes are in it too.
"""

import json
from pathlib import Path

from transformers import AutoConfig

TYPES = """llama mistral mixtral qwen2 qwen3 qwen3_moe gemma gemma2 gemma3_text phi3 gpt2 gpt_neox olmo2 olmo3 granite smollm3 bert
roberta distilbert""".split()
SIZES = dict(hidden_size=32, intermediate_size=40, num_hidden_layers=4, num_attention_heads=4, vocab_size=56)
# Names of the same sizes in older classes.
OLDER = {
    "gpt2": dict(n_embd=32, n_layer=4, n_head=4, vocab_size=56),
    "distilbert": dict(dim=32, hidden_dim=40, n_layers=4, n_heads=4, vocab_size=56),
}
# What every class has and no forward pass reads.
SKIPPED = {"transformers_version", "_name_or_path", "id2label", "label2id"}


def main():
    made = {}
    for name in TYPES:
        config = AutoConfig.for_model(name, **OLDER.get(name, SIZES)).to_dict()
        made[name] = {key: value for key, value in sorted(config.items()) if key not in SKIPPED}
    path = Path(__file__).parent / "fixtures" / "config-defaults.json"
    path.write_text(json.dumps(made, indent=1) + "\n")


main()
