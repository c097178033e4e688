"""Renders chat templates of published families by transformers: `python make-templates.py TRL AXOLOTL [OUTPUT]`.

TRL and AXOLOTL are folders with `*.jinja` files of the PyPI packages trl 1.16.0 (trl/chat_templates) and axolotl 0.19.0
(src/axolotl/utils/chat_templates/templates), both Apache-2.0; templates/ beside this file has those that no package carries.
Writes fixtures/templates.json: the templates, 30 conversations, and of each rendering the first 16 digits of its sha256, or
null where transformers refuses the conversation. The date is fixed, as ours is.
"""

import datetime
import hashlib
import json
import sys
from pathlib import Path

import transformers.utils.chat_template_utils as utils
from tokenizers import Tokenizer, models
from transformers import PreTrainedTokenizerFast

TRL = """cohere cohere2 cohere2_training deepseek_r1_distill deepseek_r1_distill_training deepseekv3 gemma gemma3
gemma3_training glm4moe lfm2 lfm2_v2 llama3 llama3_1 llama3_2 llama3_training phi3 phi3_5 phi3_training qwen2_5
qwen2_5_training qwen3 qwen3_training qwen3_instruct_2507 lfm2_2_5 qwen2_5_vl""".split()
AXOLOTL = """alpaca chatml exaone exaone4 falcon_h1 metharme mistral_v1 mistral_v2v3 mistral_v3_tekken mistral_v7_tekken
nemotron_h phi_4 deepseek_v2 jamba""".split()
HERE = Path(__file__).parent
SPECIAL = dict(bos_token="<s>", eos_token="</s>", unk_token="<unk>", pad_token="<pad>")


class FixedDate(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls(2024, 7, 26)


def user(text):
    return dict(role="user", content=text)


def reply(text):
    return dict(role="assistant", content=text)


def system(text):
    return dict(role="system", content=text)


HELLO, POOL = user("Hello"), user("When does the pool open?")
THOUGHT = "<think>\nThe guest asks about the pool.\n</think>\n\nAt seven."
CONVERSATIONS = [
    [HELLO],
    [POOL, reply("At seven.")],
    [system("You are a hotel."), HELLO],
    [system("You are a hotel."), POOL, reply("At seven."), user("And breakfast?")],
    [POOL, reply("At seven."), user("Thanks"), reply("You are welcome.")],
    [HELLO, reply("Hi"), POOL, reply("At seven."), user("Why?")],
    [user("  spaces at both ends  ")],
    [user("\n\nlines\n\n"), reply("\n\nthe reply begins with lines\n")],
    [user("Grüße aus München, 猫 und 🙂"), reply("Willkommen 🏨")],
    [user("{{ braces }} and {% tags %} and {# notes #}")],
    [user("quotes ' and \" and back\\slash")],
    [user("")],
    [system(""), HELLO],
    [system("  \n"), POOL, reply("At seven.")],
    [POOL, reply(THOUGHT)],
    [POOL, reply(THOUGHT), user("And breakfast?")],
    [POOL, reply(THOUGHT), user("And breakfast?"), reply("<think>\n\n</think>\n\nAt eight.")],
    [POOL, reply("<think>never ended")],
    [POOL, reply("No thought began.</think>At seven.")],
    [system("You are a hotel. /no_think"), POOL],
    [system("You are a hotel. /think"), POOL, reply(THOUGHT)],
    [user("What is 7 % 3? /no_think")],
    [system("/system_override Only this."), HELLO],
    [HELLO, user("Two questions of one guest")],
    [reply("The reply comes first."), HELLO],
    [HELLO, reply("One reply"), reply("and another")],
    [user("A list:\n- one\n- two\n\n```python\nprint('x')\n```")],
    [user("<tool_response>none</tool_response>"), reply("Nothing was called.")],
    [system("One"), system("Two"), HELLO],
    [user("x" * 300), reply("y" * 300), user("z" * 300)],
]
# Every conversation with and without a beginning of a reply, and over the three states of enable_thinking.
SETTINGS = [
    dict(add_generation_prompt=i % 2 == 0, **({} if i % 3 == 0 else dict(enable_thinking=i % 3 == 1)))
    for i in range(len(CONVERSATIONS))
]
THINKING = [
    dict(add_generation_prompt=prompt, enable_thinking=on) for prompt in (False, True) for on in (False, True)
]


def tokenizer_with(template):
    core = Tokenizer(models.WordLevel({"<unk>": 0}, unk_token="<unk>"))
    made = PreTrainedTokenizerFast(tokenizer_object=core, **SPECIAL)
    made.chat_template = template
    return made


def rendered(tokenizer, messages, options):
    try:
        return tokenizer.apply_chat_template(messages, tokenize=False, **options)
    except Exception:
        return None


def digest(text):
    return None if text is None else hashlib.sha256(text.encode()).hexdigest()[:16]


# Variables of `templates/expressions.txt`.
VALUES = dict(
    s="  Hello World  ", t="xxabcxx", l=[1, 2, 3], d={"a": 1, "b": [True, None, 1.5]}, n=-7, e="", u="Grüße 🙂 x",
)  # fmt: skip


def evaluated(expression):
    """As the environment of chat templates renders it; None where it raises."""
    compiled = utils._compile_jinja_template(expression)
    try:
        return compiled.render(**VALUES, f=2.0, x=1.0)
    except Exception:
        return None


def main(trl, axolotl, output=HERE / "fixtures" / "templates.json"):
    utils.datetime = FixedDate
    utils._compile_jinja_template.cache_clear()
    paths = {f"trl/{name}": Path(trl) / f"{name}.jinja" for name in TRL}
    paths |= {f"axolotl/{name}": Path(axolotl) / f"{name}.jinja" for name in AXOLOTL}
    paths |= {f"own/{path.stem}": path for path in sorted((HERE / "templates").glob("*.jinja"))}
    templates = {name: path.read_text() for name, path in paths.items()}
    digests, whole = {}, {}
    for name, template in templates.items():
        tokenizer = tokenizer_with(template)
        pairs = list(zip(CONVERSATIONS, SETTINGS))
        digests[name] = [digest(rendered(tokenizer, messages, options)) for messages, options in pairs]
        if name in ("trl/qwen3", "own/smollm3"):
            # Both modes of every conversation, and the text of two.
            whole[name] = [
                [digest(rendered(tokenizer, messages, options)) for options in THINKING] for messages in CONVERSATIONS
            ]
    texts = {
        name: [rendered(tokenizer_with(templates[name]), CONVERSATIONS[3], options) for options in THINKING]
        for name in whole
    }
    lines = (HERE / "templates" / "expressions.txt").read_text().splitlines()
    made = dict(
        values=VALUES, expressions={line: evaluated(line) for line in lines},
        special=SPECIAL, conversations=CONVERSATIONS, settings=SETTINGS, thinking=THINKING, templates=templates,
        digests=digests, modes=whole, texts=texts,
    )  # fmt: skip
    Path(output).write_text(json.dumps(made, ensure_ascii=False, indent=1) + "\n")
    failed = sum(each is None for row in digests.values() for each in row)
    print(len(templates), "templates,", sum(map(len, digests.values())), "renderings,", failed, "refused")


main(*sys.argv[1:])
