// Attention of one query per head over a cache. Contract: kernels.h. Rows of a key head are read once for all query heads of its group, in
// chunks that do not depend on the number of threads; within a chunk by online softmax over runs of rows (decode_rows.h).
// Compiled with -ffp-contract=fast like the micro-kernel.

#include "decode_rows.h"
#include "exp.h"
#include "quantised_rows.h"
#include "tables.h"

namespace provably::PROVABLY_TARGET {

namespace {

// Rows of a task, whatever the number of threads, so that sums are made in one order.
constexpr size_t kChunkRows = 1024;

// Sizes of a task, rows padded to whole vectors.
struct Widths {
  size_t group, key, value;

  explicit Widths(const DecodeTask& t) : group(t.heads / t.keyHeads), key(roundUp(t.dim, kLanes)), value(roundUp(t.valueDim, kLanes)) {}
};

// What a chunk of rows comes to for the queries of its group: to base 2, not divided by the sums.
struct Partial {
  float* most;  // (group,)
  float* sums;  // (group,)
  float* out;   // (group, value width)

  static size_t floats(const Widths& w) { return w.group * (w.value + 2); }
  Partial(float* memory, const Widths& w) : most(memory), sums(memory + w.group), out(memory + 2 * w.group) {}
};

struct Scratch {
  float* queries;  // (group, key width), times scale · log₂ e, zeros behind
  float* scores;   // (group, kRunRows)
  float* keys;     // (kRunRows, key width): rows that are not read where they lie
  float* values;   // (kRunRows, value width)
  uint8_t* room;   // for one row of few bits

  static size_t floats(const Widths& w) {
    return w.group * (w.key + kRunRows) + kRunRows * (w.key + w.value) + ceilDiv(rowRoom(w.key + w.value), sizeof(float));
  }
  Scratch(float* memory, const Widths& w) : queries(memory) {
    scores = queries + w.group * w.key;
    keys = scores + w.group * kRunRows;
    values = keys + kRunRows * w.key;
    room = reinterpret_cast<uint8_t*>(values + kRunRows * w.value);
  }
};

// Adds log-weights (null: none) to base 2, and hides the lanes behind the last row.
void finishScores(const float* logWeights, size_t group, size_t rows, float* scores) {
  for (size_t q = 0; q < group; q++) {
    float* line = scores + q * kRunRows;
    if (logWeights)
      for (size_t j = 0; j < rows; j++) line[j] += kLog2E * logWeights[j];
    for (size_t j = rows; j < roundUp(rows, kLanes); j++) line[j] = kMinusInfinity;
  }
}

// Scores into weights relative to the largest score so far.
void weighScores(const Widths& w, size_t rows, float* scores, const Partial& partial) {
  for (size_t q = 0; q < w.group; q++) {
    float* line = scores + q * kRunRows;
    Floats top = broadcast(partial.most[q]);
    for (size_t j = 0; j < rows; j += kLanes) top = largerOf(loadFloats(line + j), top);
    const float now = laneMax(top), before = partial.most[q];
    const float finite = now > -3.4e38f ? now : 0;  // −∞ − (−∞) would be NaN
    if (now > before && before > kMinusInfinity) {
      const Floats factor = exp2Of(broadcast(before - finite));
      partial.sums[q] *= factor[0];
      float* out = partial.out + q * w.value;
      for (size_t c = 0; c < w.value; c += kLanes) storeFloats(out + c, loadFloats(out + c) * factor);
    }
    partial.most[q] = now;
    Floats sum{};
    for (size_t j = 0; j < rows; j += kLanes) {
      const Floats weight = exp2Of(loadFloats(line + j) - finite);
      storeFloats(line + j, weight);
      sum += weight;
    }
    partial.sums[q] += laneSum(sum);
  }
}

// Scores to base 2 go where the probabilities will be.
void keepScores(const DecodeTask& t, const Widths& w, size_t keyHead, size_t firstRow, size_t rows, const float* scores) {
  for (size_t q = 0; q < w.group; q++)
    __builtin_memcpy(t.probabilities + (keyHead * w.group + q) * t.capacity + firstRow, scores + q * kRunRows, rows * sizeof(float));
}

// How rows of keys, or of values, lie in memory.
struct RowLayout {
  Storage storage;
  RowBits few;  // of few bits
  size_t columns, width, bytes;

