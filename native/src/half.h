// Sixteen-bit floats and float32, exactly there and rounded to the nearest, ties to even, on the way back.
#pragma once
#include <cstddef>
#include <cstdint>

namespace touchstone {

/// NaN of any payload becomes the quiet NaN.
void widen_float16(const uint16_t* halves, size_t count, float* out);
void widen_bfloat16(const uint16_t* halves, size_t count, float* out);

/// What does not fit is not looked for: the caller has.
void narrow_float16(const float* values, size_t count, uint16_t* out);
void narrow_bfloat16(const float* values, size_t count, uint16_t* out);

}  // namespace touchstone
