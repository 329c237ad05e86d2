// What the forward and backward passes of attention share: the rows a task works on, the keys it meets, and what is added to their logits.
#pragma once

#include "attention_block.h"
#include "exp.h"
#include "half.h"
#include "pack.h"

namespace provably::PROVABLY_TARGET {

// Panels of one piece of work: about 256 queries share each block of keys that is brought in.
constexpr size_t kPiecePanels = ceilDiv(256, kPanel);
constexpr size_t kPieceRows = kPiecePanels * kPanel;

// Some query rows of one head and all keys they may meet.
struct Piece {
  size_t head, keyHead;
  const uint32_t* rows;  // null: firstRow, firstRow + 1, …
  size_t firstRow, count;
  size_t segment, segmentEnd;  // of the tiles; equal when there are none: then all keys are met
};

inline size_t rowOf(const Piece& piece, size_t i) { return piece.rows ? piece.rows[i] : piece.firstRow + i; }

// Pieces of a task, numbered.
struct Pieces {
  size_t count;
  const uint32_t* tileOf;  // (count,), null without tiles
  const uint32_t* partOf;  // (count,): which of the tile's pieces
  size_t perHead;          // without tiles
};

// Rows of each piece of `rows` query rows: equal, whole panels, at most kPieceRows.
inline size_t rowsPerPiece(size_t rows) {
  const size_t pieces = ceilDiv(rows, kPieceRows);
  return pieces == 0 ? 0 : roundUp(ceilDiv(rows, pieces), kPanel);
}

// `slot`: scratch that stays until the task is done.
inline Pieces piecesOf(const AttentionLogits& t, Team& team, int slot) {
  if (!t.tiles.heads) {
    const size_t perHead = t.queryRows == 0 ? 0 : ceilDiv(t.queryRows, rowsPerPiece(t.queryRows));
    return {t.heads * perHead, nullptr, nullptr, perHead};
  }
  const auto piecesIn = [&](size_t tile) {
    const size_t rows = t.tiles.rowStart[tile + 1] - t.tiles.rowStart[tile];
    return rows == 0 ? 0 : ceilDiv(rows, rowsPerPiece(rows));
  };
  size_t count = 0;
  for (size_t tile = 0; tile < t.tiles.count; tile++) count += piecesIn(tile);
  uint32_t* tileOf = scratchOf<uint32_t>(team, slot, 2 * count + 1);
  uint32_t* partOf = tileOf + count;
  size_t at = 0;
  for (size_t tile = 0; tile < t.tiles.count; tile++)
    for (size_t part = 0; part < piecesIn(tile); part++, at++) {
      tileOf[at] = uint32_t(tile);
      partOf[at] = uint32_t(part);
    }
  return {count, tileOf, partOf, 0};
}

inline Piece pieceAt(const AttentionLogits& t, const Pieces& pieces, size_t number) {
  const size_t group = t.heads / t.keyHeads;
  if (!pieces.tileOf) {
    const size_t head = number / pieces.perHead, part = number % pieces.perHead, rows = rowsPerPiece(t.queryRows);
    return {head, head / group, nullptr, part * rows, smaller(rows, t.queryRows - part * rows), 0, 0};
  }
  const size_t tile = pieces.tileOf[number], start = t.tiles.rowStart[tile];
  const size_t rows = rowsPerPiece(t.tiles.rowStart[tile + 1] - start), first = start + pieces.partOf[number] * rows;
  return {t.tiles.heads[tile],
          t.tiles.heads[tile] / group,
          t.tiles.rows + first,
          0,
          smaller(rows, t.tiles.rowStart[tile + 1] - first),
          t.tiles.segmentStart[tile],
          t.tiles.segmentStart[tile + 1]};
}

// A block of keys brought in: rows without gaps, log-weights to base 2.
struct KeyBlock {
  size_t count;
  const float* keys;     // (count, dim)
  const float* values;   // (count, valueDim)
  const float* weights;  // (count,), null: zeros
  const uint32_t* ids;   // (count,), null: firstId, firstId + 1, …
  size_t firstId;
};

inline size_t idOf(const KeyBlock& block, size_t j) { return block.ids ? block.ids[j] : block.firstId + j; }

// Walks the keys of a piece in blocks of at most kBlockKeys. Rows are copied only when they are listed or stored as halves.
class KeyWalk {
 public:
  // Floats of scratch that a walk needs.
  static size_t scratchFloats(const AttentionLogits& t) { return kBlockKeys * (t.dim + t.valueDim + 2); }

  // `lastKey`: keys from here on are seen by no row of the piece.
  KeyWalk(const AttentionLogits& t, const Piece& piece, size_t lastKey, float* scratch)
      : t_(t), piece_(piece), lastKey_(lastKey), keys_(scratch), values_(keys_ + kBlockKeys * t.dim) {
    weights_ = values_ + kBlockKeys * t.valueDim;
    ids_ = reinterpret_cast<uint32_t*>(weights_ + kBlockKeys);
    segment_ = piece.segment;
    if (segment_ < piece.segmentEnd) at_ = t.tiles.keyStart[segment_];
  }

