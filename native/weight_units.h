// The blocks of GGUF by vectors: a unit of consecutive entries of a row as bytes, with its scales spread over lanes. What a code stands
// for: scale · (code − kOffset) + min; codes are unsigned and ≤ 63, but those of Q8_0 signed.
//
// A unit is two blocks of 32 where a vector holds them, else one. Lanes of Ints, four bytes each: with 16 lanes the first 8 are of the
// unit's first block, with 4 lanes a unit takes two vectors.
#pragma once

#include "byte_products.h"
#include "weight_blocks.h"

namespace provably::PROVABLY_TARGET {

constexpr size_t kUnitEntries = kLanes == 16 ? 64 : 32;
constexpr size_t kUnitBlocks = kUnitEntries / 32;
constexpr size_t kUnitVectors = kUnitEntries / (4 * kLanes);

// Where every 16 entries have a scale of their own, each of two vectors has one.
template <class Format>
constexpr size_t kUnitScales = Format::kHasHalves ? kUnitVectors : 1;

template <class Format>
struct Unit {
  Words codes[kUnitVectors];
  Floats scale[kUnitScales<Format>];
  Floats min;  // of formats that have mins
};

inline Words loadWords(const void* from) { return reinterpret_cast<Words>(loadInts(from)); }

#if defined(__AVX512F__)

inline __m512i quarter(const uint8_t* from) { return _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from))); }
inline __m512i half(const uint8_t* from) { return _mm512_broadcast_i64x4(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from))); }

constexpr Words kUpperHalf = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1};
constexpr Words kOddQuarter = {0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1};

// 16 bytes of each block twice.
inline Words bothTwice(const uint8_t* a, const uint8_t* b) {
  return reinterpret_cast<Words>(
      _mm512_mask_broadcast_i32x4(quarter(a), 0xff00, _mm_loadu_si128(reinterpret_cast<const __m128i*>(b))));
}

// The first two halves at a and at b.
struct HalvesAt {
  __m512 floats;  // those of a, then those of b

  HalvesAt(const uint8_t* a, const uint8_t* b) {
    const __m128i words = _mm_insert_epi32(_mm_cvtsi32_si128(int32_t(wordAt(a))), int32_t(wordAt(b)), 1);
    floats = _mm512_castps128_ps512(_mm_cvtph_ps(words));
  }
  // Number `Index` of a in the lower lanes, of b in the upper ones.
  template <int Index>
  Floats spread() const {
    constexpr int i = Index, j = Index + 2;
    const __m512i lanes = _mm512_set_epi32(j, j, j, j, j, j, j, j, i, i, i, i, i, i, i, i);
    return reinterpret_cast<Floats>(_mm512_permutexvar_ps(lanes, floats));
  }
};

// 16 in the bytes whose bit is set.
inline Words fifthBits(const uint8_t* a, const uint8_t* b) {
  return reinterpret_cast<Words>(_mm512_maskz_set1_epi8(uint64_t(wordAt(a)) | uint64_t(wordAt(b)) << 32, 16));
}

#elif defined(__AVX2__)

constexpr Words kUpperHalf = {0, 0, 0, 0, 1, 1, 1, 1};

// 16 bytes twice.
inline Words twice(const uint8_t* from) {
  return reinterpret_cast<Words>(_mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from))));
}

// 16 into the bytes whose bit is set.
inline void addFifthBits(uint32_t bits, Words (&codes)[kUnitVectors]) {
  const __m256i byteOf = _mm256_set_epi64x(0x0303030303030303, 0x0202020202020202, 0x0101010101010101, 0);
  const __m256i bit = _mm256_set1_epi64x(int64_t(0x8040201008040201));
  const __m256i spread = _mm256_and_si256(_mm256_shuffle_epi8(_mm256_set1_epi32(int32_t(bits)), byteOf), bit);
  codes[0] |= reinterpret_cast<Words>(_mm256_cmpeq_epi8(spread, bit)) & 0x10101010;
}

#else

inline void addFifthBits(uint32_t bits, Words (&codes)[kUnitVectors]) {
  for (size_t v = 0; v < kUnitVectors; v++) codes[v] |= fifthBitsOf(bits >> (16 * v));
}

#endif

// A block of 32: formats whose units take their blocks one by one.
template <WeightFormat F>
struct BlockUnits {
  static constexpr WeightFormat kFormat = F;
  static constexpr bool kHasMins = hasMins(F), kHasHalves = false, kIsSigned = F == WeightFormat::kQ8_0;
  static constexpr bool kHasFifth = F == WeightFormat::kQ5_0 || F == WeightFormat::kQ5_1;
  static constexpr int kOffset = F == WeightFormat::kQ4_0 ? 8 : F == WeightFormat::kQ5_0 ? 16 : 0;
  static constexpr size_t kBytes = shapeOf(F).bytes, kBlocks = 1, kUnits = 1;  // units that share what `State` holds
  static constexpr size_t kFifth = kHasMins ? 4 : 2, kCodes = kFifth + (kHasFifth ? 4 : 0);

