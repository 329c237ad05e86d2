// Gradients of attention, by walking the same keys again and recomputing the weights from the log-sum-exp (Dao et al., arXiv 2205.14135).
// Contract: kernels.h. Key gradients collect from many queries: pieces of work are dealt to a fixed number of slices, each with sums of
// its own that are added up in order, so that the number of threads changes no bit.

#include "attention_logits.h"
#include "tables.h"

namespace provably::PROVABLY_TARGET {

namespace {

// Slices of a task: enough for a few threads where there are few key heads; each holds gradients for all keys of its head.
size_t slicesOf(const AttentionLogits& t) { return ceilDiv(4, t.keyHeads); }

// Columns in whole panels.
size_t paddedColumns(size_t columns) { return roundUp(columns, kPanel); }

struct BackwardPanels {
  float* queries;    // (panels, dim, kPanel), times scale · log₂ e
  float* gradients;  // (panels, valueDim, kPanel): dO
  float* queryRows;  // (panels, column panels of dim, kPanel rows, kPanel), times scale
  float* outRows;    // (panels, column panels of valueDim, kPanel rows, kPanel): dO
  float* sums;       // (panels, dim, kPanel): dQ / scale
  float* lse;        // (panels, kPanel) to base 2
  float* delta;      // (panels, kPanel): ⟨dO, O⟩ − dlse
  float* scores;     // (kBlockKeys, kPanel): P
  float* slopes;     // (kBlockKeys, kPanel): dS / scale
  float* block;      // (kBlockKeys, kPanel)
  float* walk;

  static size_t floats(const AttentionLogits& t) {
    return kPieceRows * (2 * t.dim + t.valueDim + paddedColumns(t.dim) + paddedColumns(t.valueDim) + 2) + 3 * kBlockKeys * kPanel +
           KeyWalk::scratchFloats(t);
  }

