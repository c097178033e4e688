// Products in whole numbers: x rounded to int8 in blocks of 32 numbers with a scale each, times the codes of a matrix in ggml's
// blocks. Sums of four products are whole and exact; a lane of eight adds scale·sum block by block, and lanes are added in one
// order, so every set of instructions gives the same bits. test/doubles/native/rounded-products.ts is the specification.
#include <algorithm>
#include <vector>

#include "blocks.h"

namespace touchstone::TOUCHSTONE_VARIANT {

namespace {

/// Numbers of a block of x, lanes of four of them, and rows of the matrix that are multiplied at once.
constexpr size_t kBlock = 32, kEight = 8, kRows = 4;

size_t padded(size_t blocks) { return (blocks + kEight - 1) / kEight * kEight; }

/// `codes` writes the 32 codes of part `sub` of a block, without signs, which are kOffset above the numbers that a scale multiplies.
/// kHasAdded: something is added to products; kIsSplit: sixteen numbers have a scale.
template <typename Kind>
struct Codes;

inline void nibbles(const uint8_t* __restrict from, uint8_t* __restrict out) {
#ifdef __AVX2__
  const __m128i pairs = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from)), four = _mm_set1_epi8(15);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out), _mm_and_si128(pairs, four));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out + 16), _mm_and_si128(_mm_srli_epi16(pairs, 4), four));
#else
  for (int i = 0; i < 16; i++) out[i] = from[i] & 15;
  for (int i = 0; i < 16; i++) out[16 + i] = from[i] >> 4;
#endif
}

inline void with_fifth(uint32_t fifth, uint8_t* __restrict out) {
  for (uint32_t i = 0; i < 32; i++) out[i] = uint8_t(out[i] | (fifth >> i & 1) << 4);
}

template <>
struct Codes<Q4_0> {
  static constexpr bool kHasAdded = false;
  static constexpr int kOffset = 8;
  static constexpr bool kIsSplit = false;
  static void codes(const uint8_t* from, size_t, uint8_t* out) { nibbles(from + 2, out); }
};

template <>
struct Codes<Q4_1> {
  static constexpr bool kHasAdded = true;
  static constexpr int kOffset = 0;
  static constexpr bool kIsSplit = false;
  static void codes(const uint8_t* from, size_t, uint8_t* out) { nibbles(from + 4, out); }
};

template <>
struct Codes<Q5_0> {
  static constexpr bool kHasAdded = false;
  static constexpr int kOffset = 16;
  static constexpr bool kIsSplit = false;
  static void codes(const uint8_t* from, size_t, uint8_t* out) {
    nibbles(from + 6, out);
    with_fifth(word_at(from + 2), out);
  }
};

template <>
struct Codes<Q5_1> {
  static constexpr bool kHasAdded = true;
  static constexpr int kOffset = 0;
  static constexpr bool kIsSplit = false;
  static void codes(const uint8_t* from, size_t, uint8_t* out) {
    nibbles(from + 8, out);
    with_fifth(word_at(from + 4), out);
  }
};

template <>
struct Codes<Q8_0> {
  static constexpr bool kHasAdded = false;
  static constexpr int kOffset = 128;
  static constexpr bool kIsSplit = false;
  static void codes(const uint8_t* __restrict from, size_t, uint8_t* __restrict out) {
    for (int i = 0; i < 32; i++) out[i] = from[2 + i] ^ 128;
  }
};

template <>
struct Codes<Q4_K> {
  static constexpr bool kHasAdded = true;
  static constexpr int kOffset = 0;
  static constexpr bool kIsSplit = false;
  static void codes(const uint8_t* __restrict from, size_t sub, uint8_t* __restrict out) {
    const uint8_t* own = from + 16 + (sub >> 1) * 32;
    const int shift = (sub & 1) * 4;
    for (int i = 0; i < 32; i++) out[i] = own[i] >> shift & 15;
  }
};

template <>
struct Codes<Q5_K> {
  static constexpr bool kHasAdded = true;
  static constexpr int kOffset = 0;
  static constexpr bool kIsSplit = false;
  static void codes(const uint8_t* __restrict from, size_t sub, uint8_t* __restrict out) {
    const uint8_t *fifth = from + 16, *own = from + 48 + (sub >> 1) * 32;
    const int shift = (sub & 1) * 4;
    for (int i = 0; i < 32; i++) out[i] = uint8_t((own[i] >> shift & 15) | (fifth[i] >> sub & 1) << 4);
  }
};