  struct State {
    const uint8_t *a, *b;
  };
  // Of the blocks from number `first` on; where the row ends, the second block is the first again.
  static void prepare(const uint8_t* row, size_t first, size_t blocks, State& state) {
    state = {row + first * kBytes, row + smaller(first + 1, blocks - 1) * kBytes};
  }
  static Unit<BlockUnits> unit(const State& s, size_t) {
    Unit<BlockUnits> unit;
#if defined(__AVX512F__)
    if constexpr (kIsSigned) {
      const __m256i low = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(s.a + kCodes));
      unit.codes[0] = reinterpret_cast<Words>(
          _mm512_inserti64x4(_mm512_castsi256_si512(low), _mm256_loadu_si256(reinterpret_cast<const __m256i*>(s.b + kCodes)), 1));
    } else {
      unit.codes[0] = (bothTwice(s.a + kCodes, s.b + kCodes) >> (4 * kOddQuarter)) & 0x0f0f0f0f;
    }
    if constexpr (kHasFifth) unit.codes[0] |= fifthBits(s.a + kFifth, s.b + kFifth);
    const HalvesAt start(s.a, s.b);
    unit.scale[0] = start.template spread<0>();
    if constexpr (kHasMins) unit.min = start.template spread<1>();
#else
    if constexpr (kIsSigned) {
      for (size_t v = 0; v < kUnitVectors; v++) unit.codes[v] = loadWords(s.a + kCodes + 4 * kLanes * v);
    } else {
#if defined(__AVX2__)
      unit.codes[0] = (twice(s.a + kCodes) >> (4 * kUpperHalf)) & 0x0f0f0f0f;
#else
      const Words low = loadWords(s.a + kCodes);
      unit.codes[0] = low & 0x0f0f0f0f;
      unit.codes[1] = (low >> 4) & 0x0f0f0f0f;
#endif
      if constexpr (kHasFifth) addFifthBits(wordAt(s.a + kFifth), unit.codes);
    }
#if defined(__F16C__)
    const __m128 start = _mm_cvtph_ps(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(s.a)));
    unit.scale[0] = reinterpret_cast<Floats>(_mm256_broadcastss_ps(start));
    if constexpr (kHasMins) unit.min = reinterpret_cast<Floats>(_mm256_broadcastss_ps(_mm_movehdup_ps(start)));
#else
    unit.scale[0] = broadcast(halfAt(s.a));
    if constexpr (kHasMins) unit.min = broadcast(halfAt(s.a + 2));
#endif
#endif
    return unit;
  }
};

// A block of 256: 32 bytes hold the same bits of two or four runs of 32 entries.
template <WeightFormat F>
struct RunUnits {
  static constexpr WeightFormat kFormat = F;
  static constexpr bool kHasMins = true, kHasHalves = false, kIsSigned = false;
  static constexpr int kOffset = 0;
  static constexpr size_t kBytes = shapeOf(F).bytes, kBlocks = 8, kUnits = 256 / kUnitEntries;

#if defined(__AVX512F__)
  struct State {
    Floats runs;  // scales and then summands of the 8 runs
    const uint8_t* block;
  };
  static void prepare(const uint8_t* row, size_t first, size_t, State& state) {
    state.block = row + first / 8 * kBytes;
    FourWords words;
    runNumbers(state.block, words);
    const Floats numbers =
        reinterpret_cast<Floats>(_mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(reinterpret_cast<__m128i>(words))));
    constexpr Words minus = {0, 0, 0, 0, 0, 0, 0, 0, 1u << 31, 1u << 31, 1u << 31, 1u << 31, 1u << 31, 1u << 31, 1u << 31, 1u << 31};
    const __m512 start = HalvesAt(state.block, state.block).floats;
    const Floats factors = reinterpret_cast<Floats>(_mm512_permutexvar_ps(reinterpret_cast<__m512i>(kUpperHalf), start));
    state.runs = numbers * reinterpret_cast<Floats>(reinterpret_cast<Words>(factors) ^ minus);
  }
#else
  struct State {
    RunScales runs;
    const uint8_t* block;

    State() : runs(kZeros), block(nullptr) {}
  };
  static void prepare(const uint8_t* row, size_t first, size_t, State& state) {
    state.block = row + first / 8 * kBytes;
    state.runs = RunScales(state.block);
  }
