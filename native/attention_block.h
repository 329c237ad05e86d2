// One block of keys against one panel of queries: the inner loops of attention. Queries lie across the lanes, so the softmax
// has no sums across lanes, and rows of keys and values are read where they lie.
#pragma once

#include "vector.h"

namespace provably::PROVABLY_TARGET {

// Queries of a panel.
constexpr size_t kPanel = kTileColumns;
// Keys of a block: its scores (24 KiB at most) stay in L1 while the values pass by.
constexpr size_t kBlockKeys = 128;

// S (keys, kPanel) = K (keys, dim) · panel (dim, kPanel), plus `weights[j]` in row j when given; raises most[lane] (kPanel,) to the largest
// score of its lane. `vectors` ≤ kTileVectors of the panel are computed. Error of a score ≤ γ(dim + 1) Σ|k q|.
void blockScores(size_t dim, const float* keys, size_t count, const float* panel, const float* weights, size_t vectors, float* scores,
                 float* most);

// S = 2^(S − top), sums[lane] += the sum of its column.
void blockExp2(size_t count, size_t vectors, float* scores, const float* top, float* sums);

// out (columns, kPanel) += V (keys, columns)ᵀ · S (keys, kPanel).
void blockValues(size_t count, const float* values, size_t columns, const float* scores, size_t vectors, float* out);

// out (rows, kPanel): each lane times its factor.
void scalePanel(size_t rows, size_t vectors, const float* factors, float* out);

}  // namespace provably::PROVABLY_TARGET
