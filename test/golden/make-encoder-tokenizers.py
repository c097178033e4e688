"""Writes fixtures/encoder-tokenizers.json: tokenizers as BERT's and RoBERTa's are, with the ids that the reference library gives.

    python make-encoder-tokenizers.py > fixtures/encoder-tokenizers.json

Each row: a text, its ids, their text, and the ids with what the tokenizer puts around a text on its own.
"""

import json
import os

import tokenizers
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

WORDS = "the pool open ##s ##ing is on roof room 7 hôtel Hôtel where ##? ##key bring two towel don ' t".split()
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFÇé0123456789.,:;?!'\"()[]<>=&$+-_^|~`½泳池几点"
TEXTS = [
    "", "The pool opens at seven.", " the pool", "The  POOL\n\nopens\r\n at 7:00 ", "DON'T don't o'clock", "room 12 123", "½ ٣ Ⅷ 9²",
    "Ça Größe é e\u0301 ﬁ Hôtel", "泳池几点？プール", "🙂🏨", "a\u00a0b\u200bc\ufeffd\u0085e\u2028f", "room_key == floor[3] && !lift...",
    "$5 + 3 = <8> ^ `x` | ~y", "pool[SEP]the [MASK] pool", "pool</s>the <mask> pool", "xyzzyq Ж", "  ", "\t\n", "a" * 120, "İstanbul ǅ",
]  # fmt: skip


def case(name, tokenizer):
    rows = []
    for text in TEXTS:
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        whole = tokenizer.encode(text, add_special_tokens=True).ids
        rows.append([text, ids, tokenizer.decode(ids, skip_special_tokens=True), whole])
    return {"name": name, "tokenizer": json.loads(tokenizer.to_str()), "rows": rows}


def word_piece(lowercase, processor):
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    pieces = dict.fromkeys([*special, *LETTERS, *("##" + letter for letter in LETTERS), *WORDS])
    vocab = {piece: i for i, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.WordPiece(vocab, unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece(cleanup=False)
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in special])
    tokenizer.post_processor = processor(vocab)
    return tokenizer


def template(vocab):
    special = [(token, vocab[token]) for token in ("[CLS]", "[SEP]")]
    return processors.TemplateProcessing("[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1", special)


def bert(vocab):
    return processors.BertProcessing(("[SEP]", vocab["[SEP]"]), ("[CLS]", vocab["[CLS]"]))


def roberta():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    trainer = trainers.BpeTrainer(
        vocab_size=330, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), special_tokens=special, show_progress=False
    )  # fmt: skip
    tokenizer.train_from_iterator(["the pool opens at seven", "where is the pool, please", "room 123"] * 3, trainer)
    tokenizer.add_special_tokens([AddedToken("<mask>", special=True, lstrip=True, normalized=False)])
    tokenizer.post_processor = processors.RobertaProcessing(
        ("</s>", tokenizer.token_to_id("</s>")), ("<s>", tokenizer.token_to_id("<s>")), add_prefix_space=False
    )
    return tokenizer


CASES = [
    case("bert, uncased", word_piece(True, template)),
    case("bert, cased, in the older form", word_piece(False, bert)),
    case("roberta", roberta()),
]
made_by = {"script": os.path.basename(__file__), "tokenizers": tokenizers.__version__}
lines = ",\n".join("    " + json.dumps(each, separators=(",", ":")) for each in CASES)
print('{\n  "madeBy": %s,\n  "cases": [\n%s\n  ]\n}' % (json.dumps(made_by), lines))
