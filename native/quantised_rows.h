// Rows of keys and values in a few bits a number; the format is told in src/kernels/quantised-rows.ts.
#pragma once

#include "half.h"

namespace provably::PROVABLY_TARGET {

struct RowBits {
  uint32_t bits;
  float beta;  // curvature of the levels
};

// Of keys, or of values; 0 bits for plain numbers.
inline RowBits rowBitsOf(Storage storage, bool keys) {
  constexpr RowBits eight{8, 0}, four{4, 0.0087224f}, three{3, 0.0245855f}, two{2, 0};
  switch (storage) {
    case Storage::kK8V8: return eight;
    case Storage::kK4V4: return four;
    case Storage::kK4V3: return keys ? four : three;
    case Storage::kK4V2: return keys ? four : two;
    default: return {0, 0};
  }
}

// Bytes of a row of `dim` numbers, scale included.
inline size_t quantisedRowBytes(size_t dim, uint32_t bits) {
  return bits == 3 ? ceilDiv(dim, 4) + ceilDiv(dim, 8) + 2 : ceilDiv(dim * bits, 8) + 2;
}

// Codes of a plane of `bits` from its bytes, eight at a time; `join` takes place and codes.
template <class Join>
inline void unpackPlane(const uint8_t* plane, size_t bytes, uint32_t bits, Join&& join) {
  const uint64_t mask = 0x0101010101010101u * ((1u << bits) - 1);
  for (size_t k = 0; k < 8 / bits; k++)
    for (size_t j = 0; j < bytes; j += 8) {
      uint64_t word = 0;
      if (j + 8 <= bytes)
        __builtin_memcpy(&word, plane + j, 8);
      else
        __builtin_memcpy(&word, plane + j, bytes - j);
      join(j + k * bytes, (word >> (bits * k)) & mask);
    }
}

// Room for the codes of a row: words of eight may reach beyond its end.
constexpr size_t codeRoom(size_t dim) { return roundUp(dim, 64) + 64; }

// A row as floats, zeros behind it up to `width`. `codes`: codeRoom(dim) bytes.
inline void unpackRow(const uint8_t* row, size_t dim, RowBits format, size_t width, uint8_t* codes, float* to) {
  const uint32_t low = format.bits == 3 ? 2 : format.bits;
  const size_t bytes = ceilDiv(dim * low, 8);
  const auto store = [&](size_t at, uint64_t word) { __builtin_memcpy(codes + at, &word, 8); };
  // Words that reach beyond their part of the codes are overwritten by the next part, which comes later.
  unpackPlane(row, bytes, low, store);
  const uint8_t* end = row + bytes;
  if (format.bits == 3) {
    const size_t more = ceilDiv(dim, 8);
    for (size_t k = 0; k < 8; k++)
      for (size_t j = 0; j < more; j++) codes[j + k * more] |= ((end[j] >> k) & 1) << 2;
    end += more;
  }
  const float scale = bfloat16ToFloat(uint16_t(end[0] | end[1] << 8)), half = float((1u << format.bits) - 1) / 2;
  typedef uint8_t BytesInMemory __attribute__((vector_size(kLanes), aligned(1), may_alias));
  for (size_t p = 0; p < width; p += kLanes) {
    const Floats k = __builtin_convertvector(*reinterpret_cast<const BytesInMemory*>(codes + p), Floats) - half;
    storeFloats(to + p, scale * (k + format.beta * (k * k * k)));
  }
  for (size_t p = dim; p < width; p++) to[p] = 0;
}

inline bool isFlipped(size_t i) { return (uint32_t(i) * 2654435761u >> 13) & 1; }

// Hadamard's transform of blocks as long as the largest power of two that divides the length.
inline void hadamard(float* x, size_t dim) {
  const size_t block = dim & (~dim + 1);
  float factor = 1;
  for (size_t width = 1; width < block; width *= 2, factor *= 0.70710678f)
    for (size_t start = 0; start < dim; start += 2 * width)
      for (size_t i = start; i < start + width; i++) {
        const float a = x[i], b = x[i + width];
        x[i] = a + b;
        x[i + width] = a - b;
      }
  for (size_t i = 0; i < dim; i++) x[i] *= factor;
}

inline void flip(float* x, size_t dim) {
  for (size_t i = 0; i < dim; i++) x[i] = isFlipped(i) ? 0 - x[i] : x[i];
}

// Into the basis of stored rows, and back.
inline void rotate(float* x, size_t dim) {
  flip(x, dim);
  hadamard(x, dim);
}

inline void rotateBack(float* x, size_t dim) {
  hadamard(x, dim);
  flip(x, dim);
}

}  // namespace provably::PROVABLY_TARGET
