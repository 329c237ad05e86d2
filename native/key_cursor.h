// A position in the listed keys of a tile, which can run ahead of their use: listed rows lie anywhere in memory, but which come next is known.
#pragma once

#include "kernels.h"
#include "vector.h"

namespace provably::PROVABLY_TARGET {

// Asks for the cache lines of [from, from + bytes), into the second level: they are needed some thousand cycles later.
template <bool ForWriting = false>
inline void touch(const void* from, size_t bytes) {
  const uintptr_t start = reinterpret_cast<uintptr_t>(from);
  for (uintptr_t line = start & ~uintptr_t(63); line < start + bytes; line += 64)
    __builtin_prefetch(reinterpret_cast<const void*>(line), ForWriting, 2);
}

class KeyCursor {
 public:
  // The keys of segments [segment, segmentEnd), as rows of a key head; keys from `lastKey` on are met but not touched.
  KeyCursor(const AttentionLogits& t, size_t keyHead, size_t segment, size_t segmentEnd, size_t lastKey)
      : t_(&t), firstRow_(keyHead * t.keyRows), segment_(segment), segmentEnd_(segmentEnd), lastKey_(lastKey) {
    if (segment_ < segmentEnd_) at_ = t.tiles.keyStart[segment_];
    skipEmpty();
  }

  bool atEnd() const { return segment_ == segmentEnd_; }
  size_t id() const { return t_->tiles.keys[at_]; }
  float logWeight() const { return t_->tiles.logWeights[segment_]; }

  void advance() {
    at_++;
    skipEmpty();
  }

  // Asks for the rows of the next `count` keys and passes them.
  void touchNext(size_t count) {
    const size_t bytes = t_->storage == Storage::kFloat32 ? 4 : 2;
    for (; count > 0 && !atEnd(); count--, advance()) {
      if (id() >= lastKey_) continue;
      const size_t row = firstRow_ + id();
      touch(static_cast<const char*>(t_->keys) + row * t_->dim * bytes, t_->dim * bytes);
      touch(static_cast<const char*>(t_->values) + row * t_->valueDim * bytes, t_->valueDim * bytes);
    }
  }

 private:
  void skipEmpty() {
    while (segment_ < segmentEnd_ && at_ == t_->tiles.keyEnd[segment_])
      if (++segment_ < segmentEnd_) at_ = t_->tiles.keyStart[segment_];
  }

  const AttentionLogits* t_;
  size_t firstRow_, segment_, segmentEnd_, lastKey_, at_ = 0;
};

}  // namespace provably::PROVABLY_TARGET
