// Many rows against weights in blocks, by products of bytes: weights are unpacked once into panels, rows are rounded once into tiles, and
// the tile kernel scales the whole sums of every 16 or 32 products. Compiled with -ffp-contract=fast like the micro-kernel.

#include "linear.h"

namespace provably::PROVABLY_TARGET {

#if defined(__AVX512VNNI__)

namespace {

// 12 sums of whole numbers, 12 of floats, 3 vectors of weights and one of a row: 28 of 32 registers.
constexpr size_t kRows = 4, kVectors = 3, kOutputs = kVectors * kLanes;

// Weights are stored as code + 128, which every sum takes back: −128 Σ bytes.
struct RowTile {
  uint32_t* words;  // (cols / 4, kRows): four bytes of a row each
  int32_t* starts;  // (cols / 16, kRows): −128 Σ of 16 bytes
  float* scales;    // (cols / 32, kRows)
  float* sums;      // (cols / 32, kRows): scale · Σ of 32 bytes

  static size_t bytes(size_t cols) { return roundUp(kRows * (cols + cols / 16 * 4 + cols / 32 * 8), 64); }
  RowTile(char* memory, size_t cols)
      : words(reinterpret_cast<uint32_t*>(memory)),
        starts(reinterpret_cast<int32_t*>(memory + kRows * cols)),
        scales(reinterpret_cast<float*>(starts + kRows * (cols / 16))),
        sums(scales + kRows * (cols / 32)) {}
};

struct OutputPanel {
  uint32_t* words;  // (cols / 4, kOutputs)
  float* scales;    // (cols / 16, kOutputs), or of 32 where 16 share theirs with their neighbours
  float* mins;      // (cols / 32, kOutputs)