template <>
struct Codes<Q6_K> {
  static constexpr bool kHasAdded = false;
  static constexpr int kOffset = 32;
  static constexpr bool kIsSplit = true;
  static void codes(const uint8_t* __restrict from, size_t sub, uint8_t* __restrict out) {
    const size_t half = sub / 4, quarter = sub % 4;
    const uint8_t *low = from + half * 64 + (quarter & 1) * 32, *high = from + 128 + half * 32;
    const int shift = int(quarter >> 1) * 4, above = int(quarter) * 2;
    for (int i = 0; i < 32; i++) out[i] = uint8_t((low[i] >> shift & 15) | (high[i] >> above & 3) << 4);
  }
};

/// kRows rows of the matrix, block by block: their codes, the scale of each lane, and, row by row, what is added to the products of a
/// block. Rows that the matrix has not are left as they are, and nobody reads their products.
struct Unpacked {
  std::vector<uint8_t> codes;
  std::vector<float> scales, added;
  size_t blocks;
  explicit Unpacked(size_t columns)
      : codes(columns * kRows), scales(columns / kBlock * kRows * kEight), added(kRows * padded(columns / kBlock)),
        blocks(columns / kBlock) {}
};

template <typename Kind>
void unpack_row(const uint8_t* __restrict from, size_t blocks, uint8_t* __restrict codes, float* __restrict scales,
                float* __restrict added) {
  constexpr size_t kSubs = Kind::kNumbers / kBlock;
  float pairs[2 * kSubs];
  for (size_t b = 0; b < blocks; b += kSubs, from += Kind::kBytes) {
    Kind::scales(from, pairs);
    for (size_t sub = 0; sub < kSubs; sub++, codes += kRows * kBlock, scales += kRows * kEight) {
      Codes<Kind>::codes(from, sub, codes);
      const float first = pairs[2 * sub], second = Codes<Kind>::kIsSplit ? pairs[2 * sub + 1] : first;
      for (size_t lane = 0; lane < kEight; lane++) scales[lane] = lane < kEight / 2 ? first : second;
      if (Codes<Kind>::kHasAdded) added[b + sub] = pairs[2 * sub + 1];
    }
  }
}

template <typename Kind>
void unpack(const BlockMatrix& w, size_t first, size_t some, Unpacked& out) {
  for (size_t j = 0; j < some; j++)
    unpack_row<Kind>(w.data + (first + j) * w.row_bytes, out.blocks, out.codes.data() + j * kBlock,
                     out.scales.data() + j * kEight, out.added.data() + j * padded(out.blocks));
}

/// A row of x.
struct Rounded {
  const int8_t* codes;
  const int32_t* starts;
  const float *scales, *sums;
  Rounded(const RoundedRows& x, size_t i)
      : codes(x.codes + i * x.columns), starts(x.starts + i * (x.columns / 4)),
        scales(x.scales + i * padded(x.columns / kBlock)), sums(x.sums + i * padded(x.columns / kBlock)) {}
};

#if defined(__AVX512F__)

const bool kHasVnni = __builtin_cpu_supports("avx512vnni");

/// start + Σ of four products, in each of sixteen lanes. The instruction is written out, since the file is compiled for processors
/// without it too; there codes of eight bits would overflow sums of two in sixteen bits, and are multiplied with their signs.
template <bool has_vnni, bool is_wide>
inline __m512i dot(__m512i start, __m512i codes, __m512i x) {
  if constexpr (has_vnni) {
    asm("vpdpbusd %2, %1, %0" : "+v"(start) : "v"(codes), "v"(x));
    return start;
  }
  __m512i pairs;
  if constexpr (is_wide) {
    const __m512i number = _mm512_xor_si512(codes, _mm512_set1_epi8(-128));
    const __m512i own = _mm512_mask_sub_epi8(x, _mm512_movepi8_mask(number), _mm512_setzero_si512(), x);
    pairs = _mm512_maddubs_epi16(_mm512_abs_epi8(number), own);
  } else {
    pairs = _mm512_maddubs_epi16(codes, x);
  }
  const __m512i sums = _mm512_madd_epi16(pairs, _mm512_set1_epi16(1));
  return is_wide ? sums : _mm512_add_epi32(start, sums);
}

/// One row of x times kRows rows of the matrix, two in a register.
template <bool has_vnni, bool is_wide>
void lanes_of(const Unpacked& w, const Rounded& x, float* lanes) {
  __m512 low = _mm512_setzero_ps(), high = low;
  const uint8_t* codes = w.codes.data();
  const float* scales = w.scales.data();
  for (size_t b = 0; b < w.blocks; b++, codes += kRows * kBlock, scales += kRows * kEight) {
    const __m512i own = _mm512_broadcast_i64x4(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(x.codes + b * kBlock)));
    const __m512i start = _mm512_broadcast_i64x4(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(x.starts + b * kEight)));
    const __m512 scale = _mm512_set1_ps(x.scales[b]);
    const __m512i first = dot<has_vnni, is_wide>(start, _mm512_loadu_si512(codes), own);
    const __m512i second = dot<has_vnni, is_wide>(start, _mm512_loadu_si512(codes + 64), own);
    low = _mm512_add_ps(low, _mm512_mul_ps(_mm512_cvtepi32_ps(first), _mm512_mul_ps(_mm512_loadu_ps(scales), scale)));
    high = _mm512_add_ps(high, _mm512_mul_ps(_mm512_cvtepi32_ps(second), _mm512_mul_ps(_mm512_loadu_ps(scales + 16), scale)));
  }
  _mm512_storeu_ps(lanes, low);
  _mm512_storeu_ps(lanes + 16, high);
}

