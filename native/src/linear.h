// Dense matrices in float64, row-major, as in evals/spectra/matrix.ts.
#pragma once
#include <cstddef>

namespace touchstone {

/// out [p, q] = A Bᵀ of A [p, width] and B [q, width]; half leaves what is above the diagonal unfilled (p = q, A = B).
void row_products(const double* a, size_t p, const double* b, size_t q, size_t width, bool half, double* out);

/// G = Rᵀ diag(λ) R for symmetric G [p, p]: λ [p] descending, R [p, p] a vector a row. False where it did not converge.
bool symmetric_eigen(const double* g, size_t p, double* values, double* vectors);

}  // namespace touchstone
