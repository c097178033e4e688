// AdamW and the gradient norm over flat vectors, with the bits of the TypeScript version: compile without contracting
// a·b + c into one rounding (-ffp-contract=off).
#include <algorithm>
#include <cmath>

#include "variant.h"

namespace touchstone::TOUCHSTONE_VARIANT {

double squared_norm(const float* values, size_t count) {
  double sum = 0;
  for (size_t i = 0; i < count; i++) sum += double(values[i]) * double(values[i]);
  return sum;
}

void adamw(const AdamWVectors& vectors, const AdamWRun& run, const AdamWScalars& s, size_t first, size_t last) {
  float* __restrict p = vectors.parameters;
  float* __restrict m = vectors.first_moment;
  float* __restrict v = vectors.second_moment;
  const float* __restrict g = vectors.gradient;
  const double keep = run.keep, step = run.step_size, rest1 = 1 - s.beta1, rest2 = 1 - s.beta2;
  const size_t end = std::min(last, run.end);
  for (size_t i = std::max(first, run.start); i < end; i++) {
    const double d = g[i] * s.gradient_scale;
    const double m1 = s.beta1 * m[i] + rest1 * d;
    const double v1 = s.beta2 * v[i] + rest2 * d * d;
    m[i] = float(m1);
    v[i] = float(v1);
    p[i] = float(p[i] * keep - (step * m1) / (std::sqrt(v1) / s.root_correction2 + s.epsilon));
  }
}

}  // namespace touchstone::TOUCHSTONE_VARIANT
