// Sums of points by label, float64. Threads split the columns, not the rows, so every sum is added up in row order
// whatever their number: bit-equal results at no cost. Compiled with -ffp-contract=off: weight · x is rounded first.

#include "tables.h"
#include "vector.h"

namespace provably::PROVABLY_TARGET {

void labelSumsScalar(const LabelSumsTask& t, Team&) {
  for (size_t i = 0; i < t.rows; i++) {
    const double weight = t.weights ? t.weights[i] : 1;
    t.counts[t.labels[i]] += weight;
    for (size_t p = 0; p < t.dim; p++) t.sums[t.labels[i] * t.dim + p] += weight * double(t.points[i * t.dim + p]);
  }
}

namespace {

// A cache line of points: narrower slices would make two threads read the same lines.
constexpr size_t kSlice = 16;

template <bool Weighted>
void sumColumns(const LabelSumsTask& t, size_t first, size_t end) {
  for (size_t i = 0; i < t.rows; i++) {
    const float* point = t.points + i * t.dim;
    double* sum = t.sums + t.labels[i] * t.dim;
    const double weight = Weighted ? t.weights[i] : 1;
    // The next rows of `sums` are known ahead, but not to the hardware's prefetcher.
    if (i + 4 < t.rows) {
      const double* later = t.sums + t.labels[i + 4] * t.dim;
      for (size_t p = first; p < smaller(end, first + 64); p += 8) __builtin_prefetch(later + p, 1);
    }
    size_t p = first;
    for (; p + kDoubleLanes <= end; p += kDoubleLanes) {
      const Doubles x = loadAsDoubles(point + p);
      typedef double InMemory __attribute__((vector_size(8 * kDoubleLanes), aligned(8), may_alias));
      InMemory* to = reinterpret_cast<InMemory*>(sum + p);
      *to = Weighted ? *to + x * weight : *to + x;
    }
    for (; p < end; p++) sum[p] += Weighted ? weight * double(point[p]) : double(point[p]);
  }
}

}  // namespace

void labelSums(const LabelSumsTask& t, Team& team) {
  const size_t slices = ceilDiv(t.dim, kSlice);
  const size_t parts = smaller(slices, size_t(team.threads));
  const size_t width = parts ? ceilDiv(slices, parts) * kSlice : 0;
  forEachTask(team, parts, [&](size_t part, int) {
    const size_t first = part * width, end = smaller(t.dim, first + width);
    if (first >= end) return;
    if (t.weights)
      sumColumns<true>(t, first, end);
    else
      sumColumns<false>(t, first, end);
  });
  for (size_t i = 0; i < t.rows; i++) t.counts[t.labels[i]] += t.weights ? t.weights[i] : 1;
}

}  // namespace provably::PROVABLY_TARGET
