"""Writes fixtures/tokenizers.json: small tokenizers of each supported kind, with the ids that the reference library gives.

    python make-tokenizers.py > fixtures/tokenizers.json
"""
import json, os

import tokenizers
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

WORDS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|%s| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
BYTES = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
split = lambda digits: pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(WORDS % digits), "isolated"), BYTES])
bpe = lambda **options: models.BPE(**options)

CORPUS = [
    "The pool opens at seven and closes at ten.", "Where is the pool, please? The pool is on the roof.",
    "I'll bring two towels to room 12; you're in room 123, aren't you?", "don't, DON'T, we've, they'd, he's",
    "Ça va très bien à l'hôtel. Größe, Straße. 泳池几点开门？ プールは何時", "tabs\tand\n\nbreaks\r\n  and   spaces",
    "rooms 2024 3.14 1,000 ½ ٣", "room_key == floor[3] && !lift", "🙂🏨 e\u0301 é",
] * 3
TEXTS = [
    "", "The pool opens at seven.", " the pool", "The  pool\n\nopens\r\n at 7:00 ", "I'LL we've DON'T don't o'clock", "12 123 1234 12345",
    "room 12", "\n\n 5", "½ ٣ Ⅷ 9²", "Ça Größe é e\u0301 ﬁ", "泳池几点？プール", "🙂🏨👩‍👩‍👧", "a\u00a0b\u200bc\ufeffd\u0085e\u2028f",
    "room_key == floor[3] && !lift...", "$5 + 3 = <8> ^ `x` | ~y", "<end>pool<end>\n", "<tool>the<tool>", "unknownword Ж pool", "  ", "\t\n", "x▁y ▁ z",
    "pool's Pool'S", "aaa\u0301 ǅ İ",
]


def make(name, model, trainer, pre=None, normalizer=None, decoder=None, **changes):
    tokenizer = Tokenizer(model)
    if pre:
        tokenizer.pre_tokenizer = pre
    if normalizer:
        tokenizer.normalizer = normalizer
    if decoder:
        tokenizer.decoder = decoder
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.add_special_tokens([AddedToken("<end>", special=True, normalized=False)])
    tokenizer.add_tokens([AddedToken("<tool>", special=False, normalized=False)])
    stored = json.loads(tokenizer.to_str())
    stored["model"].update(changes)
    tokenizer = Tokenizer.from_str(json.dumps(stored))
    rows = []
    for text in TEXTS:
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        rows.append([text, ids, tokenizer.decode(ids, skip_special_tokens=True)])
    return {"name": name, "tokenizer": stored, "rows": rows}


alphabet = pre_tokenizers.ByteLevel.alphabet()
bytes_trainer = lambda: trainers.BpeTrainer(vocab_size=330, initial_alphabet=alphabet, show_progress=False)
unknown = dict(special_tokens=["<unk>"], show_progress=False)
mark = "\u2581"
CASES = [
    make("gpt-2", bpe(), bytes_trainer(), pre_tokenizers.ByteLevel(add_prefix_space=False), None, decoders.ByteLevel()),
    make("smollm", bpe(), bytes_trainer(), pre_tokenizers.Sequence([pre_tokenizers.Digits(True), pre_tokenizers.ByteLevel(add_prefix_space=False)]), None, decoders.ByteLevel()),
    make("llama-bpe", bpe(), bytes_trainer(), split("\\p{N}{1,3}"), None, decoders.ByteLevel(), ignore_merges=True),
    make("qwen2", bpe(), bytes_trainer(), split("\\p{N}"), normalizers.NFC(), decoders.ByteLevel()),
    make("breaks end pieces", bpe(), bytes_trainer(), pre_tokenizers.Sequence([pre_tokenizers.Split(Regex("\\s"), "merged_with_previous"), BYTES]), None, decoders.ByteLevel()),
    make("dots end pieces", bpe(), bytes_trainer(), pre_tokenizers.Sequence([pre_tokenizers.Split(".", "merged_with_previous"), BYTES]), None, decoders.ByteLevel()),
    make("words", models.WordLevel(unk_token="<unk>"), trainers.WordLevelTrainer(vocab_size=60, **unknown), pre_tokenizers.Whitespace()),
    make("words by space", models.WordLevel(unk_token="<unk>"), trainers.WordLevelTrainer(vocab_size=60, **unknown), pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Punctuation()])),
    make("pieces", models.WordPiece(unk_token="<unk>"), trainers.WordPieceTrainer(vocab_size=160, **unknown), pre_tokenizers.BertPreTokenizer(), normalizers.BertNormalizer(), decoders.WordPiece(cleanup=False)),
    make("marks", bpe(unk_token="<unk>"), trainers.BpeTrainer(vocab_size=180, **unknown), pre_tokenizers.Metaspace(), None, decoders.Metaspace()),
]
made_by = {"script": os.path.basename(__file__), "tokenizers": tokenizers.__version__}
print('{\n  "madeBy": %s,\n  "cases": [\n%s\n  ]\n}' % (json.dumps(made_by), ",\n".join("    " + json.dumps(c, separators=(",", ":")) for c in CASES)))
