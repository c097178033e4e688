// Products of a few rows with a large matrix, which is read once: a general product would copy all of it into its own order first.
#include <algorithm>
#include <cstring>
#include <vector>

#include "narrow.h"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace touchstone::TOUCHSTONE_VARIANT {

namespace {

#if defined(__AVX512F__)
constexpr size_t kBytes = 64, kTogether = 8;
#elif defined(__AVX2__)
constexpr size_t kBytes = 32, kTogether = 4;
#else
constexpr size_t kBytes = 16, kTogether = 2;
#endif

typedef double Numbers __attribute__((vector_size(kBytes)));
constexpr size_t kLanes = kBytes / sizeof(double);
/// Rows of A side by side, in vectors.
constexpr size_t kRows = 8, kVectors = kRows / kLanes;
/// Columns at a time: those of `kRows` rows of A and of `kTogether` of B fit the first-level cache.
constexpr size_t kStrip = 256;

/// a·b + c, fused where there is an instruction for it: the compiler is told to fuse nothing by itself.
inline Numbers added(Numbers a, double b, Numbers c) {
#if defined(__AVX512F__)
  return _mm512_fmadd_pd(a, _mm512_set1_pd(b), c);
#elif defined(__AVX2__)
  return _mm256_fmadd_pd(a, _mm256_set1_pd(b), c);
#else
  return a * b + c;
#endif
}

inline Numbers loaded(const double* from) {
  Numbers all;
  std::memcpy(&all, from, sizeof all);
  return all;
}

/// sums [kTogether, kRows] of A's strip [length, kRows] with the rows of B, `step` apart.
void products(const double* a, const double* b, size_t step, size_t length, double* sums) {
  Numbers all[kTogether][kVectors] = {};
  for (size_t k = 0; k < length; k++) {
    for (size_t v = 0; v < kVectors; v++) {
      const Numbers A = loaded(a + k * kRows + v * kLanes);
      for (size_t j = 0; j < kTogether; j++) all[j][v] = added(A, b[j * step + k], all[j][v]);
    }
  }
  std::memcpy(sums, all, sizeof all);
}

/// Columns [first, first + length) of A [p, width] as [tiles, length, kRows], 0 where there is no row.
void turned(const double* a, size_t p, size_t width, size_t first, size_t length, double* out) {
  for (size_t row = 0; row < p; row++) {
    double* tile = out + row / kRows * kStrip * kRows + row % kRows;
    for (size_t k = 0; k < length; k++) tile[k * kRows] = a[row * width + first + k];
  }
}

/// The strip of `count` rows of B as float64: where it lies, or in `room`, filled up with rows of 0.
const double* widened(const double* b, size_t count, size_t width, size_t length, double* room, size_t& step) {
  step = width;
  if (count == kTogether) return b;
  step = kStrip;
  for (size_t j = 0; j < count; j++) std::copy_n(b + j * width, length, room + j * kStrip);
  std::fill(room + count * kStrip, room + kTogether * kStrip, 0.0);
  return room;
}

const double* widened(const float* b, size_t count, size_t width, size_t length, double* room, size_t& step) {
  step = kStrip;
  for (size_t j = 0; j < count; j++)
    for (size_t k = 0; k < length; k++) room[j * kStrip + k] = double(b[j * width + k]);
  std::fill(room + count * kStrip, room + kTogether * kStrip, 0.0);
  return room;
}

template <typename Number>
void narrow(const double* a, size_t p, const Number* b, size_t q, size_t width, double* out) {
  const size_t tiles = (p + kRows - 1) / kRows;
  std::vector<double> strips(tiles * kStrip * kRows, 0.0), room(kTogether * kStrip);
  double sums[kTogether * kRows];
  std::fill_n(out, p * q, 0.0);
  for (size_t first = 0; first < width; first += kStrip) {
    const size_t length = std::min(kStrip, width - first);
    turned(a, p, width, first, length, strips.data());
    for (size_t row = 0; row < q; row += kTogether) {
      const size_t count = std::min(kTogether, q - row);
      size_t step;
      const double* B = widened(b + row * width + first, count, width, length, room.data(), step);
      for (size_t tile = 0; tile < tiles; tile++) {
        products(strips.data() + tile * kStrip * kRows, B, step, length, sums);
        const size_t high = std::min(kRows, p - tile * kRows);
        for (size_t i = 0; i < high; i++)
          for (size_t j = 0; j < count; j++) out[(tile * kRows + i) * q + row + j] += sums[j * kRows + i];
      }
    }
  }
}

/// Rows of W at a time, and vectors of its columns: their sums stay in registers.
constexpr size_t kPiece = 64, kColumns = 2 * kLanes;

/// out [kRows, columns at `at`] += Y's piece [length, kRows]ᵀ W [length, columns at `at`].
void add_columns(const double* y, const float* w, size_t n, size_t length, double* const* out, size_t high, size_t at) {
  typedef float Singles __attribute__((vector_size(kBytes / 2)));
  Numbers sums[kRows][2] = {};
  for (size_t i = 0; i < length; i++) {
    Numbers W[2];
    for (size_t v = 0; v < 2; v++) {
      Singles few;
      std::memcpy(&few, w + i * n + at + v * kLanes, sizeof few);
      W[v] = __builtin_convertvector(few, Numbers);
    }
    for (size_t r = 0; r < kRows; r++)
      for (size_t v = 0; v < 2; v++) sums[r][v] = added(W[v], y[i * kRows + r], sums[r][v]);
  }
  for (size_t r = 0; r < high; r++)
    for (size_t v = 0; v < 2; v++)
      for (size_t lane = 0; lane < kLanes; lane++) out[r][at + v * kLanes + lane] += sums[r][v][lane];
}

}  // namespace

void narrow_products(const double* a, size_t p, const double* b, size_t q, size_t width, double* out) {
  narrow(a, p, b, q, width, out);
}

void narrow_products(const double* a, size_t p, const float* b, size_t q, size_t width, double* out) {
  narrow(a, p, b, q, width, out);
}

void narrow_through(const double* y, size_t r, const float* w, size_t m, size_t n, double* out) {
  std::vector<double> piece(kPiece * kRows);
  std::fill_n(out, r * n, 0.0);
  for (size_t first = 0; first < m; first += kPiece) {
    const size_t length = std::min(kPiece, m - first);
    const float* W = w + first * n;
    for (size_t tile = 0; tile < r; tile += kRows) {
      const size_t high = std::min(kRows, r - tile);
      double* rows[kRows];
      std::fill(piece.begin(), piece.end(), 0.0);
      for (size_t i = 0; i < high; i++) {
        rows[i] = out + (tile + i) * n;
        for (size_t k = 0; k < length; k++) piece[k * kRows + i] = y[(tile + i) * m + first + k];
      }
      size_t at = 0;
      for (; at + kColumns <= n; at += kColumns) add_columns(piece.data(), W, n, length, rows, high, at);
      for (; at < n; at++)
        for (size_t i = 0; i < high; i++)
          for (size_t k = 0; k < length; k++) rows[i][at] += piece[k * kRows + i] * double(W[k * n + at]);
    }
  }
}

}  // namespace touchstone::TOUCHSTONE_VARIANT
