"""Numbers after a round trip: NF4 by bitsandbytes on the CPU (scales in float32), Q8_0 and Q4_0 by gguf's numpy reference.

    python test/golden/make-compression.py > test/golden/fixtures/compression.json
"""

import json

import bitsandbytes
import bitsandbytes.functional as F
import gguf
import numpy as np
import torch


def main():
    torch.manual_seed(5)
    weight = torch.randn(6, 64)
    packed, state = F.quantize_4bit(weight, blocksize=64, quant_type="nf4")
    nf4 = F.dequantize_4bit(packed, state)
    array = weight.numpy()

    def through(kind):
        return gguf.quants.dequantize(gguf.quants.quantize(array, kind), kind)

    results = {
        "nf4": nf4.numpy(),
        "q8_0": through(gguf.GGMLQuantizationType.Q8_0),
        "q4_0": through(gguf.GGMLQuantizationType.Q4_0),
    }
    versions = {"torch": torch.__version__, "bitsandbytes": bitsandbytes.__version__, "numpy": np.__version__}
    lists = {name: [float(x) for x in values.flatten()] for name, values in results.items()}
    print(json.dumps({"versions": versions, "codebook": state.code.tolist(), "weight": array.flatten().tolist(), **lists}))


main()
