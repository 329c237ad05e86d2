// See screen_tile.h. Compiled with -ffp-contract=fast, like micro_kernel.cc.

#include "screen_tile.h"

#include "byte_products.h"

#if defined(__AVX512VNNI__)

#include "lane_reduce.h"

namespace provably::PROVABLY_TARGET {

void scoreTile(size_t groups, const uint32_t* rows, const float* rowScales, const CenterPanel& panel, const float* margins,
               float* scores, size_t stride, Floats* best) {
  const uint32_t* words = panel.words;
  // Kept in registers, as in micro_kernel.cc.
  Ints sum[kTileRows][kTileVectors];
  PROVABLY_UNROLL
  for (size_t i = 0; i < kTileRows; i++)
    PROVABLY_UNROLL
    for (size_t v = 0; v < kTileVectors; v++) sum[i][v] = loadInts(panel.starts + v * kLanes);
  for (size_t g = 0; g < groups; g++) {
    Ints right[kTileVectors];
    PROVABLY_UNROLL
    for (size_t v = 0; v < kTileVectors; v++) right[v] = loadInts(words + v * kLanes);
    PROVABLY_UNROLL
    for (size_t i = 0; i < kTileRows; i++) {
      const Ints left = int32_t(rows[i]) + Ints{};
      PROVABLY_UNROLL
      for (size_t v = 0; v < kTileVectors; v++) sum[i][v] = addByteProducts(sum[i][v], left, right[v]);
    }
    rows += kTileRows;
    words += kTileColumns;
  }
  PROVABLY_UNROLL
  for (size_t i = 0; i < kTileRows; i++) {
    const Floats rowScale = broadcast(rowScales[i]);
    Floats highest = broadcast(-__builtin_inff());
    PROVABLY_UNROLL
    for (size_t v = 0; v < kTileVectors; v++) {
      const Floats product = __builtin_convertvector(sum[i][v], Floats) * loadFloats(panel.scales + v * kLanes);
      const Floats score = product * rowScale - loadFloats(panel.halfNorms + v * kLanes);
      storeFloats(scores + i * stride + v * kLanes, score);
      highest = largerOf(highest, score);
    }
    best[i] = largerOf(best[i], highest - broadcast(margins[i]));
  }
}

}  // namespace provably::PROVABLY_TARGET

#endif
