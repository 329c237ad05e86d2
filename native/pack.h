// Packing: rows or columns of a matrix copied into panels the micro-kernel reads with stride 1.
#pragma once

#include "vector.h"

namespace provably::PROVABLY_TARGET {

// A panel is (depth, Width): entry (p, i) = source line i at depth p, minus origin[p]. Lines from `lines` on are zeros.

// Lines lie along memory: line i starts at source + i · stride, or at source + order[i] · stride when `order` is given.
template <size_t Width>
inline void packLines(const float* source, size_t stride, const uint32_t* order, size_t lines, size_t depth,
                      const float* origin, float* panel) {
  size_t i = 0;
  for (; i + 4 <= Width && i + 4 <= lines; i += 4) {
    const float* line[4];
    for (size_t t = 0; t < 4; t++) line[t] = source + (order ? order[i + t] : i + t) * stride;
    size_t p = 0;
    for (; p + 4 <= depth; p += 4) {
      const Quad shift = origin ? *reinterpret_cast<const QuadInMemory*>(origin + p) : Quad{};
      const Quad r0 = *reinterpret_cast<const QuadInMemory*>(line[0] + p) - shift;
      const Quad r1 = *reinterpret_cast<const QuadInMemory*>(line[1] + p) - shift;
      const Quad r2 = *reinterpret_cast<const QuadInMemory*>(line[2] + p) - shift;
      const Quad r3 = *reinterpret_cast<const QuadInMemory*>(line[3] + p) - shift;
      const Quad low01 = PROVABLY_SHUFFLE(r0, r1, 0, 4, 1, 5);
      const Quad low23 = PROVABLY_SHUFFLE(r2, r3, 0, 4, 1, 5);
      const Quad high01 = PROVABLY_SHUFFLE(r0, r1, 2, 6, 3, 7);
      const Quad high23 = PROVABLY_SHUFFLE(r2, r3, 2, 6, 3, 7);
      float* to = panel + p * Width + i;
      *reinterpret_cast<QuadInMemory*>(to) = PROVABLY_SHUFFLE(low01, low23, 0, 1, 4, 5);
      *reinterpret_cast<QuadInMemory*>(to + Width) = PROVABLY_SHUFFLE(low01, low23, 2, 3, 6, 7);
      *reinterpret_cast<QuadInMemory*>(to + 2 * Width) = PROVABLY_SHUFFLE(high01, high23, 0, 1, 4, 5);
      *reinterpret_cast<QuadInMemory*>(to + 3 * Width) = PROVABLY_SHUFFLE(high01, high23, 2, 3, 6, 7);
    }
    for (; p < depth; p++)
      for (size_t t = 0; t < 4; t++) panel[p * Width + i + t] = line[t][p] - (origin ? origin[p] : 0);
  }
  for (; i < Width; i++) {
    if (i < lines) {
      const float* line = source + (order ? order[i] : i) * stride;
      for (size_t p = 0; p < depth; p++) panel[p * Width + i] = line[p] - (origin ? origin[p] : 0);
    } else {
      for (size_t p = 0; p < depth; p++) panel[p * Width + i] = 0;
    }
  }
}

// The way back: line i of the panel, times factors[i], to to[i]; plus kept[i] times what is there unless kept[i] is 0.
template <size_t Width>
inline void unpackLines(const float* panel, size_t lines, size_t depth, const float* factors, const float* kept, float* const* to) {
  const auto put = [&](size_t i, float* at, float value) { *at = kept[i] == 0 ? value : value + kept[i] * *at; };
  size_t i = 0;
  for (; i + 4 <= lines; i += 4) {
    const Quad factor = *reinterpret_cast<const QuadInMemory*>(factors + i);
    size_t p = 0;
    for (; p + 4 <= depth; p += 4) {
      const float* from = panel + p * Width + i;
      const Quad c0 = *reinterpret_cast<const QuadInMemory*>(from) * factor;
      const Quad c1 = *reinterpret_cast<const QuadInMemory*>(from + Width) * factor;
      const Quad c2 = *reinterpret_cast<const QuadInMemory*>(from + 2 * Width) * factor;
      const Quad c3 = *reinterpret_cast<const QuadInMemory*>(from + 3 * Width) * factor;
      const Quad low01 = PROVABLY_SHUFFLE(c0, c1, 0, 4, 1, 5);
      const Quad low23 = PROVABLY_SHUFFLE(c2, c3, 0, 4, 1, 5);
      const Quad high01 = PROVABLY_SHUFFLE(c0, c1, 2, 6, 3, 7);
      const Quad high23 = PROVABLY_SHUFFLE(c2, c3, 2, 6, 3, 7);
      const Quad line[4] = {PROVABLY_SHUFFLE(low01, low23, 0, 1, 4, 5), PROVABLY_SHUFFLE(low01, low23, 2, 3, 6, 7),
                            PROVABLY_SHUFFLE(high01, high23, 0, 1, 4, 5), PROVABLY_SHUFFLE(high01, high23, 2, 3, 6, 7)};
      PROVABLY_UNROLL
      for (size_t t = 0; t < 4; t++) {
        QuadInMemory* at = reinterpret_cast<QuadInMemory*>(to[i + t] + p);
        *at = kept[i + t] == 0 ? line[t] : line[t] + kept[i + t] * *at;
      }
    }
    for (; p < depth; p++)
      for (size_t t = 0; t < 4; t++) put(i + t, to[i + t] + p, factors[i + t] * panel[p * Width + i + t]);
  }
  for (; i < lines; i++)
    for (size_t p = 0; p < depth; p++) put(i, to[i] + p, factors[i] * panel[p * Width + i]);
}

// Lines lie across memory: entry (p, i) = source[p · stride + i].
template <size_t Width>
inline void packColumns(const float* source, size_t stride, size_t lines, size_t depth, float* panel) {
  if (lines == Width) {
    for (size_t p = 0; p < depth; p++) __builtin_memcpy(panel + p * Width, source + p * stride, Width * sizeof(float));
    return;
  }
  for (size_t p = 0; p < depth; p++)
    for (size_t i = 0; i < Width; i++) panel[p * Width + i] = i < lines ? source[p * stride + i] : 0;
}

}  // namespace provably::PROVABLY_TARGET
