// Rows of activations rounded to signed bytes, 32 at a time, laid out for products with units of weights (weight_units.h).
#pragma once

#include "lane_reduce.h"
#include "weight_units.h"

namespace provably::PROVABLY_TARGET {

// x ≈ scale · byte, |byte| ≤ 127. Lanes as in weight_units.h.
struct alignas(64) ActivationUnit {
  int8_t bytes[kUnitEntries];
  int32_t offsetSums[kUnitEntries / 4];  // −8 times the sum of the four bytes of each lane: offsets are multiples of 8
  float scales[kLanes];
  float sums[kLanes];  // scale · the sum of the lane's bytes
};

// Below this, a block counts as zeros: its inverse scale would overflow.
constexpr float kSmallestActivation = 0x1p-100f;

// Rounds 32 entries: |x − scale · byte| ≤ largest |x| / 254 · (1 + 2⁻¹⁴), plus 2⁻¹⁰⁰ where entries are as small. A scale of NaN where an
// entry is not finite.
inline float quantizeBlock(const float* x, int8_t* bytes) {
  typedef int16_t Shorts __attribute__((vector_size(2 * kLanes)));
  typedef int8_t Part __attribute__((vector_size(kLanes)));
  typedef int8_t PartInMemory __attribute__((vector_size(kLanes), aligned(1), may_alias));
  Floats largest{}, poison{};
  for (size_t p = 0; p < 32; p += kLanes) {
    const Floats value = loadFloats(x + p);
    largest = largerOf(largerOf(value, -value), largest);
    poison += value * 0.0f;
  }
  const float most = laneMax(largest);
  const bool finite = laneSum(poison) == 0;
  if (!finite || most < kSmallestActivation) {
    __builtin_memset(bytes, 0, 32);
    return finite ? 0 : __builtin_nanf("");
  }
  const float inverse = 127 / most;
  for (size_t p = 0; p < 32; p += kLanes) {
    const Floats whole = (loadFloats(x + p) * inverse + 0x1.8p23f) - 0x1.8p23f;  // to the nearest integer
    *reinterpret_cast<PartInMemory*>(bytes + p) = __builtin_convertvector(__builtin_convertvector(__builtin_convertvector(whole, Ints), Shorts), Part);
  }
  return most / 127;
}

// `cols` is a multiple of 32. A last unit that is not whole ends with zeros.
inline void quantizeRow(const float* x, size_t cols, ActivationUnit* units) {
  const size_t blocks = cols / 32;
  for (size_t first = 0; first < blocks; first += kUnitBlocks) {
    ActivationUnit& unit = units[first / kUnitBlocks];
    for (size_t block = 0; block < kUnitBlocks; block++) {
      int8_t* bytes = unit.bytes + 32 * block;
      float scale = 0;
      if (first + block < blocks)
        scale = quantizeBlock(x + 32 * (first + block), bytes);
      else
        __builtin_memset(bytes, 0, 32);
      constexpr size_t lanes = kLanes / kUnitBlocks;
      for (size_t l = 0; l < lanes; l++) unit.scales[block * lanes + l] = scale;
    }
    int32_t sums[kUnitEntries / 4];
    for (size_t l = 0; l < kUnitEntries / 4; l++) {
      const int8_t* four = unit.bytes + 4 * l;
      sums[l] = four[0] + four[1] + four[2] + four[3];
      unit.offsetSums[l] = -8 * sums[l];
    }
    for (size_t l = 0; l < kLanes; l++) {
      int32_t sum = sums[l];
      if (kUnitVectors == 2) sum += sums[(kUnitVectors - 1) * kLanes + l];
      unit.sums[l] = unit.scales[l] * float(sum);
    }
  }
}

}  // namespace provably::PROVABLY_TARGET
