// See micro_kernel.h. This file and gemm_skinny.cc are compiled with -ffp-contract=fast, so that product and sum fuse into one
// instruction where there is one; everywhere else fusing would make float64 results differ between instruction sets.
// WASM has only relaxed fused products: a quarter faster in V8, but then results would differ between engines. Not used.

#include "micro_kernel.h"

namespace provably::PROVABLY_TARGET {

namespace {

template <size_t Vectors>
void multiply(size_t depth, const float* a, const float* b, float* c, size_t strideC, bool accumulate) {
  // C is needed only at the end, and is in no near cache: fetched while the sums grow.
  if (accumulate)
    for (size_t i = 0; i < kTileRows; i++)
      for (size_t j = 0; j < Vectors; j++) __builtin_prefetch(c + i * strideC + j * kLanes, 1);
  // The compiler keeps this array in registers because every index is a constant after unrolling.
  Floats sum[kTileRows][Vectors];
  PROVABLY_UNROLL
  for (size_t i = 0; i < kTileRows; i++)
    PROVABLY_UNROLL
    for (size_t j = 0; j < Vectors; j++) sum[i][j] = Floats{};
  for (size_t p = 0; p < depth; p++) {
    Floats right[Vectors];
    PROVABLY_UNROLL
    for (size_t j = 0; j < Vectors; j++) right[j] = loadFloats(b + j * kLanes);
    PROVABLY_UNROLL
    for (size_t i = 0; i < kTileRows; i++) {
      const Floats left = broadcast(a[i]);
      PROVABLY_UNROLL
      for (size_t j = 0; j < Vectors; j++) sum[i][j] += left * right[j];
    }
    a += kTileRows;
    b += kTileColumns;
  }
  PROVABLY_UNROLL
  for (size_t i = 0; i < kTileRows; i++)
    PROVABLY_UNROLL
    for (size_t j = 0; j < Vectors; j++) {
      float* to = c + i * strideC + j * kLanes;
      storeFloats(to, accumulate ? loadFloats(to) + sum[i][j] : sum[i][j]);
    }
}

}  // namespace

void microKernel(size_t depth, const float* a, const float* b, float* c, size_t strideC, bool accumulate) {
  multiply<kTileVectors>(depth, a, b, c, strideC, accumulate);
}

void microKernelNarrow(size_t depth, const float* a, const float* b, size_t columns, float* c, size_t strideC, bool accumulate) {
  static_assert(kTileVectors == 2 || kTileVectors == 3, "one case per narrower tile");
  if (columns <= kLanes)
    multiply<1>(depth, a, b, c, strideC, accumulate);
  else if (columns <= 2 * kLanes)
    multiply<2>(depth, a, b, c, strideC, accumulate);
  else
    multiply<kTileVectors>(depth, a, b, c, strideC, accumulate);
}

}  // namespace provably::PROVABLY_TARGET
