// Attention of one query per head over a cache. Contract: kernels.h. Rows of a key head are read once for all query heads of its group: a
// few dozen rows are transposed so that they lie across the lanes for the scores; values are added up row by row along d_v.
// Compiled with -ffp-contract=fast like the micro-kernel.

#include "attention_block.h"
#include "exp.h"
#include "half.h"
#include "pack.h"
#include "tables.h"

namespace provably::PROVABLY_TARGET {

namespace {

// Rows of a task, whatever the number of threads, so that sums are made in one order.
constexpr size_t kChunkRows = 1024;
// Panels of rows whose scores are exponentiated at a time.
constexpr size_t kRunPanels = ceilDiv(192, kPanel);
constexpr size_t kRunRows = kRunPanels * kPanel;
// Queries of a tile of the value sums: with four vectors of columns each, they fill the registers.
constexpr size_t kQueryTile = kLanes == 16 ? 4 : 2;

float reduceLargest(Floats v) {
  float most = v[0];
  for (size_t lane = 1; lane < kLanes; lane++) most = v[lane] > most ? v[lane] : most;
  return most;
}

float reduceSum(Floats v) {
  float sum = 0;
  for (size_t lane = 0; lane < kLanes; lane++) sum += v[lane];
  return sum;
}

// out (Queries, columns), rows `stride` apart, += weights[row][query] · values (rows, columns); weights lie as (panel, query, lane).
template <size_t Queries, size_t Vectors>
inline void addValues(const float* values, size_t rows, size_t valueStride, const float* weights, size_t group, float* out, size_t stride) {
  Floats sum[Queries][Vectors];
  PROVABLY_UNROLL
  for (size_t q = 0; q < Queries; q++)
    PROVABLY_UNROLL
    for (size_t v = 0; v < Vectors; v++) sum[q][v] = loadFloats(out + q * stride + v * kLanes);
  for (size_t start = 0; start < rows; start += kPanel) {
    const float* panel = weights + start * group;
    const size_t end = smaller(kPanel, rows - start);
    for (size_t j = 0; j < end; j++) {
      const float* value = values + (start + j) * valueStride;
      Floats loaded[Vectors];
      PROVABLY_UNROLL
      for (size_t v = 0; v < Vectors; v++) loaded[v] = loadFloats(value + v * kLanes);
      PROVABLY_UNROLL
      for (size_t q = 0; q < Queries; q++) {
        const Floats weight = broadcast(panel[q * kPanel + j]);
        PROVABLY_UNROLL
        for (size_t v = 0; v < Vectors; v++) sum[q][v] += weight * loaded[v];
      }
    }
  }
  PROVABLY_UNROLL
  for (size_t q = 0; q < Queries; q++)
    PROVABLY_UNROLL
    for (size_t v = 0; v < Vectors; v++) storeFloats(out + q * stride + v * kLanes, sum[q][v]);
}

template <size_t Queries>
void addValueColumns(const float* values, size_t rows, size_t columns, const float* weights, size_t group, float* out) {
  size_t c = 0;
  for (; c + 4 * kLanes <= columns; c += 4 * kLanes)
    addValues<Queries, 4>(values + c, rows, columns, weights, group, out + c, columns);
  for (; c + kLanes <= columns; c += kLanes) addValues<Queries, 1>(values + c, rows, columns, weights, group, out + c, columns);
  for (; c < columns; c++)
    for (size_t q = 0; q < Queries; q++)
      for (size_t row = 0; row < rows; row++)
        out[q * columns + c] += weights[(row / kPanel * group + q) * kPanel + row % kPanel] * values[row * columns + c];
}

// What a chunk of rows comes to for the queries of its group: to base 2, not divided by the sums.
struct Partial {
  float* most;  // (group,)
  float* sums;  // (group,)
  float* out;   // (group, valueDim)

  static size_t floats(size_t group, size_t valueDim) { return group * (valueDim + 2); }
  Partial(float* memory, size_t group) : most(memory), sums(memory + group), out(memory + 2 * group) {}
};

struct Scratch {
  float* queries;  // (group, dim), times scale · log₂ e
  float* panel;    // (dim, kPanel)
  float* scores;   // (kRunPanels, group, kPanel)
  float* keys;     // (kRunRows, dim), of halves
  float* values;   // (kRunRows, valueDim), of halves

