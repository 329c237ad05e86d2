// See micro_kernel.h. This file and gemm_skinny.cc are compiled with -ffp-contract=fast, so that product and sum fuse into one
// instruction where there is one; everywhere else fusing would make float64 results differ between instruction sets.
// WASM has only relaxed fused products: a quarter faster in V8, but then results would differ between engines. Not used.

#include "micro_kernel.h"

namespace provably::PROVABLY_TARGET {

void microKernel(size_t depth, const float* a, const float* b, float* c, size_t strideC, bool accumulate) {
  // The compiler keeps this array in registers because every index is a constant after unrolling.
  Floats sum[kTileRows][kTileVectors];
  PROVABLY_UNROLL
  for (size_t i = 0; i < kTileRows; i++)
    PROVABLY_UNROLL
    for (size_t j = 0; j < kTileVectors; j++) sum[i][j] = Floats{};
  for (size_t p = 0; p < depth; p++) {
    Floats right[kTileVectors];
    PROVABLY_UNROLL
    for (size_t j = 0; j < kTileVectors; j++) right[j] = loadFloats(b + j * kLanes);
    PROVABLY_UNROLL
    for (size_t i = 0; i < kTileRows; i++) {
      const Floats left = broadcast(a[i]);
      PROVABLY_UNROLL
      for (size_t j = 0; j < kTileVectors; j++) sum[i][j] += left * right[j];
    }
    a += kTileRows;
    b += kTileColumns;
  }
  if (accumulate) {
    PROVABLY_UNROLL
    for (size_t i = 0; i < kTileRows; i++)
      PROVABLY_UNROLL
      for (size_t j = 0; j < kTileVectors; j++) {
        float* to = c + i * strideC + j * kLanes;
        storeFloats(to, loadFloats(to) + sum[i][j]);
      }
  } else {
    PROVABLY_UNROLL
    for (size_t i = 0; i < kTileRows; i++)
      PROVABLY_UNROLL
      for (size_t j = 0; j < kTileVectors; j++) storeFloats(c + i * strideC + j * kLanes, sum[i][j]);
  }
}

}  // namespace provably::PROVABLY_TARGET
