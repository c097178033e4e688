// Eigenvalues of a symmetric tridiagonal matrix by Sturm's count at eight points in one pass: the divisions of one point are
// sequential, those of different points are independent.
#include <algorithm>

#include "variant.h"

namespace touchstone::TOUCHSTONE_VARIANT {

namespace {

constexpr int kPlaces = 8;
typedef double Places __attribute__((vector_size(8 * kPlaces)));
typedef int64_t Counts __attribute__((vector_size(8 * kPlaces)));

struct Tridiagonal {
  const double* diagonal;
  const double* off;
  size_t size;
  double tiny;
};

/// The number of eigenvalues above each point: the positive pivots of T − xI.
void counts_above(const Tridiagonal& t, const double* places, int64_t* counts) {
  Places x, pivot, least;
  for (int l = 0; l < kPlaces; l++) x[l] = places[l], pivot[l] = 1, least[l] = t.tiny;
  Counts above{};
  for (size_t i = 0; i < t.size; i++) {
    const double square = i == 0 ? 0 : t.off[i] * t.off[i];
    pivot = (t.diagonal[i] - x) - square / pivot;
    const Counts vanishes = (pivot < least) & (pivot > -least);
    pivot = vanishes ? -least : pivot;
    above -= pivot > 0.0;
  }
  for (int l = 0; l < kPlaces; l++) counts[l] = above[l];
}

/// The eigenvalue with j above it; each step divides its bracket into ninths.
double one_value(const Tridiagonal& t, int64_t j, double bound, double width) {
  double low = -bound, high = bound, places[kPlaces];
  int64_t counts[kPlaces];
  while (high - low > width) {
    const double part = (high - low) / (kPlaces + 1);
    for (int l = 0; l < kPlaces; l++) places[l] = low + (l + 1) * part;
    counts_above(t, places, counts);
    int below = 0;
    while (below < kPlaces && counts[below] > j) below++;
    if (below < kPlaces) high = places[below];
    if (below > 0) low = places[below - 1];
  }
  return high;
}

/// Up to eight eigenvalues, each by bisection of its own bracket.
void some_values(const Tridiagonal& t, size_t first, size_t count, double bound, double width, double* out) {
  double low[kPlaces], high[kPlaces], places[kPlaces];
  int64_t counts[kPlaces];
  std::fill_n(low, kPlaces, -bound);
  std::fill_n(high, kPlaces, bound);
  while (high[0] - low[0] > width) {
    for (int l = 0; l < kPlaces; l++) places[l] = low[l] + (high[l] - low[l]) / 2;
    counts_above(t, places, counts);
    for (int l = 0; l < kPlaces; l++) (counts[l] > int64_t(first) + l ? low : high)[l] = places[l];
  }
  std::copy_n(high, count, out);
}

}  // namespace

void tridiagonal_values(const double* diagonal, const double* off, size_t size, double bound, size_t from, size_t k,
                        double* out) {
  constexpr double kEpsilon = 0x1p-52;
  const Tridiagonal t{diagonal, off, size, 1e-3 * kEpsilon * bound};
  const double ceiling = bound * (1 + 4 * kEpsilon), width = 2 * kEpsilon * bound;
  if (k == from + 1) {
    out[0] = one_value(t, int64_t(from), ceiling, width);
    return;
  }
  for (size_t j = from; j < k; j += kPlaces)
    some_values(t, j, std::min<size_t>(kPlaces, k - j), ceiling, width, out + (j - from));
}

}  // namespace touchstone::TOUCHSTONE_VARIANT
