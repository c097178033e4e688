// Products with matrices in ggml's blocks (evals/models/weights/ggml-blocks.ts, ggml-super-blocks.ts): a few rows of the matrix
// at a time are widened to float32, exactly as there, and multiplied while they are in the cache. A sum runs along the row in
// pieces of kPiece numbers, so it has the same bits whatever rows of x stand beside its own.
#include <Eigen/Core>

#include <algorithm>

#include "block_packets.h"

namespace touchstone::TOUCHSTONE_VARIANT {

namespace {

using Eigen::internal::pmadd;
using Eigen::internal::predux;
using Eigen::internal::pset1;
inline Packet read(const float* from) { return Eigen::internal::ploadu<Packet>(from); }

/// Numbers of a row that are widened and summed at a time: whole super-blocks.
constexpr size_t kPiece = 512;
/// Rows of x and of the matrix that are multiplied at once: as many sums as there are registers for.
#ifdef __AVX512F__
constexpr size_t kTogether = 4, kColumns = 4;
#else
constexpr size_t kTogether = 4, kColumns = 2;
#endif
/// Rows of the matrix that are widened at a time: with many rows of x they stay in the L2 cache, with few in the L1 cache.
constexpr size_t kMostRows = 32, kFewRows = 4, kFew = 16;

/// `count` numbers from number `first` of a row, both whole blocks.
template <typename Kind>
void widen_piece(const uint8_t* row, size_t first, size_t count, float* out) {
  const uint8_t* from = row + first / Kind::kNumbers * Kind::kBytes;
  for (size_t i = 0; i < count; i += Kind::kNumbers, from += Kind::kBytes) Kind::widen(from, out + i);
}

using Widen = void (*)(const uint8_t*, size_t, size_t, float*);

/// By ggml's number of the type.
Widen widen_of(int type) {
  switch (type) {
    case 2: return widen_piece<Q4_0>;
    case 3: return widen_piece<Q4_1>;
    case 6: return widen_piece<Q5_0>;
    case 7: return widen_piece<Q5_1>;
    case 8: return widen_piece<Q8_0>;
    case 12: return widen_piece<Q4_K>;
    case 13: return widen_piece<Q5_K>;
    case 14: return widen_piece<Q6_K>;
    default: return nullptr;
  }
}

/// One piece of the products of m rows of x, `width` apart, with n widened rows of W: written to `out` [m, rows of W] in the first
/// piece and added there in others.
template <size_t m, size_t n>
void add_piece(const float* x, size_t width, const float* w, size_t count, bool is_first, float* out, size_t rows) {
  Packet sums[m][n];
  for (auto& own : sums)
    for (auto& sum : own) sum = pset1<Packet>(0);
  for (size_t k = 0; k < count; k += kLanes) {
    Packet column[n];
    for (size_t j = 0; j < n; j++) column[j] = read(w + j * kPiece + k);
    for (size_t i = 0; i < m; i++) {
      const Packet own = read(x + i * width + k);
      for (size_t j = 0; j < n; j++) sums[i][j] = pmadd(own, column[j], sums[i][j]);
    }
  }
  for (size_t i = 0; i < m; i++)
    for (size_t j = 0; j < n; j++) {
      const float sum = predux(sums[i][j]);
      out[i * rows + j] = is_first ? sum : out[i * rows + j] + sum;
    }
}

#ifdef __AVX2__

/// As `add_piece`, of blocks of W that are widened in registers: the same sums in the same order.
template <typename Kind, size_t m, size_t n>
void add_in_registers(const BlockMatrix& w, size_t row, size_t from, const float* x, size_t count, float* out) {
  constexpr size_t kSubs = Kind::kNumbers / 32;
  const uint8_t* first = w.data + row * w.row_bytes + from / Kind::kNumbers * Kind::kBytes;
  alignas(64) float scales[n][kPiece / 32][2];
  for (size_t j = 0; j < n; j++)
    for (size_t b = 0; b * Kind::kNumbers < count; b++)
      Kind::scales(first + j * w.row_bytes + b * Kind::kBytes, scales[j][b * kSubs]);
  Packet sums[m][n];
  for (auto& own : sums)
    for (auto& sum : own) sum = pset1<Packet>(0);
  for (size_t b = 0; b * Kind::kNumbers < count; b++) {
#pragma GCC unroll 4
    for (size_t j = 0; j < n; j++)
      Packets<Kind>::each(first + j * w.row_bytes + b * Kind::kBytes, scales[j][b * kSubs], [&](size_t at, Packet numbers) {
        for (size_t i = 0; i < m; i++)
          sums[i][j] = pmadd(read(x + i * w.columns + b * Kind::kNumbers + at), numbers, sums[i][j]);
      });
  }
  for (size_t i = 0; i < m; i++)
    for (size_t j = 0; j < n; j++) {
      float& to = out[i * w.rows + row + j];
      const float sum = predux(sums[i][j]);
      to = from == 0 ? sum : to + sum;
    }
}

/// m rows of x, all of them.
template <typename Kind, size_t m>
void products_in_registers(const BlockMatrix& w, const float* x, size_t first, size_t last, float* out) {
  for (; first < last; first += kFewRows) {
    const size_t some = std::min(kFewRows, last - first);
    fetch_ahead(w, first, some);
    for (size_t from = 0; from < w.columns; from += kPiece) {
      const size_t length = std::min(kPiece, w.columns - from);
      if (some == kFewRows) {
        add_in_registers<Kind, m, kFewRows>(w, first, from, x + from, length, out);
        continue;
      }
      for (size_t j = 0; j < some; j++) add_in_registers<Kind, m, 1>(w, first + j, from, x + from, length, out);
    }
  }
}

using InRegisters = void (*)(const BlockMatrix&, const float*, size_t, size_t, float*);

template <typename Kind>
InRegisters in_registers(size_t count) {
  return count == 1 ? products_in_registers<Kind, 1> : count == 2 ? products_in_registers<Kind, 2> : nullptr;
}

/// Null where rows are widened to memory instead.
InRegisters in_registers_of(int type, size_t count) {
  switch (type) {
    case 2: return in_registers<Q4_0>(count);
    case 3: return in_registers<Q4_1>(count);
    case 8: return in_registers<Q8_0>(count);
    case 12: return in_registers<Q4_K>(count);
    default: return nullptr;
  }
}

#endif

/// `some` widened rows of W, the first of which is row `first` of it.
void add_rows_of(const BlockMatrix& w, const float* x, size_t count, const float* wide, size_t first, size_t some,
                 size_t from, size_t length, float* out) {
  const bool is_first = from == 0;
  size_t i = 0;
  for (; i + kTogether <= count; i += kTogether) {
    const float* own = x + i * w.columns + from;
    float* to = out + i * w.rows + first;
    size_t j = 0;
    for (; j + kColumns <= some; j += kColumns)
      add_piece<kTogether, kColumns>(own, w.columns, wide + j * kPiece, length, is_first, to + j, w.rows);
    for (; j < some; j++) add_piece<kTogether, 1>(own, w.columns, wide + j * kPiece, length, is_first, to + j, w.rows);
  }
  for (; i < count; i++) {
    const float* own = x + i * w.columns + from;
    float* to = out + i * w.rows + first;
    size_t j = 0;
    for (; j + kFewRows <= some; j += kFewRows)
      add_piece<1, kFewRows>(own, w.columns, wide + j * kPiece, length, is_first, to + j, w.rows);
    for (; j < some; j++) add_piece<1, 1>(own, w.columns, wide + j * kPiece, length, is_first, to + j, w.rows);
  }
}

}  // namespace

bool widen_blocks(const BlockMatrix& w, size_t row, float* out) {
  const Widen widen = widen_of(w.type);
  if (widen) widen(w.data + row * w.row_bytes, 0, w.columns, out);
  return widen != nullptr;
}

bool block_products(const BlockMatrix& w, const float* x, size_t count, size_t first, size_t last, float* out) {
  const Widen widen = widen_of(w.type);
  if (!widen) return false;
#ifdef __AVX2__
  if (const InRegisters products = in_registers_of(w.type, count)) return products(w, x, first, last, out), true;
#endif
  alignas(64) float wide[kMostRows * kPiece];
  const size_t most = count > kFew ? kMostRows : kFewRows;
  for (; first < last; first += most) {
    const size_t some = std::min(most, last - first);
    for (size_t from = 0; from < w.columns; from += kPiece) {
      const size_t length = std::min(kPiece, w.columns - from);
      for (size_t j = 0; j < some; j++) widen(w.data + (first + j) * w.row_bytes, from, length, wide + j * kPiece);
      add_rows_of(w, x, count, wide, first, some, from, length, out);
    }
  }
  return true;
}

}  // namespace touchstone::TOUCHSTONE_VARIANT
