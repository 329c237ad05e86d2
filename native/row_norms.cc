// Squared norms of rows, relative to an origin. Contract: kernels.h; order of the sum: direct.h.

#include "direct.h"
#include "tables.h"

namespace provably::PROVABLY_TARGET {

void rowNormsScalar(const RowNormsTask& t, Team&) {
  for (size_t i = 0; i < t.rows; i++) t.norms[i] = directDistanceScalar(t.points + i * t.dim, t.origin, t.dim);
}

void rowNorms(const RowNormsTask& t, Team& team) {
  const size_t chunk = ceilDiv(1 << 16, t.dim + 1);
  forEachTask(team, ceilDiv(t.rows, chunk), [&](size_t task, int) {
    for (size_t i = task * chunk; i < smaller(t.rows, (task + 1) * chunk); i++)
      t.norms[i] = directDistance(t.points + i * t.dim, t.origin, t.dim);
  });
}

}  // namespace provably::PROVABLY_TARGET