  static size_t bytes(size_t cols) { return kOutputs * (cols + cols / 16 * 4 + cols / 32 * 4); }
  OutputPanel(char* memory, size_t cols)
      : words(reinterpret_cast<uint32_t*>(memory)),
        scales(reinterpret_cast<float*>(memory + kOutputs * cols)),
        mins(scales + kOutputs * (cols / 16)) {}
};

void packRows(const LinearTask& t, size_t row, const RowTile& tile) {
  for (size_t i = 0; i < kRows; i++) {
    for (size_t block = 0; block < t.cols / 32; block++) {
      alignas(32) int8_t bytes[32] = {};
      float scale = 0;
      if (row + i < t.rows) scale = quantizeBlock(t.x + (row + i) * t.cols + 32 * block, bytes);
      for (size_t g = 0; g < 8; g++) tile.words[(8 * block + g) * kRows + i] = wordAt(reinterpret_cast<uint8_t*>(bytes) + 4 * g);
      int32_t sums[2] = {};
      for (size_t p = 0; p < 32; p++) sums[p / 16] += bytes[p];
      for (size_t half = 0; half < 2; half++) tile.starts[(2 * block + half) * kRows + i] = -128 * sums[half];
      tile.scales[block * kRows + i] = scale;
      tile.sums[block * kRows + i] = scale * float(sums[0] + sums[1]);
    }
  }
}

// Outputs [first, first + kOutputs); those beyond the last are zeros.
void packOutputs(const LinearWeight& w, size_t cols, size_t first, const OutputPanel& panel) {
  const BlockShape shape = shapeOf(w.format);
  const Unpacker unpackBlock = unpackerOf(w.format);
  const bool halves = w.format == WeightFormat::kQ6_K;
  const size_t rowBytes = bytesOfRow(w.format, cols);
  WeightBlock block;
  for (size_t o = 0; o < kOutputs; o++) {
    const bool isThere = first + o < w.outputs;
    const uint8_t* from = w.data + (first + o) * rowBytes;
    if (!isThere) block = WeightBlock{};
    for (size_t at = 0; at < cols; at += shape.entries, from += shape.bytes) {
      if (isThere) unpackBlock(from, block);
      uint32_t* words = panel.words + at / 4 * kOutputs + o;
      for (size_t g = 0; g < shape.entries / 4; g++)
        words[g * kOutputs] = wordAt(reinterpret_cast<const uint8_t*>(block.codes) + 4 * g) ^ 0x80808080;
      if (halves) {
        for (size_t run = 0; run < shape.entries / 16; run++) panel.scales[(at / 16 + run) * kOutputs + o] = block.scales[run];
      } else {
        for (size_t run = 0; run < shape.entries / 32; run++) {
          panel.scales[(at / 32 + run) * kOutputs + o] = block.scales[2 * run];
          panel.mins[(at / 32 + run) * kOutputs + o] = block.mins[2 * run];
        }
      }
    }
  }
}

// Products of kRows rows and kOutputs outputs. `Run`: entries that share a scale.
template <size_t Run, bool Mins>
void multiplyTile(size_t cols, const RowTile& rows, const OutputPanel& panel, float* to) {
  Floats sum[kRows][kVectors];
  PROVABLY_UNROLL
  for (size_t i = 0; i < kRows; i++)
    PROVABLY_UNROLL
    for (size_t v = 0; v < kVectors; v++) sum[i][v] = Floats{};
  const uint32_t *left = rows.words, *right = panel.words;
  for (size_t run = 0; run < cols / Run; run++) {
    Ints products[kRows][kVectors];
    PROVABLY_UNROLL
    for (size_t i = 0; i < kRows; i++) {
      int32_t start = rows.starts[run * (Run / 16) * kRows + i];
      if (Run == 32) start += rows.starts[(2 * run + 1) * kRows + i];
      PROVABLY_UNROLL
      for (size_t v = 0; v < kVectors; v++) products[i][v] = start + Ints{};
    }
    for (size_t g = 0; g < Run / 4; g++) {
      Ints weights[kVectors];
      PROVABLY_UNROLL
      for (size_t v = 0; v < kVectors; v++) weights[v] = loadInts(right + v * kLanes);
      PROVABLY_UNROLL
      for (size_t i = 0; i < kRows; i++) {
        const Ints bytes = int32_t(left[i]) + Ints{};
        PROVABLY_UNROLL
        for (size_t v = 0; v < kVectors; v++) products[i][v] = addByteProducts(products[i][v], weights[v], bytes);
      }
      left += kRows;
      right += kOutputs;
    }
    const size_t block = run * Run / 32;
    PROVABLY_UNROLL
    for (size_t v = 0; v < kVectors; v++) {
      const Floats scale = loadFloats(panel.scales + run * kOutputs + v * kLanes);
      PROVABLY_UNROLL
      for (size_t i = 0; i < kRows; i++)
        sum[i][v] += __builtin_convertvector(products[i][v], Floats) * rows.scales[block * kRows + i] * scale;
      if constexpr (Mins) {
        const Floats least = loadFloats(panel.mins + run * kOutputs + v * kLanes);
        PROVABLY_UNROLL
        for (size_t i = 0; i < kRows; i++) sum[i][v] += least * rows.sums[block * kRows + i];
      }
    }
  }
  PROVABLY_UNROLL
  for (size_t i = 0; i < kRows; i++)
    PROVABLY_UNROLL
    for (size_t v = 0; v < kVectors; v++) storeFloats(to + i * kOutputs + v * kLanes, sum[i][v]);
}

void storeTile(const LinearWeight& w, size_t row, size_t rows, size_t first, const float* tile) {
  for (size_t i = 0; i < rows; i++) {
    const float* from = tile + i * kOutputs;
    float* to = w.y + (row + i) * w.outputs + first;
    const size_t count = smaller(kOutputs, w.outputs - first);
    if (count < kOutputs) {
      for (size_t o = 0; o < count; o++) storeOutput(w, row + i, first + o, from[o]);
      continue;
    }
    for (size_t o = 0; o < kOutputs; o += kLanes) {
      Floats start = w.accumulate ? loadFloats(to + o) : Floats{};
      if (w.bias) start += loadFloats(w.bias + first + o);
      storeFloats(to + o, start + loadFloats(from + o));
    }
  }
}

}  // namespace

void multiplyManyByBytes(const LinearTask& t, Team& team) {
  const size_t tiles = ceilDiv(t.rows, kRows), tileBytes = RowTile::bytes(t.cols);
  char* packed = scratchOf<char>(team, team.threads, tiles * tileBytes);
  forEachTask(team, ceilDiv(tiles, 4), [&](size_t task, int) {
    for (size_t tile = 4 * task; tile < smaller(tiles, 4 * task + 4); tile++) packRows(t, tile * kRows, RowTile(packed + tile * tileBytes, t.cols));
  });
  size_t panels = 0;
  for (size_t i = 0; i < t.weightCount; i++)
    if (isBlocked(t.weights[i].format)) panels += ceilDiv(t.weights[i].outputs, kOutputs);
  forEachTask(team, panels, [&](size_t task, int thread) {
    const LinearWeight* w = t.weights;
    for (;; w++) {
      if (!isBlocked(w->format)) continue;
      const size_t own = ceilDiv(w->outputs, kOutputs);
      if (task < own) break;
      task -= own;
    }
    const OutputPanel panel(scratchOf<char>(team, thread, OutputPanel::bytes(t.cols)), t.cols);
    packOutputs(*w, t.cols, task * kOutputs, panel);
    auto* multiply = hasMins(w->format) ? multiplyTile<32, true> : multiplyTile<32, false>;
    if (w->format == WeightFormat::kQ6_K) multiply = multiplyTile<16, false>;
    alignas(64) float products[kRows * kOutputs];
    for (size_t tile = 0; tile < tiles; tile++) {
      multiply(t.cols, RowTile(packed + tile * tileBytes, t.cols), panel, products);
      storeTile(*w, tile * kRows, smaller(kRows, t.rows - tile * kRows), task * kOutputs, products);
    }
  });
}

#endif

}  // namespace provably::PROVABLY_TARGET
