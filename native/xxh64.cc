// XXH64 of one 8-byte word (xxHash specification 0.1.1). Contract: kernels.h.

#include "tables.h"
#include "vector.h"

namespace provably::PROVABLY_TARGET {

namespace {

constexpr uint64_t kPrime1 = 0x9e3779b185ebca87, kPrime2 = 0xc2b2ae3d27d4eb4f, kPrime3 = 0x165667b19e3779f9,
                   kPrime4 = 0x85ebca77c2b2ae63, kPrime5 = 0x27d4eb2f165667c5;

inline uint64_t rotate(uint64_t x, int bits) { return x << bits | x >> (64 - bits); }

inline uint64_t hashWord(uint64_t value, uint64_t seed) {
  uint64_t hash = seed + kPrime5 + 8;
  hash ^= rotate(value * kPrime2, 31) * kPrime1;
  hash = rotate(hash, 27) * kPrime1 + kPrime4;
  hash = (hash ^ hash >> 33) * kPrime2;
  hash = (hash ^ hash >> 29) * kPrime3;
  return hash ^ hash >> 32;
}

}  // namespace

void xxh64Scalar(const HashTask& t, Team&) {
  for (size_t i = 0; i < t.count; i++) t.hashes[i] = hashWord(t.values[i], t.seeds ? t.seeds[i] : t.seed);
}

void xxh64(const HashTask& t, Team& team) {
  constexpr size_t chunk = 1 << 14;
  forEachTask(team, ceilDiv(t.count, chunk), [&](size_t task, int) {
    const size_t first = task * chunk, end = smaller(t.count, first + chunk);
    // Two plain loops: the compiler vectorizes them where there is a 64-bit product (AVX-512).
    if (t.seeds)
      for (size_t i = first; i < end; i++) t.hashes[i] = hashWord(t.values[i], t.seeds[i]);
    else
      for (size_t i = first; i < end; i++) t.hashes[i] = hashWord(t.values[i], t.seed);
  });
}

}  // namespace provably::PROVABLY_TARGET