template <bool is_wide>
void lanes_here(const Unpacked& w, const Rounded& x, float* lanes) {
  kHasVnni ? lanes_of<true, is_wide>(w, x, lanes) : lanes_of<false, is_wide>(w, x, lanes);
}

#elif defined(__AVX2__)

template <bool is_wide>
inline __m256i dot(__m256i start, __m256i codes, __m256i x) {
  __m256i pairs;
  if constexpr (is_wide) {
    const __m256i number = _mm256_xor_si256(codes, _mm256_set1_epi8(-128));
    pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(number), _mm256_sign_epi8(x, number));
  } else {
    pairs = _mm256_maddubs_epi16(codes, x);
  }
  const __m256i sums = _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
  return is_wide ? sums : _mm256_add_epi32(start, sums);
}

template <bool is_wide>
void lanes_here(const Unpacked& w, const Rounded& x, float* lanes) {
  __m256 sums[kRows];
  for (auto& sum : sums) sum = _mm256_setzero_ps();
  const uint8_t* codes = w.codes.data();
  const float* scales = w.scales.data();
  for (size_t b = 0; b < w.blocks; b++) {
    const __m256i own = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x.codes + b * kBlock));
    const __m256i start = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x.starts + b * kEight));
    const __m256 scale = _mm256_set1_ps(x.scales[b]);
#pragma GCC unroll 4
    for (size_t j = 0; j < kRows; j++, codes += kBlock, scales += kEight) {
      const __m256i whole = dot<is_wide>(start, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(codes)), own);
      const __m256 factor = _mm256_mul_ps(_mm256_loadu_ps(scales), scale);
      sums[j] = _mm256_add_ps(sums[j], _mm256_mul_ps(_mm256_cvtepi32_ps(whole), factor));
    }
  }
  for (size_t j = 0; j < kRows; j++) _mm256_storeu_ps(lanes + j * kEight, sums[j]);
}

#else

template <bool>
void lanes_here(const Unpacked& w, const Rounded& x, float* lanes) {
  std::fill_n(lanes, kRows * kEight, 0.0f);
  for (size_t b = 0; b < w.blocks; b++)
    for (size_t j = 0; j < kRows; j++) {
      const uint8_t* codes = w.codes.data() + (b * kRows + j) * kBlock;
      const float* scales = w.scales.data() + (b * kRows + j) * kEight;
      for (size_t lane = 0; lane < kEight; lane++) {
        int32_t sum = x.starts[b * kEight + lane];
        for (size_t i = 4 * lane; i < 4 * lane + 4; i++) sum += int32_t(codes[i]) * x.codes[b * kBlock + i];
        lanes[j * kEight + lane] += float(sum) * (scales[lane] * x.scales[b]);
      }
    }
}

#endif

/// The lanes of kRows rows, to which those of added·sum are added first: lane and lane + 4, then + 2, then + 1.
#ifdef __AVX2__

inline void together(const float* lanes, const float* added, const float* sums, size_t blocks, float* out) {
  __m128 four[kRows];
  for (size_t j = 0; j < kRows; j++) {
    __m256 own = _mm256_loadu_ps(lanes + j * kEight);
    if (added) {
      __m256 all = _mm256_setzero_ps();
      for (size_t b = 0; b < blocks; b += kEight)
        all = _mm256_add_ps(all, _mm256_mul_ps(_mm256_loadu_ps(added + j * blocks + b), _mm256_loadu_ps(sums + b)));
      own = _mm256_add_ps(own, all);
    }
    four[j] = _mm_add_ps(_mm256_castps256_ps128(own), _mm256_extractf128_ps(own, 1));
  }
  _MM_TRANSPOSE4_PS(four[0], four[1], four[2], four[3]);
  _mm_storeu_ps(out, _mm_add_ps(_mm_add_ps(four[0], four[2]), _mm_add_ps(four[1], four[3])));
}

#else

