// The innermost loop of gemm and nearest.
#pragma once

#include "vector.h"

namespace provably::PROVABLY_TARGET {

// C (kTileRows, kTileColumns) = or += A · B over `depth` terms.
// `a` is packed (depth, kTileRows), `b` is packed (depth, kTileColumns), C has row stride `strideC`.
// Error of an entry ≤ γ(depth) Σ|a b| with fused multiply-adds, γ(depth + 1) Σ|a b| without.
void microKernel(size_t depth, const float* a, const float* b, float* c, size_t strideC, bool accumulate);

// The same for the first `columns` columns of the tile; it may write the rest of the last vector as well.
void microKernelNarrow(size_t depth, const float* a, const float* b, size_t columns, float* c, size_t strideC, bool accumulate);

}  // namespace provably::PROVABLY_TARGET
