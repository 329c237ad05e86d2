// Vector types of the instruction set this file is compiled for. Only compiler vector extensions, so that one source
// serves all; PROVABLY_TARGET names the namespace, so that no inline function compiled for a wide set is linked into a
// narrow one.
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifndef PROVABLY_TARGET
#error "compile with -DPROVABLY_TARGET=avx512vnni|avx512|avx2|neon|baseline"
#endif

#define PROVABLY_UNROLL _Pragma("GCC unroll 16")

namespace provably::PROVABLY_TARGET {

// The micro-kernel's tile is kTileRows × kTileVectors vectors of kLanes floats: as many accumulators as registers allow beside
// kTileVectors vectors of B and one broadcast of A; 24 of 32 registers, or 12 of 16.
#if defined(__AVX512F__)
constexpr size_t kLanes = 16, kTileRows = 8, kTileVectors = 3;
#elif defined(__AVX__)
constexpr size_t kLanes = 8, kTileRows = 6, kTileVectors = 2;
#elif defined(__aarch64__)
constexpr size_t kLanes = 4, kTileRows = 8, kTileVectors = 3;
#elif defined(__wasm__)
// 8 accumulators: with 12 the engines' register allocators spill (measured 42 against 27 GFLOP/s in V8).
constexpr size_t kLanes = 4, kTileRows = 4, kTileVectors = 2;
#else
constexpr size_t kLanes = 4, kTileRows = 6, kTileVectors = 2;
#endif
constexpr size_t kTileColumns = kTileVectors * kLanes;

typedef float Floats __attribute__((vector_size(4 * kLanes)));
typedef int32_t Ints __attribute__((vector_size(4 * kLanes)));
typedef uint32_t Words __attribute__((vector_size(4 * kLanes)));
// The same in memory of any alignment, aliasing floats.
typedef float FloatsInMemory __attribute__((vector_size(4 * kLanes), aligned(4), may_alias));
typedef int32_t IntsInMemory __attribute__((vector_size(4 * kLanes), aligned(4), may_alias));

inline Floats loadFloats(const float* from) { return *reinterpret_cast<const FloatsInMemory*>(from); }
inline Ints loadInts(const void* from) { return *static_cast<const IntsInMemory*>(from); }
inline void storeFloats(float* to, Floats value) { *reinterpret_cast<FloatsInMemory*>(to) = value; }
inline Floats broadcast(float value) { return value - Floats{}; }

// Four floats, for transposing 4 × 4 blocks while packing.
typedef float Quad __attribute__((vector_size(16)));
typedef float QuadInMemory __attribute__((vector_size(16), aligned(4), may_alias));
#if defined(__clang__)
#define PROVABLY_SHUFFLE(a, b, i, j, k, l) __builtin_shufflevector(a, b, i, j, k, l)
#else
typedef int32_t QuadIndex __attribute__((vector_size(16)));
#define PROVABLY_SHUFFLE(a, b, i, j, k, l) __builtin_shuffle(a, b, QuadIndex{i, j, k, l})
#endif

// Doubles in the widest register, and as many floats to convert from.
constexpr size_t kDoubleLanes = kLanes / 2;
typedef double Doubles __attribute__((vector_size(8 * kDoubleLanes)));
typedef double DoublesInMemory __attribute__((vector_size(8 * kDoubleLanes), aligned(8), may_alias));
typedef float HalfInMemory __attribute__((vector_size(4 * kDoubleLanes), aligned(4), may_alias));

inline Doubles loadDoubles(const double* from) { return *reinterpret_cast<const DoublesInMemory*>(from); }
inline void storeDoubles(double* to, Doubles value) { *reinterpret_cast<DoublesInMemory*>(to) = value; }
inline Doubles loadAsDoubles(const float* from) {
  return __builtin_convertvector(*reinterpret_cast<const HalfInMemory*>(from), Doubles);
}

constexpr size_t smaller(size_t a, size_t b) { return a < b ? a : b; }
constexpr size_t ceilDiv(size_t a, size_t b) { return (a + b - 1) / b; }
constexpr size_t roundUp(size_t a, size_t b) { return ceilDiv(a, b) * b; }

}  // namespace provably::PROVABLY_TARGET
