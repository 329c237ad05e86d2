// Attention by online softmax over blocks of keys (Milakov and Gimelshein 2018; Dao et al., arXiv 2205.14135), for all keys or for
// listed ones. Contract: kernels.h. About 256 queries share each block of keys; they lie across the lanes (attention_block.h).

#include "attention_logits.h"
#include "tables.h"

namespace provably::PROVABLY_TARGET {

namespace {

// Panels of a piece: queries in, running maximum, sum and output, all with queries across the lanes.
struct Panels {
  float* queries;  // (panels, dim, kPanel), times scale · log₂ e
  float* out;      // (panels, valueDim, kPanel), not yet divided by the sums
  float* most;     // (panels, kPanel): largest score so far
  float* sums;     // (panels, kPanel): Σ 2^(score − most)
  float* scores;   // (kBlockKeys, kPanel)
  float* walk;

  static size_t floats(const AttentionLogits& t) {
    return kPieceRows * (t.dim + t.valueDim + 2) + kBlockKeys * kPanel + KeyWalk::scratchFloats(t);
  }

  Panels(const AttentionLogits& t, float* memory) : queries(memory) {
    out = queries + kPieceRows * t.dim;
    most = out + kPieceRows * t.valueDim;
    sums = most + kPieceRows;
    scores = sums + kPieceRows;
    walk = scores + kBlockKeys * kPanel;
  }
};

void start(const AttentionLogits& t, const Piece& piece, const Panels& panels) {
  const float factor = t.scale * kLog2E;
  const size_t base = piece.head * t.queryRows;
  for (size_t first = 0; first < piece.count; first += kPanel) {
    float* queries = panels.queries + first * t.dim;
    const size_t lines = smaller(kPanel, piece.count - first);
    packLines<kPanel>(t.queries + (base + (piece.rows ? 0 : piece.firstRow + first)) * t.dim, t.dim,
                      piece.rows ? piece.rows + first : nullptr, lines, t.dim, nullptr, queries);
    for (size_t i = 0; i < t.dim * kPanel; i++) queries[i] *= factor;
  }
  const size_t rows = roundUp(piece.count, kPanel);
  for (size_t i = 0; i < rows * t.valueDim; i++) panels.out[i] = 0;
  for (size_t i = 0; i < rows; i++) panels.most[i] = kMinusInfinity, panels.sums[i] = 0;
}

// One block of keys for the panel of rows from `first` on.
void absorb(const AttentionLogits& t, const Piece& piece, size_t first, const KeyBlock& all, const Panels& panels) {
  const KeyBlock block = seenOf(t, piece, first, all);
  if (block.count == 0) return;
  const size_t vectors = ceilDiv(smaller(kPanel, piece.count - first), kLanes);
  float *most = panels.most + first, *sums = panels.sums + first, *out = panels.out + first * t.valueDim;
  alignas(64) float top[kPanel], factors[kPanel];
  for (size_t lane = 0; lane < kPanel; lane++) top[lane] = kMinusInfinity;
  blockScores(t.dim, block.keys, block.count, panels.queries + first * t.dim, block.weights, vectors, panels.scores, top);
  if (needsAdjusting(t, piece, first, block)) {
    adjustScores(t, piece, first, block, panels.scores);
    for (size_t v = 0; v < vectors; v++) {
      Floats largest = broadcast(kMinusInfinity);
      for (size_t j = 0; j < block.count; j++) {
        const Floats score = loadFloats(panels.scores + j * kPanel + v * kLanes);
        largest = score > largest ? score : largest;
      }
      storeFloats(top + v * kLanes, largest);
    }
  }
  bool moved = false, fresh = true;
  for (size_t v = 0; v < vectors; v++) {
    const Floats before = loadFloats(most + v * kLanes), block_ = loadFloats(top + v * kLanes);
    const Floats now = block_ > before ? block_ : before;
    // Where no key was seen yet, −∞ − (−∞) would be NaN.
    const Floats finite = now > broadcast(-3.4e38f) ? now : Floats{};
    storeFloats(factors + v * kLanes, exp2Of(before - finite));
    storeFloats(most + v * kLanes, now);
    storeFloats(top + v * kLanes, finite);
    for (size_t lane = 0; lane < kLanes; lane++) {
      moved |= block_[lane] > before[lane];
      fresh &= before[lane] == kMinusInfinity;
    }
  }
  if (moved && !fresh) {
    scalePanel(t.valueDim, vectors, factors, out);
    scalePanel(1, vectors, factors, sums);
  }
  blockExp2(block.count, vectors, panels.scores, top, sums);
  blockValues(block.count, block.values, t.valueDim, panels.scores, vectors, out);
}

// Divides by the sums and writes the rows in their places, or merges them with what is there.
void finish(const AttentionTask& task, const Piece& piece, const Panels& panels) {
  const AttentionLogits& t = task.logits;
  for (size_t first = 0; first < piece.count; first += kPanel) {
    const size_t lanes = smaller(kPanel, piece.count - first);
    const float* out = panels.out + first * t.valueDim;
    float own[kPanel], old[kPanel];
    float* to[kPanel];
    for (size_t lane = 0; lane < lanes; lane++) {
      const size_t row = piece.head * t.queryRows + rowOf(piece, first + lane);
      const float most = panels.most[first + lane], sum = panels.sums[first + lane];
      const bool seen = most > kMinusInfinity || sum != sum;
      double lse = sum > 0 ? double(most) * kLn2 + logOf(double(sum)) : kMinusInfinity;
      if (sum != sum) lse = sum;
      own[lane] = seen ? 1 / sum : 0;
      old[lane] = 0;
      to[lane] = task.out + row * t.valueDim;
      if (task.merge && task.lse[row] != double(kMinusInfinity)) {
        const double before = task.lse[row], larger = lse > before ? lse : before;
        const float weight = expOf(broadcast(float(lse - larger)))[0], rest = expOf(broadcast(float(before - larger)))[0];
        own[lane] *= weight / (weight + rest);
        old[lane] = rest / (weight + rest);
        lse = larger + logOf(double(weight) + double(rest));
      }
      task.lse[row] = lse;
    }
    for (size_t lane = 0; lane < lanes; lane++) {
      const float* column = out + lane;
      if (old[lane] == 0)
        for (size_t c = 0; c < t.valueDim; c++) to[lane][c] = own[lane] * column[c * kPanel];
      else
        for (size_t c = 0; c < t.valueDim; c++) to[lane][c] = own[lane] * column[c * kPanel] + old[lane] * to[lane][c];
    }
  }
}

// Rows in no tile see no key.
void clearUncovered(const AttentionTask& task) {
  const AttentionLogits& t = task.logits;
  const size_t rows = t.heads * t.queryRows;
  if (task.merge || !t.tiles.heads || t.tiles.rowStart[t.tiles.count] == rows) return;
  for (size_t i = 0; i < rows * t.valueDim; i++) task.out[i] = 0;
  for (size_t i = 0; i < rows; i++) task.lse[i] = kMinusInfinity;
}

}  // namespace

void attention(const AttentionTask& task, Team& team) {
  const AttentionLogits& t = task.logits;
  clearUncovered(task);
  const Pieces pieces = piecesOf(t, team, team.threads);
  forEachTask(team, pieces.count, [&](size_t number, int thread) {
    // Causal rows see more keys the later they come: the long pieces first, so that threads end together.
    const Piece piece = pieceAt(t, pieces, pieces.count - 1 - number);
    const Panels panels(t, scratchOf<float>(team, thread, Panels::floats(t)));
    start(t, piece, panels);
    KeyWalk walk(t, piece, keysSeenBy(t, piece), panels.walk);
    for (KeyBlock block; walk.next(block);)
      for (size_t first = 0; first < piece.count; first += kPanel) absorb(t, piece, first, block, panels);
    finish(task, piece, panels);
  });
}

#if !defined(__wasm__)
// The obvious loops in float64, one row after another.
void attentionScalar(const AttentionTask& task, Team& team) {
  const AttentionLogits& t = task.logits;
  clearUncovered(task);
  const Pieces pieces = piecesOf(t, team, team.threads);
  for (size_t number = 0; number < pieces.count; number++) {
    const Piece piece = pieceAt(t, pieces, number);
    double* sums = scratchOf<double>(team, 0, t.valueDim + KeyWalk::scratchFloats(t));
    float* memory = reinterpret_cast<float*>(sums + t.valueDim);
    for (size_t i = 0; i < piece.count; i++) {
      const size_t row = rowOf(piece, i), at = piece.head * t.queryRows + row;
      const float* query = t.queries + at * t.dim;
      float* out = task.out + at * t.valueDim;
      // What is there already counts as one more key, with its lse as logit.
      double most = task.merge ? task.lse[at] : double(kMinusInfinity), sum = most == double(kMinusInfinity) ? 0 : 1;
      for (size_t c = 0; c < t.valueDim; c++) sums[c] = sum == 0 ? 0 : out[c];
      KeyWalk walk(t, piece, keysSeenBy(t, row), memory);
      for (KeyBlock block; walk.next(block);)
        for (size_t j = 0; j < block.count; j++) {
          const double logit = logitOf(t, piece.head, row, query, block, j);
          if (logit == double(kMinusInfinity)) continue;
          const double now = logit > most ? logit : most;
          const double keep = sum == 0 ? 0 : __builtin_exp(most - now), weight = __builtin_exp(logit - now);
          for (size_t c = 0; c < t.valueDim; c++) sums[c] = sums[c] * keep + weight * double(block.values[j * t.valueDim + c]);
          sum = sum * keep + weight;
          most = now;
        }
      for (size_t c = 0; c < t.valueDim; c++) out[c] = sum == 0 ? 0 : float(sums[c] / sum);
      task.lse[at] = sum == 0 ? double(kMinusInfinity) : most + __builtin_log(sum);
    }
  }
}
#endif

}  // namespace provably::PROVABLY_TARGET
