// The innermost loop of the screen: byte products of a few rows and centers, turned into scores.
#pragma once

#include "vector.h"

namespace provably::PROVABLY_TARGET {

// kTileColumns centers as signed bytes r, c̃ ≈ scale · r.
struct CenterPanel {
  const uint32_t* words;   // (groups, kTileColumns): four bytes of a center each
  const int32_t* starts;   // −128 Σ r: takes back the 128 that rows carry
  const float* scales;
  const float* halfNorms;  // ½‖c̃‖²
};

// scores (kTileRows, kTileColumns) = rowScale · scale · (q · r) − ½‖c̃‖², and best[i] = max(best[i], scores − margins[i]) lane by lane.
// `rows`: (groups, kTileRows) words of four bytes q + 128. Byte products are exact for groups ≤ 2¹³.
// Float32 rounds q · r, two products and the difference, once each, the last two perhaps fused.
void scoreTile(size_t groups, const uint32_t* rows, const float* rowScales, const CenterPanel& panel, const float* margins,
               float* scores, size_t stride, Floats* best);

}  // namespace provably::PROVABLY_TARGET
