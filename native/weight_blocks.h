// The blocks of GGUF one at a time: small whole numbers, a scale and perhaps a summand for every 16 of them. The layouts are those of
// ggml (block_q4_0 … block_q6_K), read here from their bytes; weight_units.h reads the same by vectors.
#pragma once

#include "half.h"
#include "kernels.h"

namespace provably::PROVABLY_TARGET {

struct BlockShape {
  size_t entries, bytes;
};

constexpr BlockShape shapeOf(WeightFormat format) {
  switch (format) {
    case WeightFormat::kF32: return {1, 4};
    case WeightFormat::kF16: return {1, 2};
    case WeightFormat::kBF16: return {1, 2};
    case WeightFormat::kQ8_0: return {32, 34};
    case WeightFormat::kQ4_0: return {32, 18};
    case WeightFormat::kQ4_1: return {32, 20};
    case WeightFormat::kQ5_0: return {32, 22};
    case WeightFormat::kQ5_1: return {32, 24};
    case WeightFormat::kQ4_K: return {256, 144};
    case WeightFormat::kQ5_K: return {256, 176};
    case WeightFormat::kQ6_K: return {256, 210};
  }
  return {1, 4};
}

constexpr bool isBlocked(WeightFormat format) { return shapeOf(format).entries > 1; }

constexpr bool hasMins(WeightFormat format) {
  return format == WeightFormat::kQ4_1 || format == WeightFormat::kQ5_1 || format == WeightFormat::kQ4_K || format == WeightFormat::kQ5_K;
}

// Bytes of a row of `cols` entries, a multiple of the block's.
constexpr size_t bytesOfRow(WeightFormat format, size_t cols) { return cols / shapeOf(format).entries * shapeOf(format).bytes; }

constexpr size_t kMostBlockEntries = 256;

// Entry i is scales[i / 16] · codes[i] + mins[i / 16].
struct WeightBlock {
  int8_t codes[kMostBlockEntries];
  float scales[kMostBlockEntries / 16];
  float mins[kMostBlockEntries / 16];
};

inline uint32_t wordAt(const uint8_t* from) {
  uint32_t word;
  __builtin_memcpy(&word, from, sizeof word);
  return word;
}

inline float halfAt(const uint8_t* from) {
  uint16_t bits;
  __builtin_memcpy(&bits, from, sizeof bits);
  return float16ToFloat(bits);
}

// The numbers of 8 scales and 8 summands of a Q4_K or Q5_K block, which starts with two halves and 12 bytes of 6-bit numbers.
template <class FourWords>
inline void runNumbers(const uint8_t* block, FourWords& words) {
  const uint32_t a = wordAt(block + 4), b = wordAt(block + 8), c = wordAt(block + 12);
  words[0] = a & 0x3f3f3f3f;
  words[1] = (c & 0x0f0f0f0f) | ((a >> 2) & 0x30303030);
  words[2] = b & 0x3f3f3f3f;
  words[3] = ((c >> 4) & 0x0f0f0f0f) | ((b >> 2) & 0x30303030);
}

// Scales and summands of the 8 runs of 32 entries of such a block.
struct RunScales {
  float scales[8], mins[8];

