// What is computed with vector instructions, as a table of functions. Every file in kernels/ is compiled once per set of
// instructions, each time into a namespace of its own, so that one binary has them all and the processor it meets chooses.
// evals/native/fallback.ts is the specification.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace touchstone {

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

/// Matrices are in float64 and row-major, as in evals/spectra/decomposition/matrix.ts.
struct Kernels {
  const char* instructions;

  /// NaN of any payload becomes the quiet NaN.
  void (*widen_float16)(const uint16_t* halves, size_t count, float* out);
  void (*widen_bfloat16)(const uint16_t* halves, size_t count, float* out);
  /// To the nearest, ties to even. What does not fit is not looked for: the caller has.
  void (*narrow_float16)(const float* values, size_t count, uint16_t* out);
  void (*narrow_bfloat16)(const float* values, size_t count, uint16_t* out);

  /// Σ x², one after the other: another order of summation would give other bits.
  double (*squared_norm)(const float* values, size_t count);
  /// The part of a run that lies in [first, last).
  void (*adamw)(const AdamWVectors&, const AdamWRun&, const AdamWScalars&, size_t first, size_t last);

  /// out [p, q] = A Bᵀ of A [p, width] and B [q, width]; half leaves what is above the diagonal unfilled (p = q, A = B).
  void (*row_products)(const double* a, size_t p, const double* b, size_t q, size_t width, bool half, double* out);
  /// out [p] = X x of X [p, width].
  void (*multiply)(const double* x, size_t p, const double* vector, size_t width, double* out);
  /// out [width] += factor · Xᵀ y of X [count, width].
  void (*add_rows)(double* out, size_t width, double factor, const double* y, const double* x, size_t count);
  /// Rows Y through a float32 weight W [m, n]: out [r, n] = Y W of Y [r, m], or out [r, m] = Y Wᵀ of Y [r, n].
  void (*through_weight)(const double* y, size_t r, const float* w, size_t m, size_t n, bool transposed, double* out);
  /// Takes the `count` orthonormal rows of `basis` [count, width] out of x [width], makes it a unit vector and gives the
  /// length that was left of it.
  double (*orthogonalise)(double* x, size_t width, const double* basis, size_t count);
  /// The k largest eigenvalues but the first `from`, descending, of a symmetric tridiagonal matrix: off[i] lies between i − 1
  /// and i, and no |λ| is more than bound.
  void (*tridiagonal_values)(const double* diagonal, const double* off, size_t size, double bound, size_t from, size_t k,
                             double* out);
  /// G = Rᵀ diag(λ) R for symmetric G [p, p]: λ [p] descending, R [p, p] a vector a row. False where it did not converge.
  bool (*symmetric_eigen)(const double* g, size_t p, double* values, double* vectors);
};

/// Those that this processor can run, the quickest first.
const std::vector<const Kernels*>& known_kernels();

/// The quickest of them, or what `choose` named; may be asked from any thread.
const Kernels& kernels();

/// False where this processor cannot run what is so called.
bool choose(const char* instructions);

}  // namespace touchstone