  BackwardPanels(const AttentionLogits& t, float* memory) : queries(memory) {
    gradients = queries + kPieceRows * t.dim;
    queryRows = gradients + kPieceRows * t.valueDim;
    outRows = queryRows + kPieceRows * paddedColumns(t.dim);
    sums = outRows + kPieceRows * paddedColumns(t.valueDim);
    lse = sums + kPieceRows * t.dim;
    delta = lse + kPieceRows;
    scores = delta + kPieceRows;
    slopes = scores + kBlockKeys * kPanel;
    block = slopes + kBlockKeys * kPanel;
    walk = block + kBlockKeys * kPanel;
  }
};

// Rows of a panel cut into panels of columns, zeros where there is nothing.
void cutColumns(const float* const* rows, size_t lines, size_t columns, float factor, float* to) {
  for (size_t start = 0; start < columns; start += kPanel)
    for (size_t i = 0; i < kPanel; i++)
      for (size_t c = 0; c < kPanel; c++, to++) *to = i < lines && start + c < columns ? factor * rows[i][start + c] : 0;
}

void startBackward(const AttentionBackwardTask& task, const Piece& piece, const BackwardPanels& panels) {
  const AttentionLogits& t = task.logits;
  for (size_t first = 0; first < piece.count; first += kPanel) {
    const size_t lines = smaller(kPanel, piece.count - first);
    const float *query[kPanel] = {}, *gradient[kPanel] = {};
    for (size_t lane = 0; lane < kPanel; lane++) {
      // Lanes without a row have the weight 0 whatever their keys' log-weights: products over lanes meet them.
      panels.lse[first + lane] = __builtin_inff();
      panels.delta[first + lane] = 0;
      if (lane >= lines) continue;
      const size_t row = piece.head * t.queryRows + rowOf(piece, first + lane);
      query[lane] = t.queries + row * t.dim;
      gradient[lane] = task.outGradient + row * t.valueDim;
      double delta = task.lseGradient ? -task.lseGradient[row] : 0;
      for (size_t c = 0; c < t.valueDim; c++) delta += double(gradient[lane][c]) * double(task.out[row * t.valueDim + c]);
      panels.delta[first + lane] = float(delta);
      // A row that saw no key has only hidden ones, whose weight is 0 for any finite lse.
      panels.lse[first + lane] = task.lse[row] == double(kMinusInfinity) ? 0 : float(task.lse[row] / kLn2);
    }
    for (size_t p = 0; p < t.dim; p++)
      for (size_t lane = 0; lane < kPanel; lane++) {
        panels.queries[first * t.dim + p * kPanel + lane] = lane < lines ? query[lane][p] * (t.scale * kLog2E) : 0;
        panels.sums[first * t.dim + p * kPanel + lane] = 0;
      }
    for (size_t c = 0; c < t.valueDim; c++)
      for (size_t lane = 0; lane < kPanel; lane++)
        panels.gradients[first * t.valueDim + c * kPanel + lane] = lane < lines ? gradient[lane][c] : 0;
    cutColumns(query, lines, t.dim, t.scale, panels.queryRows + first * paddedColumns(t.dim));
    cutColumns(gradient, lines, t.valueDim, 1, panels.outRows + first * paddedColumns(t.valueDim));
  }
}

// to[id of key j] (columns,) += weights (keys, kPanel) · rows (kPanel, columns), the latter cut into panels of columns.
void addToKeys(const KeyBlock& block, const float* weights, const float* rows, size_t columns, float* scratch, float* to) {
  float unused[kPanel] = {};
  for (size_t start = 0; start < columns; start += kPanel, rows += kPanel * kPanel) {
    const size_t width = smaller(kPanel, columns - start);
    blockScores(kPanel, weights, block.count, rows, nullptr, ceilDiv(width, kLanes), scratch, unused);
    for (size_t j = 0; j < block.count; j++) {
      float* line = to + idOf(block, j) * columns + start;
      const float* sums = scratch + j * kPanel;
      size_t c = 0;
      for (; c + kLanes <= width; c += kLanes) storeFloats(line + c, loadFloats(line + c) + loadFloats(sums + c));
      for (; c < width; c++) line[c] += sums[c];
    }
  }
}

// One block of keys for the panel of rows from `first` on.
void absorbBackward(const AttentionLogits& t, const Piece& piece, size_t first, const KeyBlock& block, const BackwardPanels& panels,
                    float* keyGradient, float* valueGradient) {
  if (block.count == 0) return;
  const size_t vectors = ceilDiv(smaller(kPanel, piece.count - first), kLanes);
  float unused[kPanel] = {};
  blockScores(t.dim, block.keys, block.count, panels.queries + first * t.dim, block.weights, vectors, panels.scores, unused);
  if (needsAdjusting(t, piece, first, block)) adjustScores(t, piece, first, block, panels.scores);
  blockScores(t.valueDim, block.values, block.count, panels.gradients + first * t.valueDim, nullptr, vectors, panels.slopes, unused);
  for (size_t j = 0; j < block.count; j++)
    for (size_t v = 0; v < kTileVectors; v++) {
      float *weight = panels.scores + j * kPanel + v * kLanes, *slope = panels.slopes + j * kPanel + v * kLanes;
      if (v >= vectors) {  // lanes nobody computed, which the products over lanes would meet
        storeFloats(weight, Floats{});
        storeFloats(slope, Floats{});
        continue;
      }
      const Floats p = exp2Of(loadFloats(weight) - loadFloats(panels.lse + first + v * kLanes));
      storeFloats(weight, p);
      storeFloats(slope, p * (loadFloats(slope) - loadFloats(panels.delta + first + v * kLanes)));
    }
  blockValues(block.count, block.keys, t.dim, panels.slopes, vectors, panels.sums + first * t.dim);
  addToKeys(block, panels.scores, panels.outRows + first * paddedColumns(t.valueDim), t.valueDim, panels.block, valueGradient);
  addToKeys(block, panels.slopes, panels.queryRows + first * paddedColumns(t.dim), t.dim, panels.block, keyGradient);
}

void finishBackward(const AttentionBackwardTask& task, const Piece& piece, const BackwardPanels& panels) {
  const AttentionLogits& t = task.logits;
  for (size_t i = 0; i < piece.count; i++) {
    float* to = task.queryGradient + (piece.head * t.queryRows + rowOf(piece, i)) * t.dim;
    const float* column = panels.sums + i / kPanel * kPanel * t.dim + i % kPanel;
    for (size_t p = 0; p < t.dim; p++) to[p] += t.scale * column[p * kPanel];
  }
}

void clearRows(Team& team, float* to, size_t count) {
  constexpr size_t chunk = 1 << 16;
  forEachTask(team, ceilDiv(count, chunk), [&](size_t task, int) {
    for (size_t i = task * chunk; i < smaller(count, (task + 1) * chunk); i++) to[i] = 0;
  });
}

// to[i] += the same entry of each slice, in order.
void addSlices(Team& team, const float* slices, size_t count, size_t entries, size_t stride, float* to) {
  constexpr size_t chunk = 1 << 14;
  forEachTask(team, ceilDiv(entries, chunk), [&](size_t task, int) {
    for (size_t slice = 0; slice < count; slice++)
      for (size_t i = task * chunk; i < smaller(entries, (task + 1) * chunk); i++) to[i] += slices[slice * stride + i];
  });
}

}  // namespace

void attentionBackward(const AttentionBackwardTask& task, Team& team) {
  const AttentionLogits& t = task.logits;
  const size_t keyEntries = t.keyHeads * t.keyRows * t.dim, valueEntries = t.keyHeads * t.keyRows * t.valueDim;
  if (!task.accumulate) {
    clearRows(team, task.queryGradient, t.heads * t.queryRows * t.dim);
    clearRows(team, task.keyGradient, keyEntries);
    clearRows(team, task.valueGradient, valueEntries);
  }
  const Pieces pieces = piecesOf(t, team, team.threads);
  const size_t slices = slicesOf(t), stride = keyEntries + valueEntries;
  float* sums = scratchOf<float>(team, team.threads + 1, slices * stride + 1);
  clearRows(team, sums, slices * stride);
  forEachTask(team, t.keyHeads * slices, [&](size_t part, int thread) {
    const size_t keyHead = part / slices, slice = part % slices;
    const BackwardPanels panels(t, scratchOf<float>(team, thread, BackwardPanels::floats(t)));
    float* keyGradient = sums + slice * stride + keyHead * t.keyRows * t.dim;
    float* valueGradient = sums + slice * stride + keyEntries + keyHead * t.keyRows * t.valueDim;
    size_t seen = 0;
    for (size_t number = 0; number < pieces.count; number++) {
      const Piece piece = pieceAt(t, pieces, number);
      if (piece.keyHead != keyHead) continue;
      // There and back, since later pieces see more keys where these are causal.
      const size_t turn = seen++ % (2 * slices);
      if (smaller(turn, 2 * slices - 1 - turn) != slice) continue;
      startBackward(task, piece, panels);
      KeyWalk walk(t, piece, keysSeenBy(t, piece), panels.walk);
      for (KeyBlock block; walk.next(block);)
        for (size_t first = 0; first < piece.count; first += kPanel)
          absorbBackward(t, piece, first, seenPart(t, piece, first, block), panels, keyGradient, valueGradient);
      finishBackward(task, piece, panels);
    }
  });
  addSlices(team, sums, slices, keyEntries, stride, task.keyGradient);
  addSlices(team, sums + keyEntries, slices, valueEntries, stride, task.valueGradient);
}

#if !defined(__wasm__)
// The obvious loops in float64, one row after another.
void attentionBackwardScalar(const AttentionBackwardTask& task, Team& team) {
  const AttentionLogits& t = task.logits;
  const size_t queryEntries = t.heads * t.queryRows * t.dim, keyEntries = t.keyHeads * t.keyRows * t.dim,
               valueEntries = t.keyHeads * t.keyRows * t.valueDim;
  const Pieces pieces = piecesOf(t, team, team.threads);
  double* sums = scratchOf<double>(team, team.threads + 1, queryEntries + keyEntries + valueEntries + 1);
  for (size_t i = 0; i < queryEntries + keyEntries + valueEntries; i++) sums[i] = 0;
  double *dQ = sums, *dK = dQ + queryEntries, *dV = dK + keyEntries;
  for (size_t number = 0; number < pieces.count; number++) {
    const Piece piece = pieceAt(t, pieces, number);
    for (size_t i = 0; i < piece.count; i++) {
      const size_t row = rowOf(piece, i), at = piece.head * t.queryRows + row;
      const float *query = t.queries + at * t.dim, *gradient = task.outGradient + at * t.valueDim;
      double delta = task.lseGradient ? -task.lseGradient[at] : 0;
      for (size_t c = 0; c < t.valueDim; c++) delta += double(gradient[c]) * double(task.out[at * t.valueDim + c]);
      KeyWalk walk(t, piece, keysSeenBy(t, row), scratchOf<float>(team, 0, KeyWalk::scratchFloats(t)));
      for (KeyBlock block; walk.next(block);)
        for (size_t j = 0; j < block.count; j++) {
          const double logit = logitOf(t, piece.head, row, query, block, j);
          if (logit == double(kMinusInfinity)) continue;
          const double p = __builtin_exp(logit - task.lse[at]);
          const size_t key = piece.keyHead * t.keyRows + idOf(block, j);
          double product = 0;
          for (size_t c = 0; c < t.valueDim; c++) {
            product += double(gradient[c]) * double(block.values[j * t.valueDim + c]);
            dV[key * t.valueDim + c] += p * double(gradient[c]);
          }
          const double slope = double(t.scale) * p * (product - delta);
          for (size_t d = 0; d < t.dim; d++) {
            dQ[at * t.dim + d] += slope * double(block.keys[j * t.dim + d]);
            dK[key * t.dim + d] += slope * double(query[d]);
          }
        }
    }
  }
  const auto give = [&](float* to, const double* from, size_t count) {
    for (size_t i = 0; i < count; i++) to[i] = float(from[i] + (task.accumulate ? double(to[i]) : 0));
  };
  give(task.queryGradient, dQ, queryEntries);
  give(task.keyGradient, dK, keyEntries);
  give(task.valueGradient, dV, valueEntries);
}
#endif

}  // namespace provably::PROVABLY_TARGET
