// The instruction set of a file: TOUCHSTONE_VARIANT, defined by native/build.ts, which also renames Eigen's namespace.
// Without that the linker would keep one copy of each template, of an arbitrary instruction set.
#pragma once
#include "../kernels.h"

#if !defined(TOUCHSTONE_VARIANT)
#error "compiled without TOUCHSTONE_VARIANT"
#endif

namespace touchstone::TOUCHSTONE_VARIANT {

void widen_float16(const uint16_t*, size_t, float*);
void widen_bfloat16(const uint16_t*, size_t, float*);
void narrow_float16(const float*, size_t, uint16_t*);
void narrow_bfloat16(const float*, size_t, uint16_t*);

double squared_norm(const float*, size_t);
void adamw(const AdamWVectors&, const AdamWRun&, const AdamWScalars&, size_t, size_t);

void row_products(const double*, size_t, const double*, size_t, size_t, bool, double*);
void multiply(const double*, size_t, const double*, size_t, double*);
void add_rows(double*, size_t, double, const double*, const double*, size_t);
void through_weight(const double*, size_t, const float*, size_t, size_t, bool, double*);
double orthogonalise(double*, size_t, const double*, size_t);
void tridiagonal_values(const double*, const double*, size_t, double, size_t, size_t, double*);
bool symmetric_eigen(const double*, size_t, double*, double*);

void add_low_rank(const LowRank&, const int32_t*, const size_t*, size_t);
void paged_attention(const PagedAttention&, size_t);

bool widen_blocks(const BlockMatrix&, size_t, float*);
bool block_products(const BlockMatrix&, const float*, size_t, size_t, size_t, float*);
void round_row(int, const float*, const RoundedRows&, size_t);
bool rounded_products(const BlockMatrix&, const RoundedRows&, size_t, size_t, float*);

}  // namespace touchstone::TOUCHSTONE_VARIANT
