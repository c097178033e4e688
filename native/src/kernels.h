// Functions that use vector instructions, as a table. Every file in kernels/ is compiled once per instruction set, each time
// into its own namespace, so that one binary holds all variants and selects one at run time.
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

/// y += x·A·B for rows of one adapter, whose numbers lie in cells of `width` numbers: A [in, rank] from number `first_a` in the
/// key buffer, B [rank, out] from number `first_b` in the value buffer.
struct LowRank {
  const float *x, *keys, *values;
  float* y;
  size_t in, out, rank, width, first_a, first_b;
};

/// Attention of new tokens over a cache in cells of kv_heads·dim numbers. q [batch, seq, heads, dim]; k and v [batch, seq,
/// kv_heads, dim] are written into the cells; `cells` [batch, capacity], token by token. A row has `from` tokens in the cache and
/// `count` new ones, the first of its `seq`. cos and sin [positions, dim/2] or null; softcap and window 0 for none.
struct PagedAttention {
  const float *q, *k, *v;
  float *keys, *values;
  const int32_t *cells, *from, *count;
  const float *cos, *sin;
  float* out;
  size_t seq, capacity, heads, kv_heads, dim, window;
  float scale, softcap;
};

/// A matrix [rows, columns] in ggml's blocks, `type` being ggml's number; a row is whole blocks.
struct BlockMatrix {
  const uint8_t* data;
  size_t rows, columns, row_bytes;
  int type;
};

/// Rows x [count, columns] in int8, 32 numbers with a scale. Of four codes `starts` has −offset·Σ, where the codes of the matrix are
/// `offset` above its numbers, and of a block `sums` has scale·Σ. Rows of `scales` and `sums` are padded to eight blocks.
struct RoundedRows {
  int8_t* codes;
  int32_t* starts;
  float *scales, *sums;
  size_t count, columns;
};

/// Matrices are in float64 and row-major, as in evals/spectra/decomposition/matrix.ts.
struct Kernels {
  const char* instructions;

  /// NaN of any payload becomes the quiet NaN.
  void (*widen_float16)(const uint16_t* halves, size_t count, float* out);
  void (*widen_bfloat16)(const uint16_t* halves, size_t count, float* out);
  /// Rounds to nearest, ties to even. The caller has checked the range.
  void (*narrow_float16)(const float* values, size_t count, uint16_t* out);
  void (*narrow_bfloat16)(const float* values, size_t count, uint16_t* out);

  /// Σ x², summed in order, because another order would give other bits.
  double (*squared_norm)(const float* values, size_t count);
  /// The part of a run that lies in [first, last).
  void (*adamw)(const AdamWVectors&, const AdamWRun&, const AdamWScalars&, size_t first, size_t last);

  /// out [p, q] = A Bᵀ of A [p, width] and B [q, width]; half leaves the entries above the diagonal unset (p = q, A = B).
  void (*row_products)(const double* a, size_t p, const double* b, size_t q, size_t width, bool half, double* out);
  /// out [p] = X x of X [p, width].
  void (*multiply)(const double* x, size_t p, const double* vector, size_t width, double* out);
  /// out [width] += factor · Xᵀ y of X [count, width].
  void (*add_rows)(double* out, size_t width, double factor, const double* y, const double* x, size_t count);
  /// Rows Y through a float32 weight W [m, n]: out [r, n] = Y W of Y [r, m], or out [r, m] = Y Wᵀ of Y [r, n].
  void (*through_weight)(const double* y, size_t r, const float* w, size_t m, size_t n, bool transposed, double* out);
  /// Projects x [width] onto the complement of the `count` orthonormal rows of `basis` [count, width], normalises it and
  /// returns its length before normalisation.
  double (*orthogonalise)(double* x, size_t width, const double* basis, size_t count);
  /// The k largest eigenvalues except the first `from`, descending, of a symmetric tridiagonal matrix: off[i] couples i − 1
  /// and i, and every |λ| is at most bound.
  void (*tridiagonal_values)(const double* diagonal, const double* off, size_t size, double bound, size_t from, size_t k,
                             double* out);
  /// G = Rᵀ diag(λ) R for symmetric G [p, p]: λ [p] descending, R [p, p] one eigenvector a row. Returns false without convergence.
  bool (*symmetric_eigen)(const double* g, size_t p, double* values, double* vectors);

  /// For the `count` rows of x and y in `rows`, all of the adapter in `cells`.
  void (*add_low_rank)(const LowRank&, const int32_t* cells, const size_t* rows, size_t count);
  /// One row of the batch.
  void (*paged_attention)(const PagedAttention&, size_t row);

  /// One row in float32; both return false for a type that is not known here.
  bool (*widen_blocks)(const BlockMatrix&, size_t row, float* out);
  /// out [count, rows] = x Wᵀ of x [count, columns], for the rows [first, last) of W.
  bool (*block_products)(const BlockMatrix&, const float* x, size_t count, size_t first, size_t last, float* out);
  /// One row of x, for products with a matrix of this type.
  void (*round_row)(int type, const float* x, const RoundedRows&, size_t row);
  /// As `block_products`, of rounded rows.
  bool (*rounded_products)(const BlockMatrix&, const RoundedRows&, size_t first, size_t last, float* out);
};

/// The variants that this processor can run, fastest first.
const std::vector<const Kernels*>& known_kernels();

/// The fastest variant, or the one named by `choose`. Thread-safe.
const Kernels& kernels();

/// Returns false where this processor cannot run the variant of this name.
bool choose(const char* instructions);

}  // namespace touchstone
