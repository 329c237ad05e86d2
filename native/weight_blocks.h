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

// Scales and summands of the 8 runs of 32 entries of a Q4_K or Q5_K block, which starts with two halves and 12 bytes of 6-bit numbers.
struct RunScales {
  float scales[8], mins[8];

  explicit RunScales(const uint8_t* block) {
    const float scale = halfAt(block), least = halfAt(block + 2);
    const uint32_t a = wordAt(block + 4), b = wordAt(block + 8), c = wordAt(block + 12);
    const uint32_t words[4] = {a & 0x3f3f3f3f, (c & 0x0f0f0f0f) | ((a >> 2) & 0x30303030), b & 0x3f3f3f3f,
                               ((c >> 4) & 0x0f0f0f0f) | ((b >> 2) & 0x30303030)};
    uint8_t numbers[16];
    __builtin_memcpy(numbers, words, sizeof numbers);
    for (size_t i = 0; i < 8; i++) {
      scales[i] = scale * float(numbers[i]);
      mins[i] = -(least * float(numbers[8 + i]));
    }
  }
};

template <WeightFormat F>
inline void unpack(const uint8_t* from, WeightBlock& to) {
  if constexpr (F == WeightFormat::kQ4_K || F == WeightFormat::kQ5_K) {
    const RunScales runs(from);
    const uint8_t* low = from + (F == WeightFormat::kQ5_K ? 48 : 16);
    const uint8_t* high = from + 16;  // of Q5_K
    for (size_t run = 0; run < 8; run++) {
      for (size_t half = 0; half < 2; half++) {
        to.scales[2 * run + half] = runs.scales[run];
        to.mins[2 * run + half] = runs.mins[run];
      }
      for (size_t i = 0; i < 32; i++) {
        uint8_t code = uint8_t(low[run / 2 * 32 + i] >> (4 * (run % 2))) & 15;
        if (F == WeightFormat::kQ5_K) code |= uint8_t((high[i] >> run) & 1) << 4;
        to.codes[run * 32 + i] = int8_t(code);
      }
    }
  } else if constexpr (F == WeightFormat::kQ6_K) {
    const uint8_t *low = from, *high = from + 128;
    const int8_t* numbers = reinterpret_cast<const int8_t*>(from + 192);
    const float scale = halfAt(from + 208);
    for (size_t run = 0; run < 8; run++) {
      const size_t half = run / 4, quarter = run % 4;
      for (size_t i = 0; i < 32; i++) {
        const uint8_t four = uint8_t(low[64 * half + 32 * (quarter % 2) + i] >> (4 * (quarter / 2))) & 15;
        const uint8_t two = uint8_t(high[32 * half + i] >> (2 * quarter)) & 3;
        to.codes[run * 32 + i] = int8_t((four | two << 4) - 32);
      }
    }
    for (size_t i = 0; i < 16; i++) {
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
      const uint32_t fifth = five ? wordAt(rest) : 0;
      const uint8_t* low = rest + (five ? 4 : 0);
      for (size_t i = 0; i < 32; i++) {
        const int four = (low[i % 16] >> (i / 16 * 4)) & 15;
        to.codes[i] = int8_t((four | int((fifth >> i) & 1) << 4) - offset);
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
