"""llama.cpp on a GGUF file: the tokens of a text, and the greedy tokens that follow, as JSON."""
import json
import sys

import numpy as np
from llama_cpp import Llama

path, text, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
model = Llama(model_path=path, n_ctx=256, n_threads=1, logits_all=True, verbose=False, seed=0)
tokens = model.tokenize(text.encode(), add_bos=False, special=True)
model.eval(tokens)
greedy = []
for _ in range(count):
    token = int(np.argmax(model.scores[model.n_tokens - 1]))
    greedy.append(token)
    model.eval([token])
print(json.dumps({"tokens": tokens, "greedy": greedy}))
