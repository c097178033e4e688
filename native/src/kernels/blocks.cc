// Products with matrices in ggml's blocks (evals/models/weights/ggml-blocks.ts, ggml-super-blocks.ts): a few rows of the matrix
// at a time are widened to float32, exactly as there, and multiplied while they are in the cache. A sum runs along the row in
// pieces of kPiece numbers, so it has the same bits whatever rows of x stand beside its own.
#include <Eigen/Core>

#include <algorithm>
#include <cstring>

#include "variant.h"

namespace touchstone::TOUCHSTONE_VARIANT {

namespace {

using Packet = Eigen::internal::packet_traits<float>::type;
constexpr size_t kLanes = sizeof(Packet) / sizeof(float);
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

float half_at(const uint8_t* bytes) {
  uint16_t half;
  std::memcpy(&half, bytes, sizeof half);
  _Float16 value;
  std::memcpy(&value, &half, sizeof value);
  return float(value);
}

uint32_t word_at(const uint8_t* bytes) {
  uint32_t word;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

/// Each widens the block at `from`. Products of scales and codes are exact in float32, and a minimum is added with one rounding.
struct Q4_0 {
  static constexpr size_t kNumbers = 32, kBytes = 18;
  static void widen(const uint8_t* __restrict from, float* __restrict out) {
    const float d = half_at(from);
    for (int i = 0; i < 16; i++) out[i] = d * float(int(from[2 + i] & 15) - 8);
    for (int i = 0; i < 16; i++) out[16 + i] = d * float(int(from[2 + i] >> 4) - 8);
  }
};

struct Q4_1 {
  static constexpr size_t kNumbers = 32, kBytes = 20;
  static void widen(const uint8_t* __restrict from, float* __restrict out) {
    const float d = half_at(from), m = half_at(from + 2);
    for (int i = 0; i < 16; i++) out[i] = d * float(int(from[4 + i] & 15)) + m;
    for (int i = 0; i < 16; i++) out[16 + i] = d * float(int(from[4 + i] >> 4)) + m;
  }
};

/// Codes of five bits, the fifth of number i being bit i of `fifth`.
void codes_of(const uint8_t* __restrict pairs, uint32_t fifth, int* __restrict code) {
  for (uint32_t i = 0; i < 16; i++) code[i] = pairs[i] & 15;
  for (uint32_t i = 0; i < 16; i++) code[16 + i] = pairs[i] >> 4;
  for (uint32_t i = 0; i < 32; i++) code[i] |= int(fifth >> i & 1) << 4;
}

struct Q5_0 {
  static constexpr size_t kNumbers = 32, kBytes = 22;
  static void widen(const uint8_t* __restrict from, float* __restrict out) {
    const float d = half_at(from);
    const uint32_t fifth = word_at(from + 2);
    int code[32];
    codes_of(from + 6, fifth, code);
    for (int i = 0; i < 32; i++) out[i] = d * float(code[i] - 16);
  }
};

struct Q5_1 {
  static constexpr size_t kNumbers = 32, kBytes = 24;
  static void widen(const uint8_t* __restrict from, float* __restrict out) {
    const float d = half_at(from), m = half_at(from + 2);
    const uint32_t fifth = word_at(from + 4);
    int code[32];
    codes_of(from + 8, fifth, code);
    for (int i = 0; i < 32; i++) out[i] = d * float(code[i]) + m;
  }
};

struct Q8_0 {
  static constexpr size_t kNumbers = 32, kBytes = 34;
  static void widen(const uint8_t* __restrict from, float* __restrict out) {
    const float d = half_at(from);
    for (int i = 0; i < 32; i++) out[i] = d * float(int(int8_t(from[2 + i])));
  }
};

/// The 6-bit scale and minimum of sub-block `sub` of 8, packed into 12 bytes.
struct ScaleAndMinimum {
  int scale, minimum;
  ScaleAndMinimum(const uint8_t* at, int sub)
      : scale(sub < 4 ? at[sub] & 63 : (at[sub + 4] & 15) | (at[sub - 4] >> 6) << 4),
        minimum(sub < 4 ? at[sub + 4] & 63 : at[sub + 4] >> 4 | (at[sub] >> 6) << 4) {}
};

struct Q4_K {
  static constexpr size_t kNumbers = 256, kBytes = 144;
  static void widen(const uint8_t* __restrict from, float* __restrict out) {
    const float d = half_at(from), m = half_at(from + 2);
    for (int sub = 0; sub < 8; sub += 2) {
      const ScaleAndMinimum low(from + 4, sub), high(from + 4, sub + 1);
      const float s = d * float(low.scale), t = m * float(low.minimum);
      const float u = d * float(high.scale), v = m * float(high.minimum);
      const uint8_t* codes = from + 16 + sub * 16;
      for (int i = 0; i < 32; i++) out[sub * 32 + i] = s * float(int(codes[i] & 15)) - t;
      for (int i = 0; i < 32; i++) out[sub * 32 + 32 + i] = u * float(int(codes[i] >> 4)) - v;
    }
  }
};

struct Q5_K {
  static constexpr size_t kNumbers = 256, kBytes = 176;
  static void widen(const uint8_t* __restrict from, float* __restrict out) {
    const float d = half_at(from), m = half_at(from + 2);
    const uint8_t* fifth = from + 16;
    for (int sub = 0; sub < 8; sub++) {
      const ScaleAndMinimum own(from + 4, sub);
      const float s = d * float(own.scale), t = m * float(own.minimum);
      const uint8_t* codes = from + 48 + (sub >> 1) * 32;
      const int shift = (sub & 1) * 4;
      for (int i = 0; i < 32; i++)
        out[sub * 32 + i] = s * float(int((codes[i] >> shift & 15) | (fifth[i] >> sub & 1) << 4)) - t;
    }
  }
};

struct Q6_K {
  static constexpr size_t kNumbers = 256, kBytes = 210;
  static void widen(const uint8_t* __restrict from, float* __restrict out) {
    const float d = half_at(from + 208);
    // Bytes first, so that a register holds many codes, and then sixteen numbers with each scale.
    uint8_t code[256];
    for (int half = 0; half < 2; half++) {
      const uint8_t *low = from + half * 64, *high = from + 128 + half * 32;
      uint8_t* own = code + half * 128;
      for (int i = 0; i < 32; i++) own[i] = uint8_t((low[i] & 15) | (high[i] & 3) << 4);
      for (int i = 0; i < 32; i++) own[32 + i] = uint8_t((low[32 + i] & 15) | (high[i] & 12) << 2);
      for (int i = 0; i < 32; i++) own[64 + i] = uint8_t(low[i] >> 4 | (high[i] & 48));
      for (int i = 0; i < 32; i++) own[96 + i] = uint8_t(low[32 + i] >> 4 | (high[i] & 192) >> 2);
    }
    for (int part = 0; part < 16; part++) scaled(code + part * 16, d * float(int(int8_t(from[192 + part]))), out + part * 16);
  }
  /// Not inlined: the loop around it would be vectorised instead of this one, in three times the time.
  __attribute__((noinline)) static void scaled(const uint8_t* __restrict code, float s, float* __restrict out) {
    for (int i = 0; i < 16; i++) out[i] = s * float(int(code[i]) - 32);
  }
};

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