#endif
  static Unit<RunUnits> unit(const State& s, size_t at) {
    constexpr bool five = F == WeightFormat::kQ5_K;
    const uint8_t* low = s.block + (five ? 48 : 16);
    Unit<RunUnits> unit;
#if defined(__AVX512F__)
    unit.codes[0] = (reinterpret_cast<Words>(half(low + 32 * at)) >> (4 * kUpperHalf)) & 0x0f0f0f0f;
    if constexpr (five)
      unit.codes[0] |= ((reinterpret_cast<Words>(half(s.block + 16)) >> (kUpperHalf + uint32_t(2 * at))) & 0x01010101) << 4;
    const Words scales = kUpperHalf + uint32_t(2 * at);
    unit.scale[0] = reinterpret_cast<Floats>(_mm512_permutexvar_ps(reinterpret_cast<__m512i>(scales), reinterpret_cast<__m512>(s.runs)));
    unit.min = reinterpret_cast<Floats>(_mm512_permutexvar_ps(reinterpret_cast<__m512i>(scales + 8), reinterpret_cast<__m512>(s.runs)));
#else
    for (size_t v = 0; v < kUnitVectors; v++) {
      unit.codes[v] = (loadWords(low + at / 2 * 32 + 4 * kLanes * v) >> uint32_t(4 * (at % 2))) & 0x0f0f0f0f;
      if constexpr (five) unit.codes[v] |= ((loadWords(s.block + 16 + 4 * kLanes * v) >> uint32_t(at)) & 0x01010101) << 4;
    }
    unit.scale[0] = broadcast(s.runs.scales[at]);
    unit.min = broadcast(s.runs.mins[at]);
#endif
    return unit;
  }

#if !defined(__AVX512F__)
 private:
  static constexpr uint8_t kZeros[16] = {};
#endif
};

struct SixBitUnits {
  static constexpr WeightFormat kFormat = WeightFormat::kQ6_K;
  static constexpr bool kHasMins = false, kHasHalves = true, kIsSigned = false;
  static constexpr int kOffset = 32;
  static constexpr size_t kBytes = shapeOf(kFormat).bytes, kBlocks = 8, kUnits = 256 / kUnitEntries;

#if defined(__AVX512F__)
  struct State {
    Floats scales;  // of every 16 entries
    const uint8_t* block;
  };
  static void prepare(const uint8_t* row, size_t first, size_t, State& state) {
    state.block = row + first / 8 * kBytes;
    const __m128i numbers = _mm_loadu_si128(reinterpret_cast<const __m128i*>(state.block + 192));
    state.scales = reinterpret_cast<Floats>(_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(numbers))) * halfAt(state.block + 208);
  }
#else
  struct State {
    float scales[16];
    const uint8_t* block;
  };
  static void prepare(const uint8_t* row, size_t first, size_t, State& state) {
    state.block = row + first / 8 * kBytes;
    const float scale = halfAt(state.block + 208);
    const int8_t* numbers = reinterpret_cast<const int8_t*>(state.block + 192);
    for (size_t i = 0; i < 16; i++) state.scales[i] = scale * float(numbers[i]);
  }
#endif
  static Unit<SixBitUnits> unit(const State& s, size_t at) {
    Unit<SixBitUnits> unit;
#if defined(__AVX512F__)
    const uint32_t shift = uint32_t(at % 2);
    const Words four = (loadWords(s.block + 64 * (at / 2)) >> 4 * shift) & 0x0f0f0f0f;
    const Words two = (reinterpret_cast<Words>(half(s.block + 128 + 32 * (at / 2))) >> (2 * kUpperHalf + 4 * shift)) & 0x03030303;
    unit.codes[0] = four | two << 4;
    constexpr Words fourth = {0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3};
    unit.scale[0] = reinterpret_cast<Floats>(
        _mm512_permutexvar_ps(reinterpret_cast<__m512i>(fourth + uint32_t(4 * at)), reinterpret_cast<__m512>(s.scales)));
#else
    const size_t part = at / 4, run = at % 4;
    for (size_t v = 0; v < kUnitVectors; v++) {
      const Words four = (loadWords(s.block + 64 * part + 32 * (run % 2) + 4 * kLanes * v) >> uint32_t(4 * (run / 2))) & 0x0f0f0f0f;
      const Words two = (loadWords(s.block + 128 + 32 * part + 4 * kLanes * v) >> uint32_t(2 * run)) & 0x03030303;
      unit.codes[v] = four | two << 4;
    }
    const float a = s.scales[2 * at], b = s.scales[2 * at + 1];
#if defined(__AVX__)
    unit.scale[0] = Floats{a, a, a, a, b, b, b, b};
#else
    unit.scale[0] = broadcast(a);
    unit.scale[1] = broadcast(b);
#endif
#endif
    return unit;
  }
};

}  // namespace provably::PROVABLY_TARGET
