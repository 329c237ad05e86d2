// Products with stored weights. Contract: kernels.h. Few rows read each weight once where it lies (linear_few.cc); many share weights that
// were unpacked, to bytes (linear_many_bytes.cc) or, here, to floats for the micro-kernel.

#include "linear.h"

#include "dequantise.h"
#include "micro_kernel.h"
#include "pack.h"
#include "tables.h"

namespace provably::PROVABLY_TARGET {

namespace {

// Rows from which unpacking weights pays: to bytes, or to floats instead of for every row again.
constexpr size_t kManyRowsOfBytes = 20, kManyRowsOfFloats = 8;

// Terms summed before y is touched again, a multiple of every block; a panel of weights and a tile of rows stay in the near caches.
constexpr size_t kSliceDepth = 512;

// Bytes of weights that a task of a few rows reads: a microsecond's work, or more where there is much of it.
constexpr size_t kFewTaskBytes = 8 << 10, kMostTasks = 128;

void multiplyFew(const LinearTask& t, bool byBytes, Team& team) {
  size_t bytes = 0;
  for (size_t i = 0; i < t.weightCount; i++) bytes += t.weights[i].outputs * bytesOfRow(t.weights[i].format, t.cols);
  const size_t units = ceilDiv(t.cols, kUnitEntries);
  ActivationUnit* x = nullptr;
  if (byBytes) {
    x = scratchOf<ActivationUnit>(team, team.threads, t.rows * units);
    for (size_t row = 0; row < t.rows; row++) quantizeRow(t.x + row * t.cols, t.cols, x + row * units);
  }
  const size_t fair = bytes / kMostTasks, taskBytes = fair > kFewTaskBytes ? fair : kFewTaskBytes;
  const auto outputsPerTask = [&](const LinearWeight& w) { return roundUp(ceilDiv(taskBytes, bytesOfRow(w.format, t.cols)), 4); };
  size_t tasks = 0;
  for (size_t i = 0; i < t.weightCount; i++) tasks += ceilDiv(t.weights[i].outputs, outputsPerTask(t.weights[i]));
  forEachTask(team, tasks, [&](size_t task, int thread) {
    const LinearWeight* w = t.weights;
    for (;; w++) {
      const size_t own = ceilDiv(w->outputs, outputsPerTask(*w));
      if (task < own) break;
      task -= own;
    }
    const size_t perTask = outputsPerTask(*w), first = task * perTask, end = smaller(w->outputs, first + perTask);
    if (byBytes && isBlocked(w->format))
      multiplyFewByBytes(*w, t.cols, t.rows, x, units, first, end);
    else
      multiplyFewByFloats(*w, t.cols, t.rows, t.x, first, end, scratchOf<float>(team, thread, t.cols));
  });
}

// Outputs [first, end) of all rows start from what they start from.
void startOutputs(const LinearTask& t, const LinearWeight& w, size_t first, size_t end) {
  for (size_t row = 0; row < t.rows; row++)
    for (size_t output = first; output < end; output++) w.y[row * w.outputs + output] = startOf(w, row, output);
}

void multiplyManyByFloats(const LinearTask& t, const LinearWeight& w, Team& team) {
  const size_t tiles = ceilDiv(t.rows, kTileRows), panels = ceilDiv(w.outputs, kTileColumns), rowBytes = bytesOfRow(w.format, t.cols);
  for (size_t start = 0; start < t.cols; start += kSliceDepth) {
    const size_t depth = smaller(kSliceDepth, t.cols - start);
    float* packed = scratchOf<float>(team, team.threads, tiles * kTileRows * depth);
    forEachTask(team, ceilDiv(tiles, 4), [&](size_t task, int) {
      for (size_t tile = 4 * task; tile < smaller(tiles, 4 * task + 4); tile++) {
        const size_t row = tile * kTileRows;
        packLines<kTileRows>(t.x + row * t.cols + start, t.cols, nullptr, smaller(kTileRows, t.rows - row), depth, nullptr, packed + row * depth);
      }
    });
    forEachTask(team, panels, [&](size_t panel, int thread) {
      const size_t first = panel * kTileColumns, outputs = smaller(kTileColumns, w.outputs - first);
      if (start == 0) startOutputs(t, w, first, first + outputs);
      float* lines = scratchOf<float>(team, thread, 2 * kTileColumns * kSliceDepth);
      float* columns = lines + kTileColumns * kSliceDepth;
      for (size_t q = 0; q < outputs; q++) dequantise(w.format, w.data + (first + q) * rowBytes, start, start + depth, lines + q * depth);
      packLines<kTileColumns>(lines, depth, nullptr, outputs, depth, nullptr, columns);
      alignas(64) float products[kTileRows * kTileColumns];
      for (size_t tile = 0; tile < tiles; tile++) {
        const size_t row = tile * kTileRows, rows = smaller(kTileRows, t.rows - row);
        float* y = w.y + row * w.outputs + first;
        if (rows == kTileRows && outputs == kTileColumns) {
          microKernel(depth, packed + row * depth, columns, y, w.outputs, true);
          continue;
        }
        microKernelNarrow(depth, packed + row * depth, columns, outputs, products, kTileColumns, false);
        for (size_t i = 0; i < rows; i++)
          for (size_t q = 0; q < outputs; q++) y[i * w.outputs + q] += products[i * kTileColumns + q];
      }
    });
  }
}

}  // namespace

void linear(const LinearTask& t, Team& team) {
  if (t.rows == 0) return;
  bool byBytes = false;
  for (size_t i = 0; i < t.weightCount; i++) byBytes |= !t.exact && isBlocked(t.weights[i].format);
  if (t.rows < (byBytes ? kManyRowsOfBytes : kManyRowsOfFloats)) return multiplyFew(t, byBytes, team);
#if defined(__AVX512VNNI__)
  if (byBytes) multiplyManyByBytes(t, team);
#else
  byBytes = false;
#endif
  for (size_t i = 0; i < t.weightCount; i++)
    if (!byBytes || !isBlocked(t.weights[i].format)) multiplyManyByFloats(t, t.weights[i], team);
}

#if !defined(__wasm__)
void linearScalar(const LinearTask& t, Team& team) {
  float* row = scratchOf<float>(team, 0, t.cols);
  for (size_t i = 0; i < t.weightCount; i++) {
    const LinearWeight& w = t.weights[i];
    for (size_t output = 0; output < w.outputs; output++) {
      dequantise(w.format, w.data + output * bytesOfRow(w.format, t.cols), 0, t.cols, row);
      for (size_t r = 0; r < t.rows; r++) {
        double sum = 0;
        for (size_t p = 0; p < t.cols; p++) sum += double(t.x[r * t.cols + p]) * double(row[p]);
        storeOutput(w, r, output, float(sum));
      }
    }
  }
}
#endif

}  // namespace provably::PROVABLY_TARGET
