// Operators of our own in ONNX graphs on the processor, domain "touchstone" (evals/graph/ops/serving.ts).
#pragma once
#include "ort_api.h"

namespace touchstone {

/// One for the process; sessions share it.
OrtCustomOpDomain* own_operators();

}  // namespace touchstone
