// Sixteen-bit floats to float32, exactly, and back, rounded to nearest with ties to even.
#include <cstring>
#include <limits>

#include "variant.h"

namespace touchstone::TOUCHSTONE_VARIANT {

namespace {

template <typename To, typename From>
To bits_as(From value) {
  static_assert(sizeof(To) == sizeof(From), "the same bits");
  To out;
  std::memcpy(&out, &value, sizeof out);
  return out;
}

}  // namespace

void widen_float16(const uint16_t* halves, size_t count, float* out) {
  for (size_t i = 0; i < count; i++) {
    const float value = bits_as<_Float16>(halves[i]);
    out[i] = value == value ? value : std::numeric_limits<float>::quiet_NaN();
  }
}

void widen_bfloat16(const uint16_t* halves, size_t count, float* out) {
  for (size_t i = 0; i < count; i++) out[i] = bits_as<float>(uint32_t(halves[i]) << 16);
}

void narrow_float16(const float* values, size_t count, uint16_t* out) {
  for (size_t i = 0; i < count; i++) out[i] = bits_as<uint16_t>(_Float16(values[i]));
}

void narrow_bfloat16(const float* values, size_t count, uint16_t* out) {
  for (size_t i = 0; i < count; i++) {
    const uint32_t word = bits_as<uint32_t>(values[i]);
    out[i] = uint16_t((word + 0x7fff + ((word >> 16) & 1)) >> 16);
  }
}

}  // namespace touchstone::TOUCHSTONE_VARIANT
