#pragma once

#include "weight_blocks.h"

namespace provably::PROVABLY_TARGET {

// Entries [first, end) of a stored row as floats; both are multiples of the format's block.
void dequantise(WeightFormat format, const uint8_t* row, size_t first, size_t end, float* to);

}  // namespace provably::PROVABLY_TARGET