  static size_t floats(const DecodeTask& t, size_t group) {
    return group * (t.dim + kRunRows) + t.dim * kPanel + kRunRows * (t.dim + t.valueDim);
  }
  Scratch(float* memory, const DecodeTask& t, size_t group) : queries(memory) {
    panel = queries + group * t.dim;
    scores = panel + t.dim * kPanel;
    keys = scores + group * kRunRows;
    values = keys + kRunRows * t.dim;
  }
};

// Scores of rows [first, first + rows) of the slab, rows ≤ kRunRows; −∞ in lanes past the end.
void scoreRows(const DecodeTask& t, size_t group, size_t first, size_t rows, const float* keys, const Scratch& scratch) {
  float unused[kPanel] = {};
  for (size_t start = 0; start < rows; start += kPanel) {
    const size_t count = smaller(kPanel, rows - start);
    packLines<kPanel>(keys + start * t.dim, t.dim, nullptr, count, t.dim, nullptr, scratch.panel);
    float* scores = scratch.scores + start * group;
    blockScores(t.dim, scratch.queries, group, scratch.panel, nullptr, ceilDiv(count, kLanes), scores, unused);
    for (size_t q = 0; q < group; q++) {
      float* line = scores + q * kPanel;
      if (t.logWeights)
        for (size_t j = 0; j < count; j++) line[j] += kLog2E * t.logWeights[first + start + j];
      for (size_t j = count; j < kPanel; j++) line[j] = kMinusInfinity;
    }
  }
}

void absorb(const DecodeTask& t, size_t group, size_t rows, const float* values, const Scratch& scratch, const Partial& partial) {
  const size_t panels = ceilDiv(rows, kPanel);
  for (size_t q = 0; q < group; q++) {
    Floats top = broadcast(partial.most[q]);
    for (size_t panel = 0; panel < panels; panel++)
      for (size_t v = 0; v < kTileVectors; v++) {
        const Floats score = loadFloats(scratch.scores + (panel * group + q) * kPanel + v * kLanes);
        top = score > top ? score : top;
      }
    const float now = reduceLargest(top), before = partial.most[q];
    const float finite = now > -3.4e38f ? now : 0;  // −∞ − (−∞) would be NaN
    if (now > before && before > kMinusInfinity) {
      const float factor = exp2Of(broadcast(before - finite))[0];
      partial.sums[q] *= factor;
      for (size_t c = 0; c < t.valueDim; c++) partial.out[q * t.valueDim + c] *= factor;
    }
    partial.most[q] = now;
    Floats sum{};
    for (size_t panel = 0; panel < panels; panel++)
      for (size_t v = 0; v < kTileVectors; v++) {
        float* at = scratch.scores + (panel * group + q) * kPanel + v * kLanes;
        const Floats weight = exp2Of(loadFloats(at) - broadcast(finite));
        storeFloats(at, weight);
        sum += weight;
      }
    partial.sums[q] += reduceSum(sum);
  }
  size_t q = 0;
  for (; q + kQueryTile <= group; q += kQueryTile)
    addValueColumns<kQueryTile>(values, rows, t.valueDim, scratch.scores + q * kPanel, group, partial.out + q * t.valueDim);
  for (; q < group; q++)
    addValueColumns<1>(values, rows, t.valueDim, scratch.scores + q * kPanel, group, partial.out + q * t.valueDim);
}

// Scores to base 2 go where the probabilities will be.
void keepScores(const DecodeTask& t, size_t group, size_t keyHead, size_t firstRow, size_t rows, const Scratch& scratch) {
  for (size_t q = 0; q < group; q++)
    for (size_t row = 0; row < rows; row++)
      t.probabilities[(keyHead * group + q) * t.capacity + firstRow + row] =
          scratch.scores[(row / kPanel * group + q) * kPanel + row % kPanel];
}

void decodeChunk(const DecodeTask& t, size_t group, size_t keyHead, size_t firstRow, size_t endRow, float* memory, const Partial& partial) {
  const Scratch scratch(memory, t, group);
  for (size_t q = 0; q < group; q++) {
    partial.most[q] = kMinusInfinity;
    partial.sums[q] = 0;
    for (size_t c = 0; c < t.valueDim; c++) partial.out[q * t.valueDim + c] = 0;
  }
  for (size_t i = 0; i < group * t.dim; i++) scratch.queries[i] = t.queries[keyHead * group * t.dim + i] * (t.scale * kLog2E);
  for (size_t row = firstRow; row < endRow; row += kRunRows) {
    const size_t rows = smaller(kRunRows, endRow - row), first = keyHead * t.capacity + row;
    const float *keys = static_cast<const float*>(t.keys) + first * t.dim, *values = static_cast<const float*>(t.values) + first * t.valueDim;
    if (t.storage != Storage::kFloat32) {
      loadStored(t.keys, t.storage, first * t.dim, rows * t.dim, scratch.keys);
      loadStored(t.values, t.storage, first * t.valueDim, rows * t.valueDim, scratch.values);
      keys = scratch.keys;
      values = scratch.values;
    }
    scoreRows(t, group, first, rows, keys, scratch);
    if (t.probabilities) keepScores(t, group, keyHead, row, rows, scratch);
    absorb(t, group, rows, values, scratch, partial);
  }
}

// Chunks of one query head into its output.
void joinChunks(const DecodeTask& t, size_t group, size_t head, size_t chunks, float* partials) {
  const size_t q = head % group, stride = Partial::floats(group, t.valueDim);
  float most = kMinusInfinity;
  for (size_t chunk = 0; chunk < chunks; chunk++) {
    const float top = Partial(partials + chunk * stride, group).most[q];
    most = top > most ? top : most;
  }
  double total = 0;
  float* out = t.out + head * t.valueDim;
  for (size_t c = 0; c < t.valueDim; c++) out[c] = 0;
  for (size_t chunk = 0; chunk < chunks; chunk++) {
    const Partial part(partials + chunk * stride, group);
    const float weight = most > -3.4e38f ? exp2Of(broadcast(part.most[q] - most))[0] : 1;
    total += double(weight) * double(part.sums[q]);
    for (size_t c = 0; c < t.valueDim; c++) out[c] += weight * part.out[q * t.valueDim + c];
  }
  const bool seen = total > 0 || total != total;
  const float inverse = seen ? float(1 / total) : 0;
  for (size_t c = 0; c < t.valueDim; c++) out[c] *= inverse;
  t.lse[head] = total > 0 ? double(most) * kLn2 + logOf(total) : seen ? total : double(kMinusInfinity);
}

}  // namespace

void decode(const DecodeTask& t, Team& team) {
  const size_t group = t.heads / t.keyHeads, perHead = ceilDiv(t.capacity, kChunkRows), stride = Partial::floats(group, t.valueDim);
  float* partials = scratchOf<float>(team, team.threads, t.keyHeads * perHead * stride + 1);
  const auto chunksOf = [&](size_t keyHead) { return ceilDiv(t.lengths[keyHead], kChunkRows); };
  forEachTask(team, t.keyHeads * perHead, [&](size_t task, int thread) {
    const size_t keyHead = task / perHead, chunk = task % perHead;
    if (chunk >= chunksOf(keyHead)) return;
    float* memory = scratchOf<float>(team, thread, Scratch::floats(t, group));
    decodeChunk(t, group, keyHead, chunk * kChunkRows, smaller(t.lengths[keyHead], (chunk + 1) * kChunkRows), memory,
                Partial(partials + task * stride, group));
  });
  for (size_t head = 0; head < t.heads; head++) {
    const size_t keyHead = head / group;
    joinChunks(t, group, head, chunksOf(keyHead), partials + keyHead * perHead * stride);
    if (!t.probabilities) continue;
    float* line = t.probabilities + head * t.capacity;
    const float lse = t.lse[head] > double(kMinusInfinity) ? float(t.lse[head] / kLn2) : 0;
    for (size_t row = 0; row < t.lengths[keyHead]; row++) line[row] = exp2Of(broadcast(line[row] - lse))[0];
  }
}

#if !defined(__wasm__)
// The obvious loops in float64.
void decodeScalar(const DecodeTask& t, Team& team) {
  double* sums = scratchOf<double>(team, 0, t.valueDim + t.capacity);
  double* logits = sums + t.valueDim;
  float* row = scratchOf<float>(team, 1, t.dim + t.valueDim);
  for (size_t head = 0; head < t.heads; head++) {
    const size_t keyHead = head / (t.heads / t.keyHeads), first = keyHead * t.capacity;
    double most = kMinusInfinity, total = 0;
    for (size_t j = 0; j < t.lengths[keyHead]; j++) {
      loadStored(t.keys, t.storage, (first + j) * t.dim, t.dim, row);
      double product = 0;
      for (size_t p = 0; p < t.dim; p++) product += double(t.queries[head * t.dim + p]) * double(row[p]);
      logits[j] = double(t.scale) * product + (t.logWeights ? double(t.logWeights[first + j]) : 0);
      most = logits[j] <= most ? most : logits[j];
    }
    for (size_t c = 0; c < t.valueDim; c++) sums[c] = 0;
    for (size_t j = 0; j < t.lengths[keyHead]; j++) {
      logits[j] = logits[j] == double(kMinusInfinity) ? 0 : __builtin_exp(logits[j] - most);
      total += logits[j];
      loadStored(t.values, t.storage, (first + j) * t.valueDim, t.valueDim, row);
      for (size_t c = 0; c < t.valueDim; c++) sums[c] += logits[j] * double(row[c]);
    }
    for (size_t c = 0; c < t.valueDim; c++) t.out[head * t.valueDim + c] = total == 0 ? 0 : float(sums[c] / total);
    t.lse[head] = total == 0 ? double(kMinusInfinity) : most + __builtin_log(total);
    for (size_t j = 0; t.probabilities && j < t.lengths[keyHead]; j++)
      t.probabilities[head * t.capacity + j] = total == 0 ? 0 : float(logits[j] / total);
  }
}
#endif

}  // namespace provably::PROVABLY_TARGET
