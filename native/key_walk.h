// The keys that a piece of work meets, brought in block by block.
#pragma once

#include "attention_pieces.h"
#include "exp.h"
#include "half.h"
#include "key_cursor.h"

namespace provably::PROVABLY_TARGET {

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

}  // namespace provably::PROVABLY_TARGET
