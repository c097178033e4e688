// Dense matrices in float64, row-major, as in evals/spectra/matrix.ts.
#pragma once
#include <cstddef>

namespace touchstone {

/// out [p, q] = A Bᵀ of A [p, width] and B [q, width]; half leaves what is above the diagonal unfilled (p = q, A = B).
void row_products(const double* a, size_t p, const double* b, size_t q, size_t width, bool half, double* out);

/// out [p] = X x of X [p, width].
void multiply(const double* x, size_t p, const double* vector, size_t width, double* out);

/// out [width] += factor · Xᵀ y of X [count, width].
void add_rows(double* out, size_t width, double factor, const double* y, const double* x, size_t count);

/// G = Rᵀ diag(λ) R for symmetric G [p, p]: λ [p] descending, R [p, p] a vector a row. False where it did not converge.
bool symmetric_eigen(const double* g, size_t p, double* values, double* vectors);

}  // namespace touchstone
