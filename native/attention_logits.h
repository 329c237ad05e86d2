// What the forward and backward passes of attention share: the rows a task works on, the keys it meets, and what is added to their logits.
#pragma once

#include "attention_block.h"
#include "exp.h"
#include "half.h"
#include "key_cursor.h"
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

// Walks the keys of a piece in blocks of at most kBlockKeys, without those that log-weights hide. Rows are copied only when they are listed,
// have hidden ones among them, or are stored as halves.
class KeyWalk {
 public:
  // Floats of scratch that a walk needs.
  static size_t scratchFloats(const AttentionLogits& t) { return kBlockKeys * (t.dim + t.valueDim + 2); }

  // `lastKey`: keys from here on are seen by no row of the piece.
  KeyWalk(const AttentionLogits& t, const Piece& piece, size_t lastKey, float* scratch)
      : t_(t),
        piece_(piece),
        lastKey_(lastKey),
        keys_(scratch),
        values_(keys_ + kBlockKeys * t.dim),
        weights_(values_ + kBlockKeys * t.valueDim),
        ids_(reinterpret_cast<uint32_t*>(weights_ + kBlockKeys)),
        listed_(t, piece.keyHead, piece.segment, piece.segmentEnd, lastKey) {}

  // False at the end.
  bool next(KeyBlock& block) { return t_.tiles.heads ? nextListed(block) : nextRun(block); }

  // The listed keys after the last block; at its end when none are listed.
  const KeyCursor& listed() const { return listed_; }

 private:
  bool nextRun(KeyBlock& block) {
    while (at_ < lastKey_) {
      const size_t count = smaller(kBlockKeys, lastKey_ - at_), id = at_, first = piece_.keyHead * t_.keyRows + id;
      at_ += count;
      if (t_.keyLogWeights && hidesAny(t_.keyLogWeights + first, count)) {
        size_t kept = 0;
        for (size_t j = 0; j < count; j++) kept += bring(id + j, kLog2E * t_.keyLogWeights[first + j], kept);
        if (kept == 0) continue;
        block = {kept, keys_, values_, weights_, ids_, 0};
        return true;
      }
      block = {count, keys_, values_, nullptr, nullptr, id};
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
      return true;
    }
    return false;
  }

  bool nextListed(KeyBlock& block) {
    KeyCursor ahead = listed_;
    ahead.touchNext(8);
    size_t count = 0;
    for (; count < kBlockKeys && !listed_.atEnd(); listed_.advance(), ahead.touchNext(1)) {
      const size_t id = listed_.id();
      if (id >= lastKey_) continue;
      const float own = t_.keyLogWeights ? kLog2E * t_.keyLogWeights[piece_.keyHead * t_.keyRows + id] : 0;
      count += bring(id, kLog2E * listed_.logWeight() + own, count);
    }
    block = {count, keys_, values_, weights_, ids_, 0};
    return count > 0;
  }

  static bool hidesAny(const float* weights, size_t count) {
    bool any = false;
    for (size_t j = 0; j < count; j++) any |= weights[j] == kMinusInfinity;
    return any;
  }

  // Copies key `id` to row `at` of the block, unless it is hidden. Whether it did.
  bool bring(size_t id, float weight, size_t at) {
    if (weight == kMinusInfinity) return false;
    const size_t row = piece_.keyHead * t_.keyRows + id;
    loadStored(t_.keys, t_.storage, row * t_.dim, t_.dim, keys_ + at * t_.dim);
    loadStored(t_.values, t_.storage, row * t_.valueDim, t_.valueDim, values_ + at * t_.valueDim);
    weights_[at] = weight;
    ids_[at] = uint32_t(id);
    return true;
  }

  const AttentionLogits& t_;
  const Piece& piece_;
  size_t lastKey_;
  float *keys_, *values_, *weights_;
  uint32_t* ids_;
  KeyCursor listed_;
  size_t at_ = 0;  // where none are listed
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
