// Rows of a cache against a few queries: the inner loops of decode. Vectors lie along the rows, which are read where they are;
// widths are whole vectors.
#pragma once

#include "half.h"
#include "lane_reduce.h"

namespace provably::PROVABLY_TARGET {

// Rows whose scores are exponentiated at a time: 64 KiB of keys and values of 64 floats, well within L2.
constexpr size_t kRunRows = 128;
// Queries that share a row while it is in registers: with four rows or four vectors of columns, their sums fill them.
constexpr size_t kQueryTile = kLanes == 16 ? 4 : 2;

// Rows that will be wanted next: asked for while others are worked on, since one core alone waits for memory otherwise.
struct Ahead {
  const char* from;
  size_t rows, bytes;  // bytes of a row

  void touch([[maybe_unused]] size_t row, [[maybe_unused]] size_t count) const {
#if !defined(__wasm__)  // which cannot ask
    for (size_t at = row * bytes; at < smaller(row + count, rows) * bytes; at += 64) __builtin_prefetch(from + at);
#endif
  }
};

// sums[q]: lane l has some of the products of query q with row l % 4, one for every row when those of the same l % 4 are added up.
template <class Stored, size_t Queries>
inline void scoreTile(const typename Stored::Entry* const* row, size_t width, const float* queries, Floats* sums) {
  Floats sum[4][Queries];
  PROVABLY_UNROLL
  for (size_t i = 0; i < 4; i++)
    PROVABLY_UNROLL
    for (size_t q = 0; q < Queries; q++) sum[i][q] = Floats{};
  for (size_t p = 0; p < width; p += kLanes) {
    Floats query[Queries];
    PROVABLY_UNROLL
    for (size_t q = 0; q < Queries; q++) query[q] = loadFloats(queries + q * width + p);
    PROVABLY_UNROLL
    for (size_t i = 0; i < 4; i++) {
      const Floats key = Stored::load(row[i] + p);
      PROVABLY_UNROLL
      for (size_t q = 0; q < Queries; q++) sum[i][q] += key * query[q];
    }
  }
  PROVABLY_UNROLL
  for (size_t q = 0; q < Queries; q++) sums[q] = pairSums<2>(pairSums<1>(sum[0][q], sum[1][q]), pairSums<1>(sum[2][q], sum[3][q]));
}

// scores[q][row] of `rows` ≤ kRunRows rows, lines kRunRows apart; rubbish behind them in the last vector.
template <class Stored, size_t Queries>
void scoreRows(const typename Stored::Entry* keys, size_t rows, size_t width, const float* queries, float* scores, const Ahead& ahead) {
  constexpr size_t tiles = kLanes / 4;
  for (size_t start = 0; start < rows; start += kLanes) {
    Floats sums[tiles][Queries];
    for (size_t tile = 0; tile < tiles; tile++) {
      const typename Stored::Entry* row[4];
      for (size_t i = 0; i < 4; i++) row[i] = keys + smaller(start + 4 * tile + i, rows - 1) * width;
      ahead.touch(start + 4 * tile, 4);
      scoreTile<Stored, Queries>(row, width, queries, sums[tile]);
    }
    for (size_t q = 0; q < Queries; q++) {
      Floats score = sums[0][q];
      if constexpr (tiles == 2) score = pairSums<4>(score, sums[1][q]);
      if constexpr (tiles == 4) score = pairSums<8>(pairSums<4>(score, sums[1][q]), pairSums<4>(sums[2][q], sums[3][q]));
      storeFloats(scores + q * kRunRows + start, score);
    }
  }
}

// out (Queries, Vectors of columns), lines `width` apart, += weights[q][row] · values (rows, width).
template <class Stored, size_t Queries, size_t Vectors>
inline void addColumns(const typename Stored::Entry* values, size_t rows, size_t width, const float* weights, float* out,
                       const Ahead& ahead) {
  Floats sum[Queries][Vectors];
  PROVABLY_UNROLL
  for (size_t q = 0; q < Queries; q++)
    PROVABLY_UNROLL
    for (size_t v = 0; v < Vectors; v++) sum[q][v] = loadFloats(out + q * width + v * kLanes);
  for (size_t row = 0; row < rows; row++) {
    const typename Stored::Entry* value = values + row * width;
    Floats loaded[Vectors];
    PROVABLY_UNROLL
    for (size_t v = 0; v < Vectors; v++) loaded[v] = Stored::load(value + v * kLanes);
    ahead.touch(row, 1);
    PROVABLY_UNROLL
    for (size_t q = 0; q < Queries; q++) {
      const Floats weight = broadcast(weights[q * kRunRows + row]);
      PROVABLY_UNROLL
      for (size_t v = 0; v < Vectors; v++) sum[q][v] += weight * loaded[v];
    }
  }
  PROVABLY_UNROLL
  for (size_t q = 0; q < Queries; q++)
    PROVABLY_UNROLL
    for (size_t v = 0; v < Vectors; v++) storeFloats(out + q * width + v * kLanes, sum[q][v]);
}

template <class Stored, size_t Queries>
void addValues(const typename Stored::Entry* values, size_t rows, size_t width, const float* weights, float* out, const Ahead& ahead) {
  size_t c = 0;
  const auto aheadOf = [&] { return c == 0 ? ahead : Ahead{}; };
  for (; c + 4 * kLanes <= width; c += 4 * kLanes) addColumns<Stored, Queries, 4>(values + c, rows, width, weights, out + c, aheadOf());
  for (; c < width; c += kLanes) addColumns<Stored, Queries, 1>(values + c, rows, width, weights, out + c, aheadOf());
}

// Calls body(first query, Queries constant) for tiles of a group's queries.
template <size_t Count>
struct TileOf {
  static constexpr size_t queries = Count;
};

template <class Body>
inline void forEachQueryTile(size_t group, Body&& body) {
  size_t q = 0;
  for (; q + kQueryTile <= group; q += kQueryTile) body(q, TileOf<kQueryTile>{});
  if (q == group) return;
  if constexpr (kQueryTile > 2) {
    if (group - q == 3) return body(q, TileOf<3>{});
    if (group - q == 2) return body(q, TileOf<2>{});
  }
  body(q, TileOf<1>{});
}

}  // namespace provably::PROVABLY_TARGET
