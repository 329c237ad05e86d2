// Threefry-2x32 with 20 rounds (Salmon, Moraes, Dror, Shaw, SC 2011), as in src/core/rng.ts.
#pragma once

#include "vector.h"

namespace provably::PROVABLY_TARGET {

// Two words of output for each counter (low, high). `Word` is uint32_t or a vector of them.
template <class Word>
inline void threefry2x32(const uint32_t key[2], Word low, Word high, Word& x0, Word& x1) {
  const uint32_t schedule[3] = {key[0], key[1], 0x1bd11bda ^ key[0] ^ key[1]};
  constexpr int rotations[2][4] = {{13, 15, 26, 6}, {17, 29, 16, 24}};
  x0 = low + schedule[0];
  x1 = high + schedule[1];
  PROVABLY_UNROLL
  for (uint32_t group = 0; group < 5; group++) {
    PROVABLY_UNROLL
    for (int round = 0; round < 4; round++) {
      const int bits = rotations[group % 2][round];
      x0 = x0 + x1;
      x1 = (x1 << bits | x1 >> (32 - bits)) ^ x0;
    }
    x0 = x0 + schedule[(group + 1) % 3];
    x1 = x1 + schedule[(group + 2) % 3] + (group + 1);
  }
}

// 53 bits: the high 26 of word 1 above the high 27 of word 0. Exact: each step is a multiple of 2⁻⁵³ below 1.
inline double unitFromWords(uint32_t x0, uint32_t x1) {
  return (double(int32_t(x1 >> 6)) * 0x1p27 + double(int32_t(x0 >> 5))) * 0x1p-53;
}

}  // namespace provably::PROVABLY_TARGET
