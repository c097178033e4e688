"""transformers on a model folder: the dtype it loads, and the logits of every position of given token ids, as JSON."""
import json
import sys

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

folder, text = sys.argv[1], sys.argv[2]
tokenizer = AutoTokenizer.from_pretrained(folder)
model = AutoModelForCausalLM.from_pretrained(folder, dtype="auto").eval()
prompt = tokenizer.apply_chat_template(
    [{"role": "user", "content": text}], tokenize=False, add_generation_prompt=True
)
ids = tokenizer(prompt, add_special_tokens=False)["input_ids"]
dtype = str(model.dtype)
with torch.no_grad():
    logits = model.float()(torch.tensor([ids])).logits[0]
print(json.dumps({"dtype": dtype, "ids": ids, "logits": logits[-1].tolist()}))
