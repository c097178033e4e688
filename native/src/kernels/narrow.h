// Products of a few rows with a large matrix.
#pragma once
#include <cstddef>

#include "variant.h"

namespace touchstone::TOUCHSTONE_VARIANT {

/// Up to so many rows; with more a general product does more work for each number that is read.
constexpr size_t kNarrow = 32;

/// out [p, q] = A Bᵀ of A [p, width] and B [q, width].
void narrow_products(const double* a, size_t p, const double* b, size_t q, size_t width, double* out);
void narrow_products(const double* a, size_t p, const float* b, size_t q, size_t width, double* out);

/// out [r, n] = Y W of Y [r, m] and W [m, n].
void narrow_through(const double* y, size_t r, const float* w, size_t m, size_t n, double* out);

}  // namespace touchstone::TOUCHSTONE_VARIANT
