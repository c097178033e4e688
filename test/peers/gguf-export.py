"""Reads a GGUF file with the gguf package: JSON of its fields, and of each tensor its type and whether its bytes are the
package's own quantisation of the float32 tensor of the same name in a reference file."""
import json
import sys

import numpy as np
from gguf import GGMLQuantizationType, GGUFReader, quants
from safetensors.numpy import load_file

reader, expected = GGUFReader(sys.argv[1]), load_file(sys.argv[2])
tensors = {}
for tensor in reader.tensors:
    reference = expected[tensor.name]
    if tensor.tensor_type == GGMLQuantizationType.F32:
        same = np.array_equal(tensor.data, reference)
    else:
        same = np.array_equal(
            tensor.data.view(np.uint8).reshape(-1),
            quants.quantize(reference, tensor.tensor_type).view(np.uint8).reshape(-1),
        )
    tensors[tensor.name] = [tensor.tensor_type.name, [int(n) for n in tensor.shape], bool(same)]
fields = {}
for key, field in reader.fields.items():
    if key.startswith(("llama.", "general.")) or key.endswith("_token_id"):
        value = field.contents()
        fields[key] = value.item() if hasattr(value, "item") else value
tokens = reader.fields["tokenizer.ggml.tokens"].contents()
print(json.dumps({"tensors": tensors, "fields": fields, "tokens": len(tokens)}))