  RowLayout(Storage storage, bool keys, size_t columns, size_t width) : storage(storage), few(rowBitsOf(storage, keys)), columns(columns), width(width) {
    bytes = few.bits ? quantisedRowBytes(columns, few.bits) : columns * (storage == Storage::kFloat32 ? 4 : 2);
  }
};

// Rows as floats, zeros behind them up to the width.
void copyRows(const void* from, const RowLayout& layout, size_t first, size_t rows, uint8_t* room, float* to) {
  const auto [storage, few, columns, width, bytes] = layout;
  if (few.bits) {
    const uint8_t* row = static_cast<const uint8_t*>(from) + first * bytes;
    for (size_t i = 0; i < rows; i++) unpackRow(row + i * bytes, columns, few, width, room, to + i * width);
    return;
  }
  if (width == columns) return loadStored(from, storage, first * columns, rows * columns, to);
  for (size_t row = 0; row < rows; row++, to += width) {
    loadStored(from, storage, (first + row) * columns, columns, to);
    for (size_t c = columns; c < width; c++) to[c] = 0;
  }
}

// Rows [firstRow, endRow) of a key head. `Copied`: rows go through scratch, else they are read where they lie.
template <class Stored, bool Copied>
void decodeChunk(const DecodeTask& t, const Widths& w, size_t keyHead, size_t firstRow, size_t endRow, float* memory,
                 const Partial& partial) {
  using Entry = typename Stored::Entry;
  const Scratch scratch(memory, w);
  const RowLayout keyLayout(t.storage, true, t.dim, w.key), valueLayout(t.storage, false, t.valueDim, w.value);
  for (size_t q = 0; q < w.group; q++) {
    partial.most[q] = kMinusInfinity;
    partial.sums[q] = 0;
    for (size_t c = 0; c < w.value; c++) partial.out[q * w.value + c] = 0;
    const float* query = t.queries + (keyHead * w.group + q) * t.dim;
    for (size_t p = 0; p < w.key; p++) scratch.queries[q * w.key + p] = p < t.dim ? query[p] * (t.scale * kLog2E) : 0;
    if (keyLayout.few.bits) rotate(scratch.queries + q * w.key, t.dim);
  }
  for (size_t row = firstRow; row < endRow; row += kRunRows) {
    const size_t rows = smaller(kRunRows, endRow - row), first = keyHead * t.capacity + row, next = row + rows;
    const char *storedKeys = static_cast<const char*>(t.keys) + first * keyLayout.bytes,
               *storedValues = static_cast<const char*>(t.values) + first * valueLayout.bytes;
    const Ahead valuesAhead{storedValues, rows, valueLayout.bytes};
    const Ahead keysAhead{storedKeys + rows * keyLayout.bytes, smaller(kRunRows, endRow - next), keyLayout.bytes};
    const Entry *keys = nullptr, *values = nullptr;
    if constexpr (Copied) {
      copyRows(t.keys, keyLayout, first, rows, scratch.room, scratch.keys);
      keys = scratch.keys;
    } else {
      keys = reinterpret_cast<const Entry*>(storedKeys);
    }
    forEachQueryTile(w.group, [&](size_t q, auto tile) {
      scoreRows<Stored, tile.queries>(keys, rows, w.key, scratch.queries + q * w.key, scratch.scores + q * kRunRows,
                                      q == 0 ? valuesAhead : Ahead{});
    });
    finishScores(t.logWeights ? t.logWeights + first : nullptr, w.group, rows, scratch.scores);
    if (t.probabilities) keepScores(t, w, keyHead, row, rows, scratch.scores);
    weighScores(w, rows, scratch.scores, partial);
    if constexpr (Copied) {
      copyRows(t.values, valueLayout, first, rows, scratch.room, scratch.values);
      values = scratch.values;
    } else {
      values = reinterpret_cast<const Entry*>(storedValues);
    }
    forEachQueryTile(w.group, [&](size_t q, auto tile) {
      addValues<Stored, tile.queries>(values, rows, w.value, scratch.scores + q * kRunRows, partial.out + q * w.value,
                                      q == 0 ? keysAhead : Ahead{});
    });
  }
}

// Chunks of one query head into its output.
void joinChunks(const DecodeTask& t, const Widths& w, size_t head, size_t chunks, float* partials) {
  const size_t q = head % w.group, stride = Partial::floats(w);
  float most = kMinusInfinity;
  for (size_t chunk = 0; chunk < chunks; chunk++) {
    const float top = Partial(partials + chunk * stride, w).most[q];
    most = top > most ? top : most;
  }
  double total = 0;
  float* out = t.out + head * t.valueDim;
  for (size_t c = 0; c < t.valueDim; c++) out[c] = 0;
  for (size_t chunk = 0; chunk < chunks; chunk++) {
    const Partial part(partials + chunk * stride, w);
    const float weight = most > -3.4e38f ? exp2Of(broadcast(part.most[q] - most))[0] : 1;
    total += double(weight) * double(part.sums[q]);
    for (size_t c = 0; c < t.valueDim; c++) out[c] += weight * part.out[q * w.value + c];
  }
  const bool seen = total > 0 || total != total;
  const float inverse = seen ? float(1 / total) : 0;
  for (size_t c = 0; c < t.valueDim; c++) out[c] *= inverse;
  if (rowBitsOf(t.storage, false).bits) rotateBack(out, t.valueDim);
  t.lse[head] = total > 0 ? double(most) * kLn2 + logOf(total) : seen ? total : double(kMinusInfinity);
}

// Scores of one chunk of a query head into probabilities.
void weighProbabilities(const DecodeTask& t, size_t head, size_t firstRow, size_t endRow) {
  // Where no row is seen, the scores are −∞ and their weights 0 for any finite lse.
  const float lse = t.lse[head] == double(kMinusInfinity) ? 0 : float(t.lse[head] / kLn2);
  float *at = t.probabilities + head * t.capacity + firstRow, *const end = t.probabilities + head * t.capacity + endRow;
  for (; at + kLanes <= end; at += kLanes) storeFloats(at, exp2Of(loadFloats(at) - lse));
  for (; at < end; at++) *at = exp2Of(broadcast(*at - lse))[0];
}

}  // namespace

void decode(const DecodeTask& t, Team& team) {
  const Widths w(t);
  const size_t perHead = ceilDiv(t.capacity, kChunkRows), stride = Partial::floats(w);
  float* partials = scratchOf<float>(team, team.threads, t.keyHeads * perHead * stride + 1);
  // Halves are converted in registers where few tiles share them, else once for all.
  const bool isWhole = w.key == t.dim && w.value == t.valueDim;
  auto* chunkOf = decodeChunk<FloatEntries, true>;
  if (t.storage == Storage::kFloat32 && isWhole) chunkOf = decodeChunk<FloatEntries, false>;
  if (t.storage == Storage::kFloat16 && isWhole && w.group <= kQueryTile) chunkOf = decodeChunk<Float16Entries, false>;
  if (t.storage == Storage::kBfloat16 && isWhole && w.group <= 2 * kQueryTile) chunkOf = decodeChunk<Bfloat16Entries, false>;
  const auto forEachChunk = [&](auto&& body) {
    forEachTask(team, t.keyHeads * perHead, [&](size_t task, int thread) {
      const size_t keyHead = task / perHead, first = task % perHead * kChunkRows;
      if (first < t.lengths[keyHead]) body(task, thread, keyHead, first, smaller(t.lengths[keyHead], first + kChunkRows));
    });
  };
  forEachChunk([&](size_t task, int thread, size_t keyHead, size_t first, size_t end) {
    float* memory = scratchOf<float>(team, thread, Scratch::floats(w));
    chunkOf(t, w, keyHead, first, end, memory, Partial(partials + task * stride, w));
  });
  for (size_t head = 0; head < t.heads; head++) {
    const size_t keyHead = head / w.group;
    joinChunks(t, w, head, ceilDiv(t.lengths[keyHead], kChunkRows), partials + keyHead * perHead * stride);
  }
  if (!t.probabilities) return;
  forEachChunk([&](size_t, int, size_t keyHead, size_t first, size_t end) {
    for (size_t q = 0; q < w.group; q++) weighProbabilities(t, keyHead * w.group + q, first, end);
  });
}

#if !defined(__wasm__)
// The obvious loops in float64.
void decodeScalar(const DecodeTask& t, Team& team) {
  double* sums = scratchOf<double>(team, 0, t.valueDim + t.capacity);
  double* logits = sums + t.valueDim;
  const RowLayout keys(t.storage, true, t.dim, t.dim), values(t.storage, false, t.valueDim, t.valueDim);
  const size_t widest = roundUp(t.dim + t.valueDim, kLanes);
  float* row = scratchOf<float>(team, 1, widest + ceilDiv(rowRoom(widest), sizeof(float)));
  const auto load = [&](const void* from, const RowLayout& layout, size_t at) {
    copyRows(from, layout, at, 1, reinterpret_cast<uint8_t*>(row + widest), row);
    if (layout.few.bits) rotateBack(row, layout.columns);
  };
  for (size_t head = 0; head < t.heads; head++) {
    const size_t keyHead = head / (t.heads / t.keyHeads), first = keyHead * t.capacity;
    double most = kMinusInfinity, total = 0;
    for (size_t j = 0; j < t.lengths[keyHead]; j++) {
      load(t.keys, keys, first + j);
      double product = 0;
      for (size_t p = 0; p < t.dim; p++) product += double(t.queries[head * t.dim + p]) * double(row[p]);
      logits[j] = double(t.scale) * product + (t.logWeights ? double(t.logWeights[first + j]) : 0);
      most = logits[j] <= most ? most : logits[j];
    }
    for (size_t c = 0; c < t.valueDim; c++) sums[c] = 0;
    for (size_t j = 0; j < t.lengths[keyHead]; j++) {
      logits[j] = logits[j] == double(kMinusInfinity) ? 0 : __builtin_exp(logits[j] - most);
      total += logits[j];
      load(t.values, values, first + j);
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
