"""Writes fixtures/sentencepiece.json: small SentencePiece models as GGUF has them, with the ids that SentencePiece itself gives.

    pip install sentencepiece==0.2.1
    python make-sentencepiece.py > fixtures/sentencepiece.json
"""
import ast, io, json, re
from pathlib import Path

import sentencepiece

# The corpus and texts of the other tokenizers; their script needs packages that this one does not.
source = (Path(__file__).parent / "make-tokenizers.py").read_text()
constant = lambda name: re.search(rf"^{name} = (\[.*?^\])", source, re.S | re.M).group(1)
CORPUS, TEXTS = (ast.literal_eval(constant(name)) for name in ("CORPUS", "TEXTS"))

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = range(1, 7)


def kind(model, i):
    if model.IsUnknown(i):
        return UNKNOWN
    if model.IsControl(i):
        return CONTROL
    if model.IsUnused(i):
        return UNUSED
    return BYTE if model.IsByte(i) else NORMAL


def make(name, symbols=(), **options):
    stored = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(CORPUS * 3), model_writer=stored, model_type="bpe", vocab_size=430, byte_fallback=True,
        normalization_rule_name="identity", remove_extra_whitespaces=False, character_coverage=0.99, num_threads=1, minloglevel=2,
        user_defined_symbols=list(symbols), hard_vocab_limit=False, **options,
    )  # fmt: skip
    model = sentencepiece.SentencePieceProcessor(model_proto=stored.getvalue())
    size = model.vocab_size()
    tokens = [model.IdToPiece(i) for i in range(size)]
    # A symbol of the user is a normal piece to SentencePiece's interface.
    kinds = [USER_DEFINED if tokens[i] in symbols else kind(model, i) for i in range(size)]
    # A mark in a text is a space to SentencePiece; a byte order mark is dropped by our library when it joins bytes.
    texts = [text for text in TEXTS + [f"{s}pool{s}\n" for s in symbols] if text and not re.search("[▁\ufeff]", text)]
    rows = [[text, model.encode(text), model.decode(model.encode(text))] for text in texts]
    scores = [model.GetScore(i) for i in range(size)]
    return {"name": name, "startsWithSpace": options["add_dummy_prefix"], "tokens": tokens, "scores": scores, "kinds": kinds, "rows": rows}


cases = [
    make("as Llama 2 has it", add_dummy_prefix=True),
    make("as Gemma has it", ["<start_of_turn>", "<end_of_turn>"], add_dummy_prefix=False, split_digits=True, allow_whitespace_only_pieces=True),
]
print(json.dumps({"madeWith": {"sentencepiece": sentencepiece.__version__}, "cases": cases}, ensure_ascii=False, separators=(",", ":")))
