"""Makes the GGUF fixtures: `python make-gguf.py LLAMA_CPP [OUTPUT]` (default: fixtures/gguf beside this file).

Each is a tiny random model that llama.cpp's own converter turned into a float32 GGUF file from what transformers saved, with
transformers' logits; where positions are stretched, rows are run alone, below the trained length, at it and beyond. LLAMA_CPP
is the folder `vendor/llama.cpp` of the sources of llama-cpp-python 0.3.36 (PyPI's sdist).
The tokenizer is set aside: one of 56 letters for all. See README.md.
"""

import argparse
import importlib.util
import sys
import tempfile
from pathlib import Path

import torch
from transformers.utils import logging

from fixture_files import SEED, VERSIONS, fresh, save, write_json

spec = importlib.util.spec_from_file_location("families", Path(__file__).parent / "make-families.py")
families = importlib.util.module_from_spec(spec)
spec.loader.exec_module(families)
shape = families.shape

LLAMA3 = dict(
    rope_type="llama3", rope_theta=10000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=8192,
)  # fmt: skip
GEMMA = dict(head_dim=16, query_pre_attn_scalar=16, tie_word_embeddings=True)
CASES = {
    "llama": shape("llama"),
    "llama-3": shape("llama", head_dim=32, heads=2, kv_heads=1, rope_parameters=LLAMA3, tie_word_embeddings=True, max_position_embeddings=16384),
    "llama-linear": shape("llama", rope_parameters=dict(rope_type="linear", factor=4.0, rope_theta=10000.0), attention_bias=True),
    "mistral": shape("mistral", sliding_window=None),
    "mixtral": shape("mixtral", num_local_experts=4, num_experts_per_tok=2),
    "qwen2": shape("qwen2"),
    "qwen3": shape("qwen3", head_dim=16, tie_word_embeddings=True),
    "gemma": shape("gemma", head_dim=16, tie_word_embeddings=True),
    "gemma2": shape("gemma2", layers=3, sliding_window=4, attn_logit_softcapping=5.0, final_logit_softcapping=3.0, **GEMMA),
    "gemma3": shape("gemma3_text", layers=7, hidden=16, heads=2, kv_heads=1, sliding_window=4, **GEMMA),
    "phi3": shape("phi3", heads=2, kv_heads=1, head_dim=None, partial_rotary_factor=0.5, sliding_window=4),
    "gpt2": families.CASES["gpt2-tied"] | dict(n_inner=None, n_ctx=32),
    "gpt-neox": families.CASES["gpt-neox-parallel"],
    "gpt-neox-serial": families.CASES["gpt-neox-serial"],
    "olmo2": families.CASES["olmo2-postnorm"],
    "smollm3": shape("smollm3", head_dim=None, layers=5, no_rope_layer_interval=4),
    "granite": families.CASES["granite-scaled"] | dict(num_hidden_layers=1),
    "olmo3": shape(
        "olmo3", hidden=16, heads=2, kv_heads=1, head_dim=None, layers=4, sliding_window=4,
        rope_parameters=dict(
            sliding_attention=dict(rope_type="default", rope_theta=10000.0),
            full_attention=dict(rope_type="yarn", rope_theta=10000.0, factor=4.0, original_max_position_embeddings=16),
        ),
    ),
    "qwen3-moe": families.CASES["qwen3_moe-mixed"] | dict(mlp_only_layers=[], norm_topk_prob=True, num_hidden_layers=1),
}  # fmt: skip
# YaRN's betas are those that llama.cpp takes, so theta is what lets it blend.
STRETCHED = {
    "qwen3-yarn": families.stretched("qwen3", "yarn", theta=2.0, scaling=families.ORIGINAL | dict(factor=4.0)),
    "phi3-longrope": families.STRETCHED["phi3-longrope"],
}

TEMPLATE = "{% for m in messages %}{{ m['content'] }}{% endfor %}"


def write_vocabulary(writer, rows):
    """Three control tokens, then letters from "!" on."""
    letters = [chr(33 + i) for i in range(rows - 3)]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(["<pad>", "<s>", "</s>", *letters])
    writer.add_token_types([3] * 3 + [1] * len(letters))
    writer.add_token_merges(["a b"])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_chat_template(TEMPLATE)


def convert(folder, target, settings):
    from conversion import ModelBase, ModelType, get_model_class
    from gguf import LlamaFileType

    # It counts the tokens of Gemma 3 in this file, and asks for a share of the head that transformers 5 keeps elsewhere.
    tokens = dict.fromkeys(map(str, range(settings["vocab_size"])), 0)
    write_json(folder / "tokenizer.json", {"model": {"vocab": tokens}, "added_tokens": []})
    hparams = ModelBase.load_hparams(folder, False)
    base = get_model_class(hparams["architectures"][0])
    vocabulary = lambda self: write_vocabulary(self.gguf_writer, settings["vocab_size"])
    own = type(base.__name__, (base,), {"set_vocab": vocabulary, "model_arch": base.model_arch})
    with torch.inference_mode():
        model = own(folder, LlamaFileType.ALL_F32, target, use_temp_file=False, eager=True)
        model.hparams.setdefault("rotary_pct", settings.get("rotary_pct", 0.25))
        model.write()


def main():
    parser = argparse.ArgumentParser(description="Make the GGUF fixtures.")
    parser.add_argument("llama_cpp", type=Path)
    parser.add_argument("output", nargs="?", type=Path, default=Path(__file__).parent / "fixtures" / "gguf")
    arguments = parser.parse_args()
    sys.path[:0] = [str(arguments.llama_cpp / "gguf-py"), str(arguments.llama_cpp)]
    logging.disable_progress_bar()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    root = fresh(arguments.output)
    for name, settings in (CASES | STRETCHED).items():
        lengths, run = (families.STRETCHED_LENGTHS, families.one_by_one) if name in STRETCHED else (families.LENGTHS, families.together)
        model = families.make_model(name, settings)
        with tempfile.TemporaryDirectory() as folder:
            model.save_pretrained(folder)
            convert(Path(folder), root / f"{name}.gguf", settings)
        tokens, mask, labels = families.make_batch(name, settings["vocab_size"], lengths)
        with torch.inference_mode():
            logits, _ = run(model, tokens, mask, labels)
        out = {"tokens": tokens, "labels": labels, "attention_lengths": torch.tensor(lengths), "logits": logits}
        save(root / f"{name}.safetensors", out)
        print(name, "largest logit", logits.abs().max().item())
    made = {"seed": SEED, "madeWith": VERSIONS, "converter": "llama-cpp-python 0.3.36"}
    write_json(root / "cases.json", made | {"cases": sorted(CASES | STRETCHED), "stretched": sorted(STRETCHED)})


if __name__ == "__main__":
    main()
