"""Writes fixtures/smollm2-tokenizer.json: strings and conversations with their ids, by the reference libraries.

The tokenizer is the published SmolLM2 one (tokenizers: Digits, then ByteLevel, then BPE), put together from the vocabulary
and merges in the GGUF file; transformers' own loader of that file must agree wherever no digit follows white space, since
it leaves the digits out.

    python make-smollm2-tokenizer.py SmolLM2-135M-Instruct.Q4_1.gguf > fixtures/smollm2-tokenizer.json
"""
import json, os, random, sys

import gguf, tokenizers, transformers
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

path = sys.argv[1]
fields = gguf.GGUFReader(path).fields
read = lambda key: fields[key].contents()
tokens, merges, kinds = (read("tokenizer.ggml." + k) for k in ("tokens", "merges", "token_type"))

tokenizer = Tokenizer(models.BPE(vocab={t: i for i, t in enumerate(tokens)}, merges=[tuple(m.split(" ")) for m in merges]))
tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
    [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
)
tokenizer.decoder = decoders.ByteLevel()
tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t, k in zip(tokens, kinds) if k == 3])
fast = transformers.PreTrainedTokenizerFast(
    tokenizer_object=tokenizer, bos_token="<|im_start|>", eos_token="<|im_end|>", clean_up_tokenization_spaces=False
)
fast.chat_template = read("tokenizer.chat_template")

TEXTS = [
    "", "a", "The pool opens at seven.", " leading space", "trailing space ", "two  spaces   three    four",
    "tabs\tand\t\ttabs", "line\nbreaks\n\nand\r\nmore\n", "\n\n\n12 rooms", "  7 towels", "a \n 5", "\t\t9\n\n\n",
    "year 2024, room 0012, 3.14159, 1,000,000 and -5", "I'll, you're, he's, we'd, they've, I'm, can't; I'LL CAN'T",
    "def f(x):\n    return x ** 2  # square\n", "for (let i = 0; i < 10; i++) { console.log(`${i}`) }",
    '<div class="room">a &amp; b</div>', "SELECT * FROM rooms WHERE floor >= 3;", "Ça va très bien, merci beaucoup à l'hôtel",
    "Größe, Straße, Übergröße", "Где находится бассейн?", "泳池几点开门？", "プールは何時に開きますか", "수영장은 언제 열어요?",
    "متى يفتح المسبح؟", "शुभ प्रभात", "สระว่ายน้ำเปิดกี่โมง", "🙂🏨🛎️ 👩‍👩‍👧‍👦 🇫🇷", "e\u0301 is not \u00e9",
    "zero\u200bwidth and \u00a0no-break\u00a0space", "\ufeffmark at the start and \ufeff inside", "next\u0085line and \u2028separator",
    "½ and ² and Ⅷ and ٣ and ৪", "~!@#$%^&*()_+{}|:\"<>?-=[]\\;',./", "....... ------- ======= !!!!",
    "supercalifragilisticexpialidocious", "A" * 40, " " * 40 + "x", "https://example.com/a_b?c=d&e=f#g",
    "<|im_start|>user\nhello<|im_end|>\n", "before<|endoftext|>after", "<|im_start|><|im_start|> <|im_end|>",
    "<|im_star and <|im_end| and |>", "<repo_name>a/b<file_sep>c.ts", "x\0y", "\x01\x7f\x80\u00ad", "\U0001d54f \U00020000 \U0010fffd",
    "ﬁ ligature, ａｂｃ full width, İstanbul, ǅ", "word\u2019s \u2018quoted\u2019 \u201ctext\u201d \u2013 \u2014 \u2026",
]
PIECES = [
    "pool", " the", "room", "Towel", " 7", "12", "\n", "\n\n", " ", "  ", "\t", "é", "ß", "猫", "🙂", "'s", "'ll", ".", ", ", "!?",
    "(", ")", "=>", "_", "-", "/", "<|im_end|>", "<|im_start|>", "\u00a0", "\u200b", "ABC", "xyz", "Ω", "0", "٣", "\r\n",
]
rng = random.Random(20240726)
TEXTS += ["".join(rng.choice(PIECES) for _ in range(rng.randint(3, 14))) for _ in range(150)]

ask, answer = {"role": "user", "content": "When does the pool open?"}, {"role": "assistant", "content": "At 7:00."}
CONVERSATIONS = [
    [ask],
    [ask, answer],
    [ask, answer, {"role": "user", "content": "  And\n the spa?  "}],
    [{"role": "system", "content": "You answer for a hotel."}, ask],
    [{"role": "system", "content": ""}, ask, answer, ask, answer],
    [{"role": "user", "content": "Say <|im_end|> and 🙂"}],
]


def without_digits_after_space(text):
    return all(not (c.isnumeric() and i > 0 and text[i - 1].isspace()) for i, c in enumerate(text))


loaded = transformers.AutoTokenizer.from_pretrained(os.path.dirname(path), gguf_file=os.path.basename(path))
for text in filter(without_digits_after_space, TEXTS):
    theirs = loaded.encode(text, add_special_tokens=False)
    assert theirs == fast.encode(text, add_special_tokens=False), text

rows = []
for text in TEXTS:
    ids = fast.encode(text, add_special_tokens=False)
    rows.append({"text": text, "ids": ids, "decoded": fast.decode(ids, skip_special_tokens=True)})
chats = []
for messages in CONVERSATIONS:
    for prompt in (False, True):
        text = fast.apply_chat_template(messages, tokenize=False, add_generation_prompt=prompt)
        ids = fast.encode(text, add_special_tokens=False)
        chats.append({"messages": messages, "addGenerationPrompt": prompt, "text": text, "ids": ids})

lines = lambda items: ",\n".join("    " + json.dumps(item) for item in items)
versions = {module.__name__: module.__version__ for module in (transformers, tokenizers)}
print('{\n  "madeBy": %s,' % json.dumps({"script": os.path.basename(__file__), **versions}))
print('  "texts": [\n%s\n  ],\n  "chats": [\n%s\n  ]\n}' % (lines(rows), lines(chats)))
