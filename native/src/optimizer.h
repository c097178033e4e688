// AdamW and the norm that clips it, over flat vectors. evals/native/fallback.ts is the specification, to the bit: this
// must be compiled without contracting a·b + c into one rounding (-ffp-contract=off).
#pragma once
#include <cstddef>
#include <vector>

namespace touchstone {

/// Σ x², one after the other: another order of summation would give other bits.
double squared_norm(const float* values, size_t count);

struct AdamWVectors {
  float* parameters;
  float* first_moment;
  float* second_moment;
  const float* gradient;
};

/// θ ← θ·keep − step_size·m / (√v / root_correction2 + ε) over [start, end).
struct AdamWRun {
  size_t start, end;
  double keep, step_size;
};

struct AdamWScalars {
  double beta1, beta2, epsilon, root_correction2, gradient_scale;
};

void adamw(const AdamWVectors&, const std::vector<AdamWRun>&, const AdamWScalars&, size_t threads);

}  // namespace touchstone
