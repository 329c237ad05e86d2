// float16 and bfloat16 by their bits to float32, exactly. Without branches, so that compilers vectorize the loops.
#pragma once

#include "kernels.h"

namespace provably::PROVABLY_TARGET {

inline float fromBits(uint32_t bits) {
  float value;
  __builtin_memcpy(&value, &bits, sizeof value);
  return value;
}

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

inline float bfloat16ToFloat(uint16_t half) { return fromBits(uint32_t(half) << 16); }

// Entries [first, first + count) of a stored array as floats.
inline void loadStored(const void* from, Storage storage, size_t first, size_t count, float* to) {
  if (storage == Storage::kFloat32) {
    __builtin_memcpy(to, static_cast<const float*>(from) + first, count * sizeof(float));
  } else {
    const uint16_t* bits = static_cast<const uint16_t*>(from) + first;
    if (storage == Storage::kFloat16)
      for (size_t i = 0; i < count; i++) to[i] = float16ToFloat(bits[i]);
    else
      for (size_t i = 0; i < count; i++) to[i] = bfloat16ToFloat(bits[i]);
  }
}

}  // namespace provably::PROVABLY_TARGET
