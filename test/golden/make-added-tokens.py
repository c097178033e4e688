"""Encodes texts with added tokens by the tokenizers library: `python make-added-tokens.py` writes fixtures/added-tokens.json.

A byte-level tokenizer of single bytes, so that every id that is not of an added token says what the library kept of the text.
"""

import json
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers

TOKENS = [
    AddedToken("<l>", lstrip=True, special=True),
    AddedToken("<r>", rstrip=True, special=True),
    AddedToken("<b>", lstrip=True, rstrip=True, special=True),
    AddedToken("<n>", special=True),
    AddedToken("word", single_word=True, normalized=False),
    AddedToken("Mask", single_word=True, lstrip=True, normalized=True),
]
TEXTS = [
    "a <l> b", "a <r> b", "a <b> b", "a <n> b", "a <l> <l> b", "a <r> <r> b", "a <b> <b> b", "a <r> <l> b",
    "a <l> <r> b", "a  <b>  <n>  <b>  b", " <l>", "<r> ", "  <b>  ", "<l><r><b>", "a\n<l>\n<r>\nb", "a\u00a0<b>\u3000b",
    "word", "a word b", "words", "sword", "word.", "(word)", "wordword", "word word", "word_", "7word", "wörd word ö",
    "<n>word<n>", "a mask b", "a Mask b", "masks", "a  MASK", "mask<l> mask", "x <l>word <r> Mask",
]  # fmt: skip


def tokenizer(normalizer):
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    core = Tokenizer(models.BPE(vocab={symbol: i for i, symbol in enumerate(alphabet)}, merges=[]))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    core.decoder = decoders.ByteLevel()
    if normalizer:
        core.normalizer = normalizers.Lowercase()
    core.add_tokens(TOKENS)
    return core


def main():
    made = []
    for normalizer in (False, True):
        core = tokenizer(normalizer)
        ids = {text: core.encode(text, add_special_tokens=False).ids for text in TEXTS}
        made.append(dict(tokenizer=json.loads(core.to_str()), ids=ids))
    path = Path(__file__).parent / "fixtures" / "added-tokens.json"
    path.write_text(json.dumps(made, ensure_ascii=False) + "\n")


main()
