"""ONNX Runtime GenAI on a folder: greedy tokens after given token ids, and the logits of the first new token, as JSON."""
import json
import sys

import onnxruntime_genai as og

folder, ids, count = sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3])
model = og.Model(folder)
params = og.GeneratorParams(model)
params.set_search_options(max_length=len(ids) + count)
generator = og.Generator(model, params)
generator.append_tokens(ids)
logits = generator.get_logits()
while not generator.is_done():
    generator.generate_next_token()
written = [int(token) for token in generator.get_sequence(0)][len(ids) :]
print(json.dumps({"logits": [float(x) for x in logits.reshape(-1, logits.shape[-1])[-1]], "tokens": written}))
