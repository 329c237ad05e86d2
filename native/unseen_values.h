// Values of keys that a row does not see. Its weight for them is 0, which is not enough where they are NaN or infinite: 0 · NaN is NaN.
// Rows that this spoilt, which is seen by their results, are summed again key by key.
#pragma once

#include "attention_logits.h"

namespace provably::PROVABLY_TARGET {

// Keys that log-weights hide are not brought in at all (KeyWalk).
inline bool mayMeetUnseen(const AttentionLogits& t) { return t.causalOffset != kNotCausal || t.bias; }

inline bool isSeenThroughBias(const AttentionLogits& t, const Piece& piece, size_t row, size_t id) {
  return !t.bias || t.bias[((t.biasHeads == 1 ? 0 : piece.head) * t.queryRows + row) * t.keyRows + id] != kMinusInfinity;
}

// Calls visit(block, j) for every key that query row `row` of the piece sees, until it returns false.
template <class Visit>
inline void forEachSeen(const AttentionLogits& t, const Piece& piece, size_t row, float* scratch, Visit&& visit) {
  KeyWalk walk(t, piece, keysSeenBy(t, row), scratch);
  for (KeyBlock block; walk.next(block);)
    for (size_t j = 0; j < block.count; j++)
      if (isSeenThroughBias(t, piece, row, idOf(block, j)) && !visit(block, j)) return;
}

// Sums the values of row i of the piece again, unless one that it sees is not finite itself. out: its column, entries kPanel apart;
// `most`: its largest score to base 2.
inline void sumSeenValues(const AttentionLogits& t, const Piece& piece, size_t i, float most, float* scratch, float* out) {
  const size_t row = rowOf(piece, i);
  bool finite = true;
  forEachSeen(t, piece, row, scratch, [&](const KeyBlock& block, size_t j) {
    float zero = 0;
    for (size_t c = 0; c < t.valueDim; c++) zero += 0 * block.values[j * t.valueDim + c];
    return finite = zero == 0;
  });
  if (!finite) return;
  for (size_t c = 0; c < t.valueDim; c++) out[c * kPanel] = 0;
  const float* query = t.queries + (piece.head * t.queryRows + row) * t.dim;
  forEachSeen(t, piece, row, scratch, [&](const KeyBlock& block, size_t j) {
    const double score = logitOf(t, piece.head, row, query, block, j) / kLn2;
    const float weight = exp2Of(broadcast(float(score - double(most))))[0];
    for (size_t c = 0; c < t.valueDim; c++) out[c * kPanel] += weight * block.values[j * t.valueDim + c];
    return true;
  });
}

// For the panel of rows from `first` on. most, sums: (kPanel,); out: (valueDim, kPanel).
inline void repairPanel(const AttentionLogits& t, const Piece& piece, size_t first, const float* most, const float* sums, float* scratch,
                        float* out) {
  for (size_t start = 0; start < kPanel; start += kLanes) {
    Floats zero{};
    for (size_t c = 0; c < t.valueDim; c++) zero += 0 * loadFloats(out + c * kPanel + start);
    for (size_t lane = start; lane < smaller(start + kLanes, piece.count - first); lane++)
      if (zero[lane - start] != 0 && sums[lane] > 0) sumSeenValues(t, piece, first + lane, most[lane], scratch, out + lane);
  }
}

}  // namespace provably::PROVABLY_TARGET
