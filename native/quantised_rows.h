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

// Room for a row that must be read beyond its end.
constexpr size_t rowRoom(size_t dim) { return dim + 2 + kLanes; }

typedef uint8_t BytesInMemory __attribute__((vector_size(kLanes), aligned(1), may_alias));

template <class Word>
inline Word loadWord(const uint8_t* from) {
  Word word;
  __builtin_memcpy(&word, from, sizeof word);
  return word;
}

inline Ints lanes() {
  Ints lane;
  for (size_t i = 0; i < kLanes; i++) lane[i] = int32_t(i);
  return lane;
}

// Codes of numbers [p, p + kLanes) from a plane of `Bits` bits each.
template <uint32_t Bits>
inline Ints codesAt(const uint8_t* plane, size_t p) {
  const uint8_t* from = plane + p * Bits / 8;
  if constexpr (Bits == 8) {
    return __builtin_convertvector(*reinterpret_cast<const BytesInMemory*>(from), Ints);
  } else if constexpr (kLanes * Bits == 64) {
    const Ints low = Ints{} + loadWord<int32_t>(from), high = Ints{} + loadWord<int32_t>(from + 4);
    const Words word = reinterpret_cast<Words>(lanes() < int32_t(kLanes / 2) ? low : high);
    return reinterpret_cast<Ints>((word >> reinterpret_cast<Words>(lanes() % int32_t(kLanes / 2) * int32_t(Bits))) & ((1u << Bits) - 1));
  } else {
    uint32_t bits;
    if constexpr (kLanes * Bits == 32)
      bits = loadWord<uint32_t>(from);
    else if constexpr (kLanes * Bits == 16)
      bits = loadWord<uint16_t>(from);
    else
      bits = uint32_t(*from) >> (p * Bits % 8);
    return reinterpret_cast<Ints>(((Words{} + bits) >> reinterpret_cast<Words>(lanes() * int32_t(Bits))) & ((1u << Bits) - 1));
  }
}

template <uint32_t Bits>
inline void unpackCodes(const uint8_t* row, size_t dim, float beta, size_t width, float* to) {
  constexpr uint32_t low = Bits == 3 ? 2 : Bits;
  constexpr float half = float((1u << Bits) - 1) / 2;
  const uint8_t *more = row + ceilDiv(dim * low, 8), *end = row + quantisedRowBytes(dim, Bits) - 2;
  const float scale = bfloat16ToFloat(uint16_t(end[0] | end[1] << 8));
  for (size_t p = 0; p < width; p += kLanes) {
    Ints codes = codesAt<low>(row, p);
    if constexpr (Bits == 3) codes |= codesAt<1>(more, p) << 2;
    const Floats k = __builtin_convertvector(codes, Floats) - half;
    if constexpr (Bits == 4 || Bits == 3)
      storeFloats(to + p, (scale * k) * (1 + beta * (k * k)));
    else
      storeFloats(to + p, scale * k);
  }
}

// A row as floats, zeros behind it up to `width`, whole vectors. `room`: rowRoom(dim) bytes.
inline void unpackRow(const uint8_t* row, size_t dim, RowBits format, size_t width, uint8_t* room, float* to) {
  if (dim % kLanes != 0) {
    __builtin_memcpy(room, row, quantisedRowBytes(dim, format.bits));
    row = room;
  }
  if (format.bits == 8) unpackCodes<8>(row, dim, format.beta, width, to);
  if (format.bits == 4) unpackCodes<4>(row, dim, format.beta, width, to);
  if (format.bits == 3) unpackCodes<3>(row, dim, format.beta, width, to);
  if (format.bits == 2) unpackCodes<2>(row, dim, format.beta, width, to);
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
