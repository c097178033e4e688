"""Writes fixtures/dequantise.json: blocks of each storage type and the float32 values that ggml's reference gives.

    python make-dequantise.py > fixtures/dequantise.json
"""
import base64, json, os

import gguf, numpy
from gguf import GGMLQuantizationType as Kind

BLOCKS = 3
rng = numpy.random.default_rng(20240726)
# Where each type keeps its float16 scales: any finite value, so that subnormal ones occur as well.
SCALES = {
    "F16": [0], "Q8_0": [0], "Q4_0": [0], "Q4_1": [0, 2], "Q4_K": [0, 2], "Q6_K": [208],
    "Q5_0": [0], "Q5_1": [0, 2], "Q2_K": [80, 82], "Q3_K": [108], "Q5_K": [0, 2], "IQ4_NL": [0], "IQ4_XS": [0]}

text = lambda array: base64.b64encode(numpy.ascontiguousarray(array).tobytes()).decode()
cases = []
for name in ["F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q4_K", "Q6_K", "Q5_0", "Q5_1", "Q2_K", "Q3_K", "Q5_K", "IQ4_NL", "IQ4_XS"]:
    kind = Kind[name]
    elements, size = gguf.GGML_QUANT_SIZES[kind]
    count = BLOCKS if elements > 1 else 64
    blocks = rng.integers(0, 256, (count, size), dtype=numpy.uint8)
    for at in SCALES.get(name, []):
        halves = rng.integers(0, 0x7C00, count).astype(numpy.uint16) | (rng.integers(0, 2, count) << 15).astype(numpy.uint16)
        halves[0] = 0x0003
        blocks[:, at : at + 2] = halves.view(numpy.uint8).reshape(count, 2)
    if name == "BF16":
        blocks[:, 1] = 0x3C
    values = (
        blocks.reshape(-1).view(numpy.float16).astype(numpy.float32)
        if name == "F16"
        else gguf.quants.dequantize(blocks.reshape(-1), kind)
    )
    assert numpy.isfinite(values).all()
    cases.append({"storage": name, "bytes": text(blocks), "values": text(values.astype(numpy.float32))})
made_by = {"script": os.path.basename(__file__), "numpy": numpy.__version__, "seed": 20240726}
print('{\n  "madeBy": %s,\n  "cases": [\n%s\n  ]\n}' % (json.dumps(made_by), ",\n".join("    " + json.dumps(c) for c in cases)))
