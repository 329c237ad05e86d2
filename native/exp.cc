// y = eˣ entry by entry. Contract: kernels.h. Compiled with -ffp-contract=fast like the micro-kernel.

#include "exp.h"

#include "tables.h"

namespace provably::PROVABLY_TARGET {

namespace {

float expOfOne(float x) { return expOf(broadcast(x))[0]; }

}  // namespace

void expScalar(const ExpTask& t, Team&) {
  for (size_t i = 0; i < t.count; i++) t.out[i] = expOfOne(t.x[i]);
}

void exp(const ExpTask& t, Team& team) {
  constexpr size_t chunk = 1 << 14;
  forEachTask(team, ceilDiv(t.count, chunk), [&](size_t task, int) {
    size_t i = task * chunk;
    const size_t end = smaller(t.count, i + chunk);
    for (; i + kLanes <= end; i += kLanes) storeFloats(t.out + i, expOf(loadFloats(t.x + i)));
    for (; i < end; i++) t.out[i] = expOfOne(t.x[i]);
  });
}

}  // namespace provably::PROVABLY_TARGET
