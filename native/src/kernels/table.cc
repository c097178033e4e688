#include "variant.h"

#define TEXT_OF(name) #name
#define TEXT(name) TEXT_OF(name)

namespace touchstone::TOUCHSTONE_VARIANT {

extern const Kernels table;
const Kernels table{TEXT(TOUCHSTONE_VARIANT), widen_float16, widen_bfloat16, narrow_float16, narrow_bfloat16,
                    squared_norm,             adamw,         row_products,   multiply,       add_rows,
                    through_weight,           orthogonalise, tridiagonal_values, symmetric_eigen,
                    add_low_rank,             paged_attention, widen_blocks, block_products,
                    round_row,          rounded_products};

}  // namespace touchstone::TOUCHSTONE_VARIANT
