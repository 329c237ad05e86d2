// Sum and maximum over the lanes of a 16-lane vector, within registers.
#pragma once

#include "vector.h"

namespace provably::PROVABLY_TARGET {

// Lane l gets lane l ^ Bit.
template <int Bit>
inline Floats swapLanes(Floats v) {
  static_assert(kLanes == 16, "sixteen indices below");
#if defined(__clang__)
  return __builtin_shufflevector(v, v, 0 ^ Bit, 1 ^ Bit, 2 ^ Bit, 3 ^ Bit, 4 ^ Bit, 5 ^ Bit, 6 ^ Bit, 7 ^ Bit, 8 ^ Bit, 9 ^ Bit,
                                 10 ^ Bit, 11 ^ Bit, 12 ^ Bit, 13 ^ Bit, 14 ^ Bit, 15 ^ Bit);
#else
  return __builtin_shuffle(v, Ints{0 ^ Bit, 1 ^ Bit, 2 ^ Bit, 3 ^ Bit, 4 ^ Bit, 5 ^ Bit, 6 ^ Bit, 7 ^ Bit, 8 ^ Bit, 9 ^ Bit,
                                   10 ^ Bit, 11 ^ Bit, 12 ^ Bit, 13 ^ Bit, 14 ^ Bit, 15 ^ Bit});
#endif
}

// A NaN on either side gives b.
inline Floats largerOf(Floats a, Floats b) { return a > b ? a : b; }

inline float laneSum(Floats v) {
  v += swapLanes<8>(v);
  v += swapLanes<4>(v);
  v += swapLanes<2>(v);
  return (v + swapLanes<1>(v))[0];
}

// No lane may be NaN.
inline float laneMax(Floats v) {
  v = largerOf(v, swapLanes<8>(v));
  v = largerOf(v, swapLanes<4>(v));
  v = largerOf(v, swapLanes<2>(v));
  return largerOf(v, swapLanes<1>(v))[0];
}

}  // namespace provably::PROVABLY_TARGET
