"""
Exports tiny models as ONNX with their cache, as Optimum names inputs and outputs: by torch's older exporter, which Optimum
uses, and by its newer one.

    node test/golden/tiny-folder.ts FOLDER
    oracle/bin/pip install onnx==1.23.2 onnxscript==0.7.2
    oracle/bin/python test/golden/make-onnx.py FOLDER

writes fixtures/onnx/llama-optimum.onnx and llama-dynamo.onnx of the model in FOLDER, gpt2-optimum.onnx of fixtures/gpt2-tied,
and llama-uncached.onnx, which sees whole texts alone.
"""

import sys
import warnings
from pathlib import Path

import onnx
import torch
from transformers import AutoModelForCausalLM, DynamicCache

warnings.filterwarnings("ignore")
FIXTURES = Path(__file__).parent / "fixtures"
BATCH, SEQ, PAST = 2, 3, 4


def load(folder):
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
    return model.eval()


class Cached(torch.nn.Module):
    """The model's own modules under their own names, so that nodes are named after them."""

    def __init__(self, model):
        super().__init__()
        self.forward_of = model.forward
        for name, module in model.named_children():
            self.add_module(name, module)
        self.layers = model.config.num_hidden_layers

    def forward(self, input_ids, attention_mask, position_ids, *past):
        pairs = [(past[2 * i], past[2 * i + 1]) for i in range(self.layers)]
        output = self.forward_of(
            input_ids=input_ids,
            attention_mask=attention_mask,
            position_ids=position_ids,
            past_key_values=DynamicCache(pairs),
            use_cache=True,
        )
        present = [part for layer in output.past_key_values.layers for part in (layer.keys, layer.values)]
        return (output.logits, *present)


class Whole(Cached):
    def forward(self, input_ids):
        mask = torch.ones_like(input_ids)
        return self.forward_of(input_ids=input_ids, attention_mask=mask, use_cache=False).logits


def names(kind, layers):
    return [f"{kind}.{i}.{part}" for i in range(layers) for part in ("key", "value")]


def example(config):
    layers = config.num_hidden_layers
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    tokens = torch.arange(BATCH * SEQ).reshape(BATCH, SEQ)
    mask = torch.ones(BATCH, PAST + SEQ, dtype=torch.int64)
    positions = torch.arange(PAST, PAST + SEQ).repeat(BATCH, 1)
    past = [torch.zeros(BATCH, heads, PAST, size) for _ in range(2 * layers)]
    return (tokens, mask, positions, *past)


def export_optimum(model, path):
    layers = model.config.num_hidden_layers
    inputs = ["input_ids", "attention_mask", "position_ids", *names("past_key_values", layers)]
    outputs = ["logits", *names("present", layers)]
    axes = {name: {0: "batch_size", 1: "sequence_length"} for name in ("input_ids", "position_ids", "logits")}
    axes["attention_mask"] = {0: "batch_size", 1: "total_sequence_length"}
    axes |= {name: {0: "batch_size", 2: "past_sequence_length"} for name in inputs[3:]}
    axes |= {name: {0: "batch_size", 2: "total_sequence_length"} for name in outputs[1:]}
    torch.onnx.export(
        Cached(model), example(model.config), path,
        input_names=inputs, output_names=outputs, dynamic_axes=axes, opset_version=17, dynamo=False,
    )


def export_dynamo(model, path):
    layers = model.config.num_hidden_layers
    free = torch.export.Dim.DYNAMIC
    shapes = ({0: free, 1: free}, {0: free, 1: free}, {0: free, 1: free}, ({0: free, 2: free},) * (2 * layers))
    torch.onnx.export(
        Cached(model), example(model.config), path,
        input_names=["input_ids", "attention_mask", "position_ids", *names("past_key_values", layers)],
        output_names=["logits", *names("present", layers)],
        dynamic_shapes=shapes, opset_version=21, dynamo=True, external_data=False,
    )


def export_whole(model, path):
    axes = {name: {0: "batch_size", 1: "sequence_length"} for name in ("input_ids", "logits")}
    torch.onnx.export(
        Whole(model), example(model.config)[:1], path,
        input_names=["input_ids"], output_names=["logits"], dynamic_axes=axes, opset_version=17, dynamo=False,
    )


def write(export, folder, name):
    path = FIXTURES / "onnx" / f"{name}.onnx"
    path.parent.mkdir(exist_ok=True)
    with torch.no_grad():
        export(load(folder), str(path))
    model = onnx.load(path)
    # Stack traces of the machine it was made on, and twice the size.
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    del model.graph.metadata_props[:], model.metadata_props[:], model.graph.value_info[:]
    for value in (*model.graph.input, *model.graph.output, *model.graph.initializer):
        del value.metadata_props[:]
    onnx.save(model, path)
    print(path.name, path.stat().st_size)


if __name__ == "__main__":
    torch.set_num_threads(1)
    tiny = sys.argv[1]
    write(export_optimum, tiny, "llama-optimum")
    write(export_dynamo, tiny, "llama-dynamo")
    write(export_whole, tiny, "llama-uncached")
    write(export_optimum, FIXTURES / "gpt2-tied", "gpt2-optimum")