  explicit RunScales(const uint8_t* block) {
    const float scale = halfAt(block), least = halfAt(block + 2);
    uint32_t words[4];
    runNumbers(block, words);
    uint8_t numbers[16];
    __builtin_memcpy(numbers, words, sizeof numbers);
    for (size_t i = 0; i < 8; i++) scales[i] = scale * float(numbers[i]);
    for (size_t i = 0; i < 8; i++) mins[i] = -(least * float(numbers[8 + i]));
  }
};

// 16 bytes, shifted as words: what crosses from byte to byte is masked off by the user.
typedef uint32_t FourWords __attribute__((vector_size(16)));

inline FourWords sixteenAt(const uint8_t* from) {
  FourWords words;
  __builtin_memcpy(&words, from, sizeof words);
  return words;
}

// 16 in byte i where bit i is set, of the lowest 16.
inline FourWords fifthBitsOf(uint32_t bits) {
  typedef uint8_t Sixteen __attribute__((vector_size(16)));
  typedef uint64_t Two __attribute__((vector_size(16)));
  constexpr uint64_t ones = 0x0101010101010101;  // makes a byte eight
  const Two spread = {(bits & 255) * ones, ((bits >> 8) & 255) * ones};
  const Two bit = {0x8040201008040201, 0x8040201008040201};
  const Sixteen set = reinterpret_cast<Sixteen>(spread & bit) == reinterpret_cast<Sixteen>(bit);
  return reinterpret_cast<FourWords>(set) & 0x10101010;
}

inline void storeCodes(FourWords codes, int offset, int8_t* to) {
  typedef uint8_t Sixteen __attribute__((vector_size(16)));
  const Sixteen moved = reinterpret_cast<Sixteen>(codes) - uint8_t(offset);
  __builtin_memcpy(to, &moved, sizeof moved);
}

template <WeightFormat F>
inline void unpack(const uint8_t* from, WeightBlock& to) {
  if constexpr (F == WeightFormat::kQ4_K || F == WeightFormat::kQ5_K) {
    const RunScales runs(from);
    const uint8_t* low = from + (F == WeightFormat::kQ5_K ? 48 : 16);
    for (size_t run = 0; run < 8; run++)
      for (size_t half = 0; half < 2; half++) {
        to.scales[2 * run + half] = runs.scales[run];
        to.mins[2 * run + half] = runs.mins[run];
        FourWords codes = (sixteenAt(low + run / 2 * 32 + 16 * half) >> uint32_t(4 * (run % 2))) & 0x0f0f0f0f;
        if (F == WeightFormat::kQ5_K) codes |= ((sixteenAt(from + 16 + 16 * half) >> uint32_t(run)) & 0x01010101) << 4;
        storeCodes(codes, 0, to.codes + 32 * run + 16 * half);
      }
  } else if constexpr (F == WeightFormat::kQ6_K) {
    const uint8_t *low = from, *high = from + 128;
    const int8_t* numbers = reinterpret_cast<const int8_t*>(from + 192);
    const float scale = halfAt(from + 208);
    for (size_t i = 0; i < 16; i++) {
      const size_t part = i / 8, run = i / 2 % 4, half = i % 2;
      const FourWords four = (sixteenAt(low + 64 * part + 32 * (run % 2) + 16 * half) >> uint32_t(4 * (run / 2))) & 0x0f0f0f0f;
      const FourWords two = (sixteenAt(high + 32 * part + 16 * half) >> uint32_t(2 * run)) & 0x03030303;
      storeCodes(four | two << 4, 32, to.codes + 16 * i);
      to.scales[i] = scale * float(numbers[i]);
      to.mins[i] = 0;
    }
  } else {
    const float scale = halfAt(from), least = hasMins(F) ? halfAt(from + 2) : 0;
    to.scales[0] = to.scales[1] = scale;
    to.mins[0] = to.mins[1] = least;
    const uint8_t* rest = from + (hasMins(F) ? 4 : 2);
    if constexpr (F == WeightFormat::kQ8_0) {
      __builtin_memcpy(to.codes, rest, 32);
    } else {
      constexpr bool five = F == WeightFormat::kQ5_0 || F == WeightFormat::kQ5_1;
      constexpr int offset = F == WeightFormat::kQ4_0 ? 8 : F == WeightFormat::kQ5_0 ? 16 : 0;
      const FourWords low = sixteenAt(rest + (five ? 4 : 0));
      FourWords codes[2] = {low & 0x0f0f0f0f, (low >> 4) & 0x0f0f0f0f};
      for (size_t half = 0; half < 2; half++) {
        if (five) codes[half] |= fifthBitsOf(wordAt(rest) >> (16 * half));
        storeCodes(codes[half], offset, to.codes + 16 * half);
      }
    }
  }
}

using Unpacker = void (*)(const uint8_t* from, WeightBlock& to);

// Of a format for which isBlocked.
inline Unpacker unpackerOf(WeightFormat format) {
  switch (format) {
    case WeightFormat::kQ8_0: return unpack<WeightFormat::kQ8_0>;
    case WeightFormat::kQ4_0: return unpack<WeightFormat::kQ4_0>;
    case WeightFormat::kQ4_1: return unpack<WeightFormat::kQ4_1>;
    case WeightFormat::kQ5_0: return unpack<WeightFormat::kQ5_0>;
    case WeightFormat::kQ5_1: return unpack<WeightFormat::kQ5_1>;
    case WeightFormat::kQ4_K: return unpack<WeightFormat::kQ4_K>;
    case WeightFormat::kQ5_K: return unpack<WeightFormat::kQ5_K>;
    default: return unpack<WeightFormat::kQ6_K>;
  }
}

}  // namespace provably::PROVABLY_TARGET
