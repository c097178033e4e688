// Numbers of ggml's blocks in vector registers, the same bits as `widen` writes, in the order in which they stand in the block.
#pragma once
#include <Eigen/Core>

#include "blocks.h"

namespace touchstone::TOUCHSTONE_VARIANT {

namespace {

using Packet = Eigen::internal::packet_traits<float>::type;
constexpr size_t kLanes = sizeof(Packet) / sizeof(float);

#ifdef __AVX2__

/// `each` calls `use` with the place of a packet in the block and the packet. `scales`: as the kind's own function writes them.
template <typename Kind>
struct Packets;

#ifdef __AVX512F__

inline __m512i bytes_at(const uint8_t* from) {
  return _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
}
inline Packet signed_bytes_at(const uint8_t* from) {
  return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from))));
}

/// The numbers of the sixteen codes, looked up by the low four bits of 32.
struct Numbers {
  __m512 table;
  Numbers(const float* scales, float first)
      : table(_mm512_add_ps(
            _mm512_mul_ps(_mm512_set1_ps(scales[0]),
                          _mm512_add_ps(_mm512_set1_ps(first),
                                        _mm512_setr_ps(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15))),
            _mm512_set1_ps(scales[1]))) {}
  Packet low(__m512i codes) const { return _mm512_permutexvar_ps(codes, table); }
  Packet high(__m512i codes) const { return low(_mm512_srli_epi32(codes, 4)); }
};

#else

inline __m256i bytes_at(const uint8_t* from) {
  return _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from)));
}
inline Packet signed_bytes_at(const uint8_t* from) {
  return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from))));
}

struct Numbers {
  __m256 scale, added, first;
  Numbers(const float* scales, float first)
      : scale(_mm256_set1_ps(scales[0])), added(_mm256_set1_ps(scales[1])), first(_mm256_set1_ps(first)) {}
  Packet of(__m256i codes) const {
    return _mm256_add_ps(_mm256_mul_ps(scale, _mm256_add_ps(_mm256_cvtepi32_ps(codes), first)), added);
  }
  Packet low(__m256i codes) const { return of(_mm256_and_si256(codes, _mm256_set1_epi32(15))); }
  Packet high(__m256i codes) const { return of(_mm256_srli_epi32(codes, 4)); }
};

#endif

/// Pairs of codes of `half` numbers and of the `half` after them.
template <size_t half, typename Use>
inline void each_pair(const uint8_t* codes, const Numbers& low, const Numbers& high, size_t at, Use use) {
  decltype(bytes_at(codes)) bytes[half / kLanes];
  for (size_t i = 0; i < half / kLanes; i++) use(at + i * kLanes, low.low(bytes[i] = bytes_at(codes + i * kLanes)));
  for (size_t i = 0; i < half / kLanes; i++) use(at + half + i * kLanes, high.high(bytes[i]));
}

template <>
struct Packets<Q4_0> {
  template <typename Use>
  static void each(const uint8_t* block, const float* scales, Use use) {
    const Numbers numbers(scales, -8);
    each_pair<16>(block + 2, numbers, numbers, 0, use);
  }
};

template <>
struct Packets<Q4_1> {
  template <typename Use>
  static void each(const uint8_t* block, const float* scales, Use use) {
    const Numbers numbers(scales, 0);
    each_pair<16>(block + 4, numbers, numbers, 0, use);
  }
};

template <>
struct Packets<Q8_0> {
  template <typename Use>
  static void each(const uint8_t* block, const float* scales, Use use) {
    const Packet scale = Eigen::internal::pset1<Packet>(scales[0]);
    for (size_t i = 0; i < 32; i += kLanes) use(i, Eigen::internal::pmul(scale, signed_bytes_at(block + 2 + i)));
  }
};

template <>
struct Packets<Q4_K> {
  template <typename Use>
  static void each(const uint8_t* block, const float* scales, Use use) {
#pragma GCC unroll 4
    for (size_t sub = 0; sub < 8; sub += 2)
      each_pair<32>(block + 16 + sub * 16, Numbers(scales + 2 * sub, 0), Numbers(scales + 2 * sub + 2, 0), sub * 32, use);
  }
};

#endif

}  // namespace

}  // namespace touchstone::TOUCHSTONE_VARIANT