  // False at the end.
  bool next(KeyBlock& block) { return t_.tiles.heads ? nextListed(block) : nextRun(block); }

 private:
  bool nextRun(KeyBlock& block) {
    if (at_ >= lastKey_) return false;
    const size_t count = smaller(kBlockKeys, lastKey_ - at_), first = piece_.keyHead * t_.keyRows + at_;
    block = {count, keys_, values_, nullptr, nullptr, at_};
    if (t_.storage == Storage::kFloat32) {
      block.keys = static_cast<const float*>(t_.keys) + first * t_.dim;
      block.values = static_cast<const float*>(t_.values) + first * t_.valueDim;
    } else {
      loadStored(t_.keys, t_.storage, first * t_.dim, count * t_.dim, keys_);
      loadStored(t_.values, t_.storage, first * t_.valueDim, count * t_.valueDim, values_);
    }
    if (t_.keyLogWeights) {
      for (size_t j = 0; j < count; j++) weights_[j] = kLog2E * t_.keyLogWeights[first + j];
      block.weights = weights_;
    }
    at_ += count;
    return true;
  }

  bool nextListed(KeyBlock& block) {
    constexpr size_t ahead = 8;  // rows asked for before they are copied: listed rows lie anywhere in memory
    size_t count = 0;
    const size_t base = piece_.keyHead * t_.keyRows;
    while (count < kBlockKeys && segment_ < piece_.segmentEnd) {
      const size_t end = t_.tiles.keyEnd[segment_];
      const float weight = kLog2E * t_.tiles.logWeights[segment_];
      for (; at_ < end && count < kBlockKeys; at_++) {
        if (at_ + ahead < end) touch(base + t_.tiles.keys[at_ + ahead]);
        const size_t id = t_.tiles.keys[at_];
        if (id >= lastKey_) continue;
        loadStored(t_.keys, t_.storage, (base + id) * t_.dim, t_.dim, keys_ + count * t_.dim);
        loadStored(t_.values, t_.storage, (base + id) * t_.valueDim, t_.valueDim, values_ + count * t_.valueDim);
        weights_[count] = t_.keyLogWeights ? weight + kLog2E * t_.keyLogWeights[base + id] : weight;
        ids_[count++] = uint32_t(id);
      }
      if (at_ == end && ++segment_ < piece_.segmentEnd) at_ = t_.tiles.keyStart[segment_];
    }
    block = {count, keys_, values_, weights_, ids_, 0};
    return count > 0;
  }

  void touch(size_t row) const {
    const size_t bytes = t_.storage == Storage::kFloat32 ? 4 : 2;
    const char* key = static_cast<const char*>(t_.keys) + row * t_.dim * bytes;
    const char* value = static_cast<const char*>(t_.values) + row * t_.valueDim * bytes;
    for (size_t at = 0; at < t_.dim * bytes; at += 64) __builtin_prefetch(key + at);
    for (size_t at = 0; at < t_.valueDim * bytes; at += 64) __builtin_prefetch(value + at);
  }

  const AttentionLogits& t_;
  const Piece& piece_;
  size_t lastKey_;
  float *keys_, *values_, *weights_;
  uint32_t* ids_;
  size_t segment_ = 0, at_ = 0;
};

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

// The part of a block that some row of the panel from `first` on may see: without tiles, rows and keys both rise.
inline KeyBlock seenOf(const AttentionLogits& t, const Piece& piece, size_t first, KeyBlock block) {
  if (t.causalOffset == kNotCausal || t.tiles.heads) return block;
  const size_t seen = keysSeenBy(t, rowOf(piece, smaller(piece.count, first + kPanel) - 1));
  block.count = seen > block.firstId ? smaller(block.count, seen - block.firstId) : 0;
  return block;
}

// Adds bias and slopes and hides what comes after the query, in scores (block.count, kPanel) to base 2 of the rows from `first` of the piece.
inline void adjustScores(const AttentionLogits& t, const Piece& piece, size_t first, const KeyBlock& block, float* scores) {
  const size_t lanes = smaller(kPanel, piece.count - first);
  for (size_t lane = 0; lane < lanes; lane++) {
    const size_t row = rowOf(piece, first + lane), seen = keysSeenBy(t, row);
    const float* bias = t.bias ? t.bias + ((t.biasHeads == 1 ? 0 : piece.head) * t.queryRows + row) * t.keyRows : nullptr;
    const float slope = t.slopes ? kLog2E * t.slopes[piece.head] : 0;
    const int64_t origin = int64_t(row) + (t.causalOffset == kNotCausal ? 0 : t.causalOffset);
    for (size_t j = 0; j < block.count; j++) {
      const size_t id = idOf(block, j);
      float& score = scores[j * kPanel + lane];
      if (bias) score += kLog2E * bias[id];
      if (slope != 0) score += slope * float(int64_t(id) - origin);
      if (id >= seen) score = -__builtin_inff();
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

// One logit in float64, hidden or not, for the scalar references.
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
