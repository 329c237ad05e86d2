// General matrix product, packed and blocked as in BLIS (Van Zee, van de Geijn, TOMS 2015): a block of B
// is packed by all threads and stays in the shared cache, each task packs a block of A that stays in its own L2, and
// the micro-kernel walks the two. Shapes, preconditions and error bound: kernels.h.

#include "gemm.h"

#include "micro_kernel.h"
#include "pack.h"

namespace provably::PROVABLY_TARGET {

void gemmScalar(const GemmTask& t, Team&) {
  for (size_t i = 0; i < t.m; i++)
    for (size_t j = 0; j < t.n; j++) {
      float sum = t.accumulate ? t.c[i * t.strideC + j] : 0;
      for (size_t p = 0; p < t.k; p++) {
        const float left = t.transposeA ? t.a[p * t.strideA + i] : t.a[i * t.strideA + p];
        const float right = t.transposeB ? t.b[j * t.strideB + p] : t.b[p * t.strideB + j];
        sum += left * right;
      }
      t.c[i * t.strideC + j] = sum;
    }
}

namespace {

// Terms summed before C is touched again: long enough to hide that traffic, short enough that a panel of B
// (kDepth × kTileColumns floats, 96 KiB at most) and a block of A (384 KiB at most) share a 1 MiB L2.
constexpr size_t kDepth = 512;
constexpr size_t kBlockRows = 24 * kTileRows;
constexpr size_t kBlockColumns = 4096 / kTileColumns * kTileColumns;

struct Block {
  size_t row, rows, column, columns, depthStart, depth;
};

void packA(const GemmTask& t, const Block& at, float* packed) {
  for (size_t i = 0; i < at.rows; i += kTileRows) {
    const size_t lines = smaller(kTileRows, at.rows - i);
    if (t.transposeA)
      packColumns<kTileRows>(t.a + at.depthStart * t.strideA + at.row + i, t.strideA, lines, at.depth, packed + i * at.depth);
    else
      packLines<kTileRows>(t.a + (at.row + i) * t.strideA + at.depthStart, t.strideA, nullptr, lines, at.depth, nullptr,
                           packed + i * at.depth);
  }
}

// One panel of kTileColumns columns, `j` columns into the block.
void packPanelOfB(const GemmTask& t, const Block& at, size_t j, float* packed) {
  const size_t lines = smaller(kTileColumns, at.columns - j);
  if (t.transposeB)
    packLines<kTileColumns>(t.b + (at.column + j) * t.strideB + at.depthStart, t.strideB, nullptr, lines, at.depth, nullptr,
                            packed + j * at.depth);
  else
    packColumns<kTileColumns>(t.b + at.depthStart * t.strideB + at.column + j, t.strideB, lines, at.depth,
                              packed + j * at.depth);
}

void addTile(const float* tile, size_t rows, size_t columns, float* c, size_t strideC, bool accumulate) {
  for (size_t i = 0; i < rows; i++)
    for (size_t j = 0; j < columns; j++) {
      const float value = tile[i * kTileColumns + j];
      c[i * strideC + j] = accumulate ? c[i * strideC + j] + value : value;
    }
}

// C (rows, columns of `at`) from packed blocks; `b` starts at column `firstColumn` of the block.
void multiplyBlocks(const GemmTask& t, const Block& at, size_t firstColumn, size_t endColumn, const float* a, const float* b) {
  const bool accumulate = t.accumulate || at.depthStart > 0;
  alignas(64) float tile[kTileRows * kTileColumns];
  for (size_t j = firstColumn; j < endColumn; j += kTileColumns)
    for (size_t i = 0; i < at.rows; i += kTileRows) {
      const size_t rows = smaller(kTileRows, at.rows - i), columns = smaller(kTileColumns, endColumn - j);
      float* c = t.c + (at.row + i) * t.strideC + at.column + j;
      if (rows == kTileRows && columns == kTileColumns) {
        microKernel(at.depth, a + i * at.depth, b + j * at.depth, c, t.strideC, accumulate);
      } else {
        microKernelNarrow(at.depth, a + i * at.depth, b + j * at.depth, columns, tile, kTileColumns, false);
        addTile(tile, rows, columns, c, t.strideC, accumulate);
      }
    }
}

// Rows of C per task: the same number of equal tasks for every thread, and with several threads at least four each, so that one
// that is held up leaves work to the others; but no task so low that a panel of B is hardly used.
size_t rowsPerBlock(size_t m, size_t threads) {
  const size_t shared = threads == 1 ? 1 : smaller(4 * threads, ceilDiv(m, 8 * kTileRows));
  const size_t fitting = ceilDiv(m, kBlockRows);
  const size_t blocks = roundUp(fitting > shared ? fitting : shared, threads);
  return roundUp(ceilDiv(m, blocks), kTileRows);
}

void clear(const GemmTask& t) {
  for (size_t i = 0; i < t.m; i++)
    for (size_t j = 0; j < t.n; j++) t.c[i * t.strideC + j] = 0;
}

}  // namespace

void gemm(const GemmTask& t, Team& team) {
  if (t.m == 0 || t.n == 0) return;
  if (t.k == 0) {
    if (!t.accumulate) clear(t);
    return;
  }
  if (gemmSkinny(t, team)) return;
  const size_t blockDepth = ceilDiv(t.k, ceilDiv(t.k, kDepth));  // equal blocks: no short last one
  const size_t blockRows = rowsPerBlock(t.m, size_t(team.threads));
  const size_t rowBlocks = ceilDiv(t.m, blockRows);
  float* packedB = scratchOf<float>(team, team.threads, smaller(kBlockColumns, roundUp(t.n, kTileColumns)) * blockDepth);
  for (size_t column = 0; column < t.n; column += kBlockColumns) {
    const size_t columns = smaller(kBlockColumns, t.n - column);
    const size_t panels = ceilDiv(columns, kTileColumns);
    const size_t splits = smaller(panels, ceilDiv(size_t(team.threads), rowBlocks));
    const size_t splitColumns = ceilDiv(panels, splits) * kTileColumns;
    for (size_t depthStart = 0; depthStart < t.k; depthStart += blockDepth) {
      const size_t depth = smaller(blockDepth, t.k - depthStart);
      const Block all{0, t.m, column, columns, depthStart, depth};
      forEachTask(team, ceilDiv(panels, 4), [&](size_t task, int) {
        for (size_t panel = 4 * task; panel < smaller(panels, 4 * task + 4); panel++)
          packPanelOfB(t, all, panel * kTileColumns, packedB);
      });
      forEachTask(team, rowBlocks * splits, [&](size_t task, int thread) {
        const size_t row = task / splits * blockRows, split = task % splits;
        const Block at{row, smaller(blockRows, t.m - row), column, columns, depthStart, depth};
        const size_t first = split * splitColumns;
        if (first >= columns) return;
        float* packedA = scratchOf<float>(team, thread, roundUp(at.rows, kTileRows) * depth);
        packA(t, at, packedA);
        multiplyBlocks(t, at, first, smaller(columns, first + splitColumns), packedA, packedB);
      });
    }
  }
}

}  // namespace provably::PROVABLY_TARGET
