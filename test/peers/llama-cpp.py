"""llama.cpp on a GGUF file: the tokens of a text (or the tokens given, as a JSON list), and the greedy tokens that follow."""
import json
import sys

import numpy as np
from llama_cpp import Llama

path, text, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
model = Llama(model_path=path, n_ctx=256, n_threads=1, logits_all=True, verbose=False, seed=0)
tokens = json.loads(text) if text.startswith("[") else model.tokenize(text.encode(), add_bos=False, special=True)
# One at a time: the kernels of 0.3.36 for many tokens at once garble Q4_1 on some processors.
for token in tokens:
    model.eval([token])
greedy = []
for _ in range(count):
    token = int(np.argmax(model.scores[model.n_tokens - 1]))
    greedy.append(token)
    model.eval([token])
print(json.dumps({"tokens": tokens, "greedy": greedy}))
