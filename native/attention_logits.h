// What the forward and backward passes of attention share: what is added to the logits of a block, and which are hidden.
#pragma once

#include "key_walk.h"
#include "pack.h"

namespace provably::PROVABLY_TARGET {

// Keys from this one on are hidden from query row `row`.
inline size_t keysSeenBy(const AttentionLogits& t, size_t row) {
  if (t.causalOffset == kNotCausal) return t.keyRows;
  const int64_t end = int64_t(row) + t.causalOffset + 1;
  return end <= 0 ? 0 : smaller(size_t(end), t.keyRows);
}

inline size_t keysSeenBy(const AttentionLogits& t, const Piece& piece) {
  if (t.causalOffset == kNotCausal) return t.keyRows;
  size_t most = 0;
  for (size_t i = 0; i < piece.count; i++) {
    const size_t seen = keysSeenBy(t, rowOf(piece, i));
    if (seen > most) most = seen;
  }
  return most;
}

// The keys of a block that some row of the panel from `first` on may see, where that is a part at its start.
inline KeyBlock seenPart(const AttentionLogits& t, const Piece& piece, size_t first, KeyBlock block) {
  if (t.causalOffset == kNotCausal || block.ids) return block;
  const size_t end = keysSeenBy(t, rowOf(piece, smaller(piece.count, first + kPanel) - 1));
  block.count = end <= block.firstId ? 0 : smaller(block.count, end - block.firstId);
  return block;
}

inline void addBias(const AttentionLogits& t, const Piece& piece, size_t first, const KeyBlock& block, float* scores) {
  const float* bias = t.bias + (t.biasHeads == 1 ? 0 : piece.head) * t.queryRows * t.keyRows;
  for (size_t lane = 0; lane < smaller(kPanel, piece.count - first); lane++) {
    const float* line = bias + rowOf(piece, first + lane) * t.keyRows;
    for (size_t j = 0; j < block.count; j++) scores[j * kPanel + lane] += kLog2E * line[idOf(block, j)];
  }
}

// Adds bias and slopes and hides what comes after the query, in scores (block.count, kPanel) to base 2 of the rows from `first` of the piece.
inline void adjustScores(const AttentionLogits& t, const Piece& piece, size_t first, const KeyBlock& block, float* scores) {
  typedef int64_t Longs __attribute__((vector_size(8 * kLanes)));
  if (t.bias) addBias(t, piece, first, block, scores);
  const float slope = t.slopes ? kLog2E * t.slopes[piece.head] : 0;
  if (slope == 0 && t.causalOffset == kNotCausal) return;
  const int64_t offset = t.causalOffset == kNotCausal ? 0 : t.causalOffset;
  const size_t lanes = smaller(kPanel, piece.count - first);
  for (size_t start = 0; start < lanes; start += kLanes) {
    Words seen{};
    Longs origin{};
    for (size_t lane = 0; lane < smaller(kLanes, lanes - start); lane++) {
      const size_t row = rowOf(piece, first + start + lane);
      seen[lane] = uint32_t(keysSeenBy(t, row));
      origin[lane] = int64_t(row) + offset;
    }
    float* line = scores + start;
    for (size_t j = 0; j < block.count; j++, line += kPanel) {
      const size_t id = idOf(block, j);
      Floats score = loadFloats(line);
      if (slope != 0) score += slope * __builtin_convertvector(int64_t(id) - origin, Floats);
      storeFloats(line, uint32_t(id) >= seen ? broadcast(kMinusInfinity) : score);
    }
  }
}

// Whether adjustScores has anything to do for these rows and keys.
inline bool needsAdjusting(const AttentionLogits& t, const Piece& piece, size_t first, const KeyBlock& block) {
  if (t.bias || t.slopes) return true;
  if (t.causalOffset == kNotCausal) return false;
  size_t least = t.keyRows, last = 0;
  for (size_t i = first; i < smaller(piece.count, first + kPanel); i++) {
    const size_t seen = keysSeenBy(t, rowOf(piece, i));
    if (seen < least) least = seen;
  }
  if (!block.ids) return block.firstId + block.count > least;
  for (size_t j = 0; j < block.count; j++)
    if (block.ids[j] > last) last = block.ids[j];
  return last >= least;
}

// One logit in float64, hidden or not, for the scalar references and for rows that are done again.
inline double logitOf(const AttentionLogits& t, size_t head, size_t row, const float* query, const KeyBlock& block, size_t j) {
  const size_t id = idOf(block, j);
  double product = 0;
  for (size_t p = 0; p < t.dim; p++) product += double(query[p]) * double(block.keys[j * t.dim + p]);
  double logit = double(t.scale) * product + (block.weights ? double(block.weights[j]) * kLn2 : 0);
  if (t.bias) logit += double(t.bias[((t.biasHeads == 1 ? 0 : head) * t.queryRows + row) * t.keyRows + id]);
  const int64_t origin = int64_t(row) + (t.causalOffset == kNotCausal ? 0 : t.causalOffset);
  if (t.slopes) logit += double(t.slopes[head]) * double(int64_t(id) - origin);
  return logit;
}

}  // namespace provably::PROVABLY_TARGET
