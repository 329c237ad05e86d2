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

inline Floats halves(const float* a, const float* b) {
  return reinterpret_cast<Floats>(_mm512_mask_broadcastss_ps(_mm512_set1_ps(*a), 0xff00, _mm_load_ss(b)));
}

// Four lanes each.
inline Floats quarters(const float* from) {
  const __m512i lanes = _mm512_set_epi32(3, 3, 3, 3, 2, 2, 2, 2, 1, 1, 1, 1, 0, 0, 0, 0);
  return reinterpret_cast<Floats>(_mm512_permutexvar_ps(lanes, _mm512_castps128_ps512(_mm_loadu_ps(from))));
}

// Number `Index` of the halves at a and b, of which there are at least 4.
struct HalvesAt {
  __m512 a, b;

  HalvesAt(const uint8_t* from, const uint8_t* other) : a(floatsAt(from)), b(floatsAt(other)) {}
  static __m512 floatsAt(const uint8_t* from) {
    return _mm512_castps128_ps512(_mm_maskz_cvtph_ps(15, _mm_loadl_epi64(reinterpret_cast<const __m128i*>(from))));
  }
  template <int Index>
  Floats spread() const {
    constexpr int i = Index, j = 16 + Index;
    return reinterpret_cast<Floats>(_mm512_permutex2var_ps(a, _mm512_set_epi32(j, j, j, j, j, j, j, j, i, i, i, i, i, i, i, i), b));
  }
};

// 16 in the bytes whose bit is set.
inline Words fifthBits(const uint8_t* a, const uint8_t* b) {
  return reinterpret_cast<Words>(_mm512_maskz_set1_epi8(uint64_t(wordAt(a)) | uint64_t(wordAt(b)) << 32, 16));
}

#endif

// A block of 32: formats whose units take their blocks one by one.
template <WeightFormat F>
struct BlockUnits {
  static constexpr WeightFormat kFormat = F;
  static constexpr bool kHasMins = hasMins(F), kHasHalves = false, kIsSigned = F == WeightFormat::kQ8_0;
  static constexpr bool kHasFifth = F == WeightFormat::kQ5_0 || F == WeightFormat::kQ5_1;
  static constexpr int kOffset = F == WeightFormat::kQ4_0 ? 8 : F == WeightFormat::kQ5_0 ? 16 : 0;
  static constexpr size_t kBytes = shapeOf(F).bytes, kUnits = 1;  // units that share what `State` holds
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
    uint8_t bytes[32];
    if constexpr (kIsSigned) {
      __builtin_memcpy(bytes, s.a + kCodes, 32);
    } else {
      typedef uint32_t Four __attribute__((vector_size(16)));
      Four low;
      __builtin_memcpy(&low, s.a + kCodes, 16);
      Four both[2] = {low & 0x0f0f0f0f, (low >> 4) & 0x0f0f0f0f};
      if constexpr (kHasFifth) {
        const uint32_t fifth = wordAt(s.a + kFifth);
        both[0] |= reinterpret_cast<Four>(fifthOf(fifth));
        both[1] |= reinterpret_cast<Four>(fifthOf(fifth >> 16));
      }
      __builtin_memcpy(bytes, both, 32);
    }
    __builtin_memcpy(unit.codes, bytes, 32);
    unit.scale[0] = broadcast(halfAt(s.a));
    if constexpr (kHasMins) unit.min = broadcast(halfAt(s.a + 2));
#endif
    return unit;
  }

 private:
#if !defined(__AVX512F__)
  // 16 in the bytes whose bit among the lowest 16 is set.
  static auto fifthOf(uint32_t bits) {
    typedef uint8_t Sixteen __attribute__((vector_size(16)));
    const uint8_t a = uint8_t(bits), b = uint8_t(bits >> 8);
    const Sixteen spread = {a, a, a, a, a, a, a, a, b, b, b, b, b, b, b, b};
    const Sixteen bit = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    return reinterpret_cast<Sixteen>((spread & bit) != 0) & 16;
  }
#endif
};

// A block of 256: 32 bytes hold the same bits of two or four runs of 32 entries.
template <WeightFormat F>
struct RunUnits {
  static constexpr WeightFormat kFormat = F;
  static constexpr bool kHasMins = true, kHasHalves = false, kIsSigned = false;
  static constexpr int kOffset = 0;
  static constexpr size_t kBytes = shapeOf(F).bytes, kUnits = 256 / kUnitEntries;

  struct State {
    RunScales runs;
    const uint8_t* block;

    State() : runs(kZeros), block(nullptr) {}
  };
  static void prepare(const uint8_t* row, size_t first, size_t, State& state) {
    state.block = row + first / 8 * kBytes;
    state.runs = RunScales(state.block);
  }
  static Unit<RunUnits> unit(const State& s, size_t at) {
    constexpr bool five = F == WeightFormat::kQ5_K;
    const uint8_t* low = s.block + (five ? 48 : 16);
    Unit<RunUnits> unit;
#if defined(__AVX512F__)
    unit.codes[0] = (reinterpret_cast<Words>(half(low + 32 * at)) >> (4 * kUpperHalf)) & 0x0f0f0f0f;
    if constexpr (five)
      unit.codes[0] |= ((reinterpret_cast<Words>(half(s.block + 16)) >> (kUpperHalf + uint32_t(2 * at))) & 0x01010101) << 4;
    unit.scale[0] = halves(s.runs.scales + 2 * at, s.runs.scales + 2 * at + 1);
    unit.min = halves(s.runs.mins + 2 * at, s.runs.mins + 2 * at + 1);
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

 private:
  static constexpr uint8_t kZeros[16] = {};
};

struct SixBitUnits {
  static constexpr WeightFormat kFormat = WeightFormat::kQ6_K;
  static constexpr bool kHasMins = false, kHasHalves = true, kIsSigned = false;
  static constexpr int kOffset = 32;
  static constexpr size_t kBytes = shapeOf(kFormat).bytes, kUnits = 256 / kUnitEntries;

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
  static Unit<SixBitUnits> unit(const State& s, size_t at) {
    Unit<SixBitUnits> unit;
#if defined(__AVX512F__)
    const uint32_t shift = uint32_t(at % 2);
    const Words four = (loadWords(s.block + 64 * (at / 2)) >> 4 * shift) & 0x0f0f0f0f;
    const Words two = (reinterpret_cast<Words>(half(s.block + 128 + 32 * (at / 2))) >> (2 * kUpperHalf + 4 * shift)) & 0x03030303;
    unit.codes[0] = four | two << 4;
    unit.scale[0] = quarters(s.scales + 4 * at);
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