inline void together(const float* lanes, const float* added, const float* sums, size_t blocks, float* out) {
  for (size_t j = 0; j < kRows; j++) {
    float own[kEight], all[kEight] = {};
    for (size_t b = 0; added && b < blocks; b += kEight)
      for (size_t lane = 0; lane < kEight; lane++) all[lane] += added[j * blocks + b + lane] * sums[b + lane];
    for (size_t lane = 0; lane < kEight; lane++) own[lane] = added ? lanes[j * kEight + lane] + all[lane] : lanes[j * kEight + lane];
    out[j] = ((own[0] + own[4]) + (own[2] + own[6])) + ((own[1] + own[5]) + (own[3] + own[7]));
  }
}

#endif

template <typename Kind>
void products(const BlockMatrix& w, const RoundedRows& x, size_t first, size_t last, float* out) {
  Unpacked unpacked(w.columns);
  alignas(64) float lanes[kRows * kEight];
  float results[kRows];
  for (; first < last; first += kRows) {
    const size_t some = std::min(kRows, last - first);
    fetch_ahead(w, first, some);
    unpack<Kind>(w, first, some, unpacked);
    for (size_t i = 0; i < x.count; i++) {
      const Rounded own(x, i);
      lanes_here<Codes<Kind>::kOffset == 128>(unpacked, own, lanes);
      together(lanes, Codes<Kind>::kHasAdded ? unpacked.added.data() : nullptr, own.sums, padded(unpacked.blocks), results);
      std::copy_n(results, some, out + i * w.rows + first);
    }
  }
}

/// The codes of a block of x and its scale. A number that is not finite makes the scale no number, so that no product hides it; a block of numbers too small for a scale is zero.
float round_block(const float* __restrict x, int8_t* __restrict codes) {
  constexpr int32_t kInfinite = 0x7f800000;
  int32_t most = 0;
  for (size_t i = 0; i < kBlock; i++) {
    int32_t bits;
    std::memcpy(&bits, x + i, sizeof bits);
    most = std::max(most, bits & 0x7fffffff);
  }
  float largest, scale, inverse;
  std::memcpy(&largest, &most, sizeof largest);
  scale = largest / 127.0f;
  inverse = 1.0f / scale;
  std::memcpy(&most, &inverse, sizeof most);
  // Infinite, or no number.
  if ((most & kInfinite) == kInfinite || scale > 3e38f) {
    std::fill_n(codes, kBlock, int8_t(0));
    return scale == scale && scale < 1.0f ? 0.0f : std::numeric_limits<float>::quiet_NaN();
  }
  // Adding and taking away 1.5·2²³ rounds to the nearest whole number, ties to even.
  constexpr float kWhole = 12582912.0f;
  for (size_t i = 0; i < kBlock; i++) codes[i] = int8_t(int32_t((x[i] * inverse + kWhole) - kWhole));
  return scale;
}

int offset_of(int type) {
  switch (type) {
    case 2: return Codes<Q4_0>::kOffset;
    case 6: return Codes<Q5_0>::kOffset;
    case 8: return Codes<Q8_0>::kOffset;
    case 14: return Codes<Q6_K>::kOffset;
    default: return 0;
  }
}

using Products = void (*)(const BlockMatrix&, const RoundedRows&, size_t, size_t, float*);

Products products_of(int type) {
  switch (type) {
    case 2: return products<Q4_0>;
    case 3: return products<Q4_1>;
    case 6: return products<Q5_0>;
    case 7: return products<Q5_1>;
    case 8: return products<Q8_0>;
    case 12: return products<Q4_K>;
    case 13: return products<Q5_K>;
    case 14: return products<Q6_K>;
    default: return nullptr;
  }
}

}  // namespace

void round_row(int type, const float* x, const RoundedRows& out, size_t row) {
  const size_t blocks = out.columns / kBlock;
  const int offset = offset_of(type);
  int8_t* codes = out.codes + row * out.columns;
  int32_t* starts = out.starts + row * (out.columns / 4);
  float *scales = out.scales + row * padded(blocks), *sums = out.sums + row * padded(blocks);
  for (size_t b = 0; b < blocks; b++, codes += kBlock, starts += kEight) {
    scales[b] = round_block(x + row * out.columns + b * kBlock, codes);
    int32_t all = 0;
    for (size_t lane = 0; lane < kEight; lane++) {
      const int32_t sum = codes[4 * lane] + codes[4 * lane + 1] + codes[4 * lane + 2] + codes[4 * lane + 3];
      starts[lane] = -offset * sum;
      all += sum;
    }
    sums[b] = scales[b] * float(all);
  }
  std::fill(sums + blocks, sums + padded(blocks), 0.0f);
}

bool rounded_products(const BlockMatrix& w, const RoundedRows& x, size_t first, size_t last, float* out) {
  const Products all = products_of(w.type);
  if (all) all(w, x, first, last, out);
  return all != nullptr;
}

}  // namespace touchstone::TOUCHSTONE_VARIANT
