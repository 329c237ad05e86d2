// The inner loops of attention. Compiled with -ffp-contract=fast like the micro-kernel, whose tile shape they share: kTileRows keys or value
// columns, broadcast, times kTileVectors vectors of queries.

#include "attention_block.h"

#include "exp.h"
#include "lane_reduce.h"

namespace provably::PROVABLY_TARGET {

namespace {

// The maxima pass over a NaN, by largerOf: it is met again at the exponential.
template <size_t Rows, size_t Vectors>
inline void scoreTile(size_t dim, const float* keys, const float* panel, const float* weights, float* scores, float* most) {
  Floats sum[Rows][Vectors];
  PROVABLY_UNROLL
  for (size_t i = 0; i < Rows; i++)
    PROVABLY_UNROLL
    for (size_t v = 0; v < Vectors; v++) sum[i][v] = Floats{};
  for (size_t p = 0; p < dim; p++) {
    Floats query[Vectors];
    PROVABLY_UNROLL
    for (size_t v = 0; v < Vectors; v++) query[v] = loadFloats(panel + p * kPanel + v * kLanes);
    PROVABLY_UNROLL
    for (size_t i = 0; i < Rows; i++) {
      const Floats key = broadcast(keys[i * dim + p]);
      PROVABLY_UNROLL
      for (size_t v = 0; v < Vectors; v++) sum[i][v] += key * query[v];
    }
  }
  Floats top[Vectors];
  PROVABLY_UNROLL
  for (size_t v = 0; v < Vectors; v++) top[v] = loadFloats(most + v * kLanes);
  PROVABLY_UNROLL
  for (size_t i = 0; i < Rows; i++)
    PROVABLY_UNROLL
    for (size_t v = 0; v < Vectors; v++) {
      const Floats score = weights ? sum[i][v] + weights[i] : sum[i][v];
      storeFloats(scores + i * kPanel + v * kLanes, score);
      top[v] = largerOf(score, top[v]);
    }
  PROVABLY_UNROLL
  for (size_t v = 0; v < Vectors; v++) storeFloats(most + v * kLanes, top[v]);
}

template <size_t Rows, size_t Vectors>
inline void valueTile(size_t count, const float* values, size_t stride, const float* scores, float* out) {
  Floats sum[Rows][Vectors];
  PROVABLY_UNROLL
  for (size_t i = 0; i < Rows; i++)
    PROVABLY_UNROLL
    for (size_t v = 0; v < Vectors; v++) sum[i][v] = loadFloats(out + i * kPanel + v * kLanes);
  for (size_t j = 0; j < count; j++) {
    Floats weight[Vectors];
    PROVABLY_UNROLL
    for (size_t v = 0; v < Vectors; v++) weight[v] = loadFloats(scores + j * kPanel + v * kLanes);
    PROVABLY_UNROLL
    for (size_t i = 0; i < Rows; i++) {
      const Floats value = broadcast(values[j * stride + i]);
      PROVABLY_UNROLL
      for (size_t v = 0; v < Vectors; v++) sum[i][v] += value * weight[v];
    }
  }
  PROVABLY_UNROLL
  for (size_t i = 0; i < Rows; i++)
    PROVABLY_UNROLL
    for (size_t v = 0; v < Vectors; v++) storeFloats(out + i * kPanel + v * kLanes, sum[i][v]);
}

// Rows in tiles of kTileRows, then 4, 2, 1.
template <size_t Vectors>
void scoreRows(size_t dim, const float* keys, size_t count, const float* panel, const float* weights, float* scores, float* most) {
  size_t j = 0;
  const auto at = [&](auto tile) {
    tile(dim, keys + j * dim, panel, weights ? weights + j : nullptr, scores + j * kPanel, most);
  };
  for (; j + kTileRows <= count; j += kTileRows) at(scoreTile<kTileRows, Vectors>);
  for (; j + 2 <= count; j += 2) at(scoreTile<2, Vectors>);
  for (; j < count; j++) at(scoreTile<1, Vectors>);
}

template <size_t Vectors>
void valueColumns(size_t count, const float* values, size_t columns, const float* scores, float* out) {
  size_t c = 0;
  const auto at = [&](auto tile) { tile(count, values + c, columns, scores, out + c * kPanel); };
  for (; c + kTileRows <= columns; c += kTileRows) at(valueTile<kTileRows, Vectors>);
  for (; c + 2 <= columns; c += 2) at(valueTile<2, Vectors>);
  for (; c < columns; c++) at(valueTile<1, Vectors>);
}

}  // namespace

void blockScores(size_t dim, const float* keys, size_t count, const float* panel, const float* weights, size_t vectors, float* scores,
                 float* most) {
  static_assert(kTileVectors == 2 || kTileVectors == 3, "one case per narrower panel");
  if (vectors == 1)
    scoreRows<1>(dim, keys, count, panel, weights, scores, most);
  else if (vectors == 2)
    scoreRows<2>(dim, keys, count, panel, weights, scores, most);
  else
    scoreRows<kTileVectors>(dim, keys, count, panel, weights, scores, most);
}

void blockExp2(size_t count, size_t vectors, float* scores, const float* top, float* sums) {
  for (size_t v = 0; v < vectors; v++) {
    const Floats most = loadFloats(top + v * kLanes);
    Floats sum = loadFloats(sums + v * kLanes);
    float* at = scores + v * kLanes;
    for (size_t j = 0; j < count; j++, at += kPanel) {
      const Floats weight = exp2Of(loadFloats(at) - most);
      storeFloats(at, weight);
      sum += weight;
    }
    storeFloats(sums + v * kLanes, sum);
  }
}

void blockValues(size_t count, const float* values, size_t columns, const float* scores, size_t vectors, float* out) {
  if (vectors == 1)
    valueColumns<1>(count, values, columns, scores, out);
  else if (vectors == 2)
    valueColumns<2>(count, values, columns, scores, out);
  else
    valueColumns<kTileVectors>(count, values, columns, scores, out);
}

void scalePanel(size_t rows, size_t vectors, const float* factors, float* out) {
  for (size_t v = 0; v < vectors; v++) {
    const Floats factor = loadFloats(factors + v * kLanes);
    for (size_t c = 0; c < rows; c++) {
      float* at = out + c * kPanel + v * kLanes;
      storeFloats(at, loadFloats(at) * factor);
    }
  }
}

}  // namespace provably::PROVABLY_TARGET
