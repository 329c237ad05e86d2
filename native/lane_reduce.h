// Sums and maxima over the lanes of vectors, within registers.
#pragma once

#include "vector.h"

namespace provably::PROVABLY_TARGET {

template <int... Lane>
struct LaneList {};
template <size_t Count>
struct LanesBelow;
template <>
struct LanesBelow<4> {
  using List = LaneList<0, 1, 2, 3>;
};
template <>
struct LanesBelow<8> {
  using List = LaneList<0, 1, 2, 3, 4, 5, 6, 7>;
};
template <>
struct LanesBelow<16> {
  using List = LaneList<0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15>;
};
using AllLanes = LanesBelow<kLanes>::List;

// Lane l gets lane Index of the lanes of a and then those of b.
template <int... Index>
inline Floats pickLanes(Floats a, Floats b) {
#if defined(__clang__)
  return __builtin_shufflevector(a, b, Index...);
#else
  return __builtin_shuffle(a, b, Ints{Index...});
#endif
}

// Lane l gets lane l ^ Bit.
template <int Bit, int... Lane>
inline Floats swapLanes(Floats v, LaneList<Lane...>) {
  return pickLanes<(Lane ^ Bit)...>(v, v);
}
template <int Bit>
inline Floats swapLanes(Floats v) {
  return swapLanes<Bit>(v, AllLanes{});
}

// Lane l gets v[l] + v[l ^ Bit], of v = a where l has not that bit, of v = b where it has.
template <int Bit, int... Lane>
inline Floats pairSums(Floats a, Floats b, LaneList<Lane...>) {
  constexpr int other = int(kLanes);
  return pickLanes<(Lane & Bit ? other + Lane : Lane)...>(a, b) + pickLanes<(Lane & Bit ? other + Lane - Bit : Lane + Bit)...>(a, b);
}
template <int Bit>
inline Floats pairSums(Floats a, Floats b) {
  return pairSums<Bit>(a, b, AllLanes{});
}

// A NaN in a gives b.
inline Floats largerOf(Floats a, Floats b) { return a > b ? a : b; }

inline float laneSum(Floats v) {
  if constexpr (kLanes > 8) v += swapLanes<kLanes / 2>(v);
  if constexpr (kLanes > 4) v += swapLanes<4>(v);
  v += swapLanes<2>(v);
  return (v + swapLanes<1>(v))[0];
}

// No lane may be NaN.
inline float laneMax(Floats v) {
  if constexpr (kLanes > 8) v = largerOf(v, swapLanes<kLanes / 2>(v));
  if constexpr (kLanes > 4) v = largerOf(v, swapLanes<4>(v));
  v = largerOf(v, swapLanes<2>(v));
  return largerOf(v, swapLanes<1>(v))[0];
}

}  // namespace provably::PROVABLY_TARGET
