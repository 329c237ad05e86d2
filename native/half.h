// float16 and bfloat16 by their bits to float32, exactly; one by one or a vector at a time.
#pragma once

#if defined(__F16C__)
#include <immintrin.h>
#endif

#include "kernels.h"
#include "vector.h"

namespace provably::PROVABLY_TARGET {

inline float fromBits(uint32_t bits) {
  float value;
  __builtin_memcpy(&value, &bits, sizeof value);
  return value;
}

#if defined(__F16C__)
inline float float16ToFloat(uint16_t half) { return _cvtsh_ss(half); }
#else
inline float float16ToFloat(uint16_t half) {
  // Exponent and fraction moved into place are the number times 2⁻¹¹²; a subnormal half becomes a subnormal float, which the product normalises.
  const uint32_t size = uint32_t(half & 0x7fff) << 13;
  const uint32_t sign = uint32_t(half & 0x8000) << 16;
  const float finite = fromBits(size) * fromBits((127 + 112) << 23);
  const float value = (half & 0x7c00) == 0x7c00 ? fromBits(size | 0x7f800000) : finite;
  uint32_t bits;
  __builtin_memcpy(&bits, &value, sizeof bits);
  return fromBits(bits | sign);
}
#endif

inline float bfloat16ToFloat(uint16_t half) { return fromBits(uint32_t(half) << 16); }

// How rows of each storage come as vectors.
struct FloatEntries {
  using Entry = float;
  static Floats load(const float* from) { return loadFloats(from); }
  static float one(float entry) { return entry; }
};

// Signed, since a sign that fills the upper half of a word costs no instruction.
typedef int16_t HalvesInMemory __attribute__((vector_size(2 * kLanes), aligned(2), may_alias));

inline Ints loadHalves(const uint16_t* from) {
  return __builtin_convertvector(*reinterpret_cast<const HalvesInMemory*>(from), Ints);
}

struct Float16Entries {
  using Entry = uint16_t;
#if defined(__AVX512F__)
  static Floats load(const uint16_t* from) {
    return reinterpret_cast<Floats>(_mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from))));
  }
#elif defined(__F16C__)
  static Floats load(const uint16_t* from) {
    return reinterpret_cast<Floats>(_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from))));
  }
#else
  // As float16ToFloat, the sign going through the product.
  static Floats load(const uint16_t* from) {
    constexpr int32_t infinity = 0x7f800000, largest = 0x7c00 << 13;
    const Ints moved = (loadHalves(from) << 13) & int32_t(0x8fffe000);
    const Ints finite = reinterpret_cast<Ints>(reinterpret_cast<Floats>(moved) * fromBits((127 + 112) << 23));
    return reinterpret_cast<Floats>((moved & largest) == largest ? moved | infinity : finite);
  }
#endif
  static float one(uint16_t entry) { return float16ToFloat(entry); }
};

struct Bfloat16Entries {
  using Entry = uint16_t;
  static Floats load(const uint16_t* from) { return reinterpret_cast<Floats>(loadHalves(from) << 16); }
  static float one(uint16_t entry) { return bfloat16ToFloat(entry); }
};

template <class Stored>
inline void convertHalves(const uint16_t* from, size_t count, float* to, float (*one)(uint16_t)) {
  size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) storeFloats(to + i, Stored::load(from + i));
  for (; i < count; i++) to[i] = one(from[i]);
}

// Entries [first, first + count) of a stored array as floats.
inline void loadStored(const void* from, Storage storage, size_t first, size_t count, float* to) {
  if (storage == Storage::kFloat32) {
    __builtin_memcpy(to, static_cast<const float*>(from) + first, count * sizeof(float));
  } else {
    const uint16_t* bits = static_cast<const uint16_t*>(from) + first;
    if (storage == Storage::kFloat16)
      convertHalves<Float16Entries>(bits, count, to, float16ToFloat);
    else
      convertHalves<Bfloat16Entries>(bits, count, to, bfloat16ToFloat);
  }
}

}  // namespace provably::PROVABLY_TARGET
