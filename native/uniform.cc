// Uniform numbers by position in a Threefry stream. Contract: kernels.h.

#include "tables.h"
#include "threefry.h"

namespace provably::PROVABLY_TARGET {

void uniformScalar(const UniformTask& t, Team&) {
  for (size_t i = 0; i < t.count; i++) {
    const uint64_t counter = t.start + i;
    uint32_t x0, x1;
    threefry2x32<uint32_t>(t.key, uint32_t(counter), uint32_t(counter >> 32), x0, x1);
    t.out[i] = unitFromWords(x0, x1);
  }
}

void uniform(const UniformTask& t, Team& team) {
  constexpr size_t chunk = 1 << 13;
  forEachTask(team, ceilDiv(t.count, chunk), [&](size_t task, int) {
    const size_t first = task * chunk, end = smaller(t.count, first + chunk);
    for (size_t i = first; i < end; i += kLanes) {
      Words low, high, x0, x1;
      for (size_t l = 0; l < kLanes; l++) {
        const uint64_t counter = t.start + i + l;  // lanes past the end are computed and dropped
        low[l] = uint32_t(counter);
        high[l] = uint32_t(counter >> 32);
      }
      threefry2x32<Words>(t.key, low, high, x0, x1);
      for (size_t l = 0; l < smaller(kLanes, end - i); l++) t.out[i + l] = unitFromWords(x0[l], x1[l]);
    }
  });
}

}  // namespace provably::PROVABLY_TARGET
