"""What huggingface_hub reads in a model card that `touchstone export -o FILE.modelcard.md` wrote, after its own validation.

python make-model-card.py FILE.modelcard.md > fixtures/model-card.json   (huggingface_hub 2.4.0)
"""

import json
import sys

import huggingface_hub
from huggingface_hub import ModelCard

card = ModelCard.load(sys.argv[1])
results = [
    {
        "task": each.task_type,
        "dataset": [each.dataset_type, each.dataset_name, each.dataset_revision],
        "metric": [each.metric_type, each.metric_name, each.metric_value],
    }
    for each in card.data.eval_results
]
found = {
    "huggingface_hub": huggingface_hub.__version__,
    "model": card.data.model_name,
    "base_model": card.data.base_model,
    "results": results,
}
json.dump(found, sys.stdout, indent=1)
