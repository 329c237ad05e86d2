// The exact referee of nearest: float64 distances of candidates (direct.h), best and second best of a row kept in the outputs.
#pragma once

#include "direct.h"
#include "kernels.h"

namespace provably::PROVABLY_TARGET {

// Offers one center of a row. Candidates of a row must come in ascending order of label: then ties go to the lowest.
inline void offer(const NearestTask& t, size_t row, uint32_t label, double distance) {
  if (distance < t.distances[row]) {
    if (t.secondLabels) {
      t.secondDistances[row] = t.distances[row];
      t.secondLabels[row] = t.labels[row];
    }
    t.distances[row] = distance;
    t.labels[row] = label;
  } else if (t.secondLabels && distance < t.secondDistances[row]) {
    t.secondDistances[row] = distance;
    t.secondLabels[row] = label;
  }
}

// A row before its first candidate.
inline void forget(const NearestTask& t, size_t row) {
  t.labels[row] = 0;
  t.distances[row] = __builtin_inf();
  if (t.secondLabels) {
    t.secondLabels[row] = 0;
    t.secondDistances[row] = __builtin_inf();
  }
}

}  // namespace provably::PROVABLY_TARGET
