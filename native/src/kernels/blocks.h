// Kinds of ggml's blocks (evals/models/weights/ggml-blocks.ts, ggml-super-blocks.ts), by their layout.
#pragma once
#include <cstring>
#include <limits>

#ifdef __AVX2__
#include <immintrin.h>
#endif

#include "variant.h"

namespace touchstone::TOUCHSTONE_VARIANT {

namespace {

inline float half_at(const uint8_t* bytes) {
  uint16_t half;
  std::memcpy(&half, bytes, sizeof half);
  _Float16 value;
  std::memcpy(&value, &half, sizeof value);
  return float(value);
}

inline uint32_t word_at(const uint8_t* bytes) {
  uint32_t word;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

/// The one or two halves at `from`, which the block is longer than.
inline void halves_at(const uint8_t* from, float* out) {
#ifdef __AVX2__
  _mm_storel_pi(reinterpret_cast<__m64*>(out), _mm_cvtph_ps(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from))));
#else
  out[0] = half_at(from), out[1] = half_at(from + 2);
#endif
}

/// `widen` widens the block at `from`; products of scales and codes are exact in float32, and a minimum is added with one rounding.
/// `scales` writes, for each 32 numbers, the scale and what is added to its products with codes; of Q6_K the scales of both halves.
struct Q4_0 {
  static constexpr size_t kNumbers = 32, kBytes = 18;
  static void scales(const uint8_t* __restrict from, float* __restrict out) {
    halves_at(from, out);
    out[1] = 0;
  }
  static void widen(const uint8_t* __restrict from, float* __restrict out) {
    const float d = half_at(from);
    for (int i = 0; i < 16; i++) out[i] = d * float(int(from[2 + i] & 15) - 8);
    for (int i = 0; i < 16; i++) out[16 + i] = d * float(int(from[2 + i] >> 4) - 8);
  }
};

struct Q4_1 {
  static constexpr size_t kNumbers = 32, kBytes = 20;
  static void scales(const uint8_t* __restrict from, float* __restrict out) { halves_at(from, out); }
  static void widen(const uint8_t* __restrict from, float* __restrict out) {
    const float d = half_at(from), m = half_at(from + 2);
    for (int i = 0; i < 16; i++) out[i] = d * float(int(from[4 + i] & 15)) + m;
    for (int i = 0; i < 16; i++) out[16 + i] = d * float(int(from[4 + i] >> 4)) + m;
  }
};

/// Codes of five bits, the fifth of number i being bit i of `fifth`.
inline void codes_of(const uint8_t* __restrict pairs, uint32_t fifth, int* __restrict code) {
  for (uint32_t i = 0; i < 16; i++) code[i] = pairs[i] & 15;
  for (uint32_t i = 0; i < 16; i++) code[16 + i] = pairs[i] >> 4;
  for (uint32_t i = 0; i < 32; i++) code[i] |= int(fifth >> i & 1) << 4;
}

struct Q5_0 {
  static constexpr size_t kNumbers = 32, kBytes = 22;
  static void scales(const uint8_t* __restrict from, float* __restrict out) {
    halves_at(from, out);
    out[1] = 0;
  }
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
  static void scales(const uint8_t* __restrict from, float* __restrict out) { halves_at(from, out); }
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
  static void scales(const uint8_t* __restrict from, float* __restrict out) {
    halves_at(from, out);
    out[1] = 0;
  }
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

inline void scales_of_subs(const uint8_t* __restrict from, float* __restrict out) {
  const float d = half_at(from), m = half_at(from + 2);
  for (int sub = 0; sub < 8; sub++) {
    const ScaleAndMinimum own(from + 4, sub);
    out[2 * sub] = d * float(own.scale), out[2 * sub + 1] = -(m * float(own.minimum));
  }
}

struct Q4_K {
  static constexpr size_t kNumbers = 256, kBytes = 144;
  static void scales(const uint8_t* __restrict from, float* __restrict out) { scales_of_subs(from, out); }
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
  static void scales(const uint8_t* __restrict from, float* __restrict out) { scales_of_subs(from, out); }
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
  static void scales(const uint8_t* __restrict from, float* __restrict out) {
    const float d = half_at(from + 208);
    for (int part = 0; part < 16; part++) out[part] = d * float(int(int8_t(from[192 + part])));
  }
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

/// Asks for the rows that are read kAhead bytes later: rows are short, and a processor foresees little of each.
constexpr size_t kAhead = 4096;
inline void fetch_ahead(const BlockMatrix& w, size_t row, size_t some) {
  const uint8_t* from = w.data + row * w.row_bytes + kAhead;
  for (size_t i = 0; i < some * w.row_bytes; i += 64) __builtin_prefetch(from + i);
}

}  // namespace

}  // namespace touchstone::TOUCHSTONE_VARIANT
