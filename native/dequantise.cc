// Stored weights as float32, with the roundings of their format: products and sums must not fuse here. Contract: kernels.h.

#include "dequantise.h"

#include "tables.h"

namespace provably::PROVABLY_TARGET {

namespace {

typedef int16_t Shorts __attribute__((vector_size(2 * kLanes)));
typedef int8_t CodesInMemory __attribute__((vector_size(kLanes), aligned(1), may_alias));

template <WeightFormat F>
void dequantiseBlocks(const uint8_t* from, size_t entries, float* to) {
  constexpr BlockShape shape = shapeOf(F);
  WeightBlock block;
  for (size_t at = 0; at < entries; at += shape.entries, from += shape.bytes) {
    unpack<F>(from, block);
    for (size_t run = 0; run < shape.entries / 16; run++) {
      const float scale = block.scales[run], least = block.mins[run];
      const int8_t* codes = block.codes + 16 * run;
      float* out = to + at + 16 * run;
      for (size_t i = 0; i < 16; i += kLanes) {
        // In steps: compilers take a fourfold widening apart.
        const Shorts pairs = __builtin_convertvector(*reinterpret_cast<const CodesInMemory*>(codes + i), Shorts);
        const Ints whole = __builtin_convertvector(pairs, Ints);
        const Floats product = __builtin_convertvector(whole, Floats) * scale;
        storeFloats(out + i, hasMins(F) ? product + least : product);
      }
    }
  }
}

}  // namespace

void dequantise(WeightFormat format, const uint8_t* row, size_t first, size_t end, float* to) {
  const size_t count = end - first;
  const uint8_t* from = row + bytesOfRow(format, first);
  switch (format) {
    case WeightFormat::kF32: return loadStored(from, Storage::kFloat32, 0, count, to);
    case WeightFormat::kF16: return loadStored(from, Storage::kFloat16, 0, count, to);
    case WeightFormat::kBF16: return loadStored(from, Storage::kBfloat16, 0, count, to);
    case WeightFormat::kQ8_0: return dequantiseBlocks<WeightFormat::kQ8_0>(from, count, to);
    case WeightFormat::kQ4_0: return dequantiseBlocks<WeightFormat::kQ4_0>(from, count, to);
    case WeightFormat::kQ4_1: return dequantiseBlocks<WeightFormat::kQ4_1>(from, count, to);
    case WeightFormat::kQ5_0: return dequantiseBlocks<WeightFormat::kQ5_0>(from, count, to);
    case WeightFormat::kQ5_1: return dequantiseBlocks<WeightFormat::kQ5_1>(from, count, to);
    case WeightFormat::kQ4_K: return dequantiseBlocks<WeightFormat::kQ4_K>(from, count, to);
    case WeightFormat::kQ5_K: return dequantiseBlocks<WeightFormat::kQ5_K>(from, count, to);
    case WeightFormat::kQ6_K: return dequantiseBlocks<WeightFormat::kQ6_K>(from, count, to);
  }
}

void dequantiseRows(const DequantiseRowsTask& t, Team& team) {
  const size_t rowBytes = bytesOfRow(t.format, t.cols), chunk = ceilDiv(1 << 14, t.cols);
  forEachTask(team, ceilDiv(t.count, chunk), [&](size_t task, int) {
    for (size_t i = task * chunk; i < smaller(t.count, (task + 1) * chunk); i++)
      dequantise(t.format, t.data + t.rows[i] * rowBytes, 0, t.cols, t.out + i * t.cols);
  });
}

void dequantiseRowsScalar(const DequantiseRowsTask& t, Team&) {
  for (size_t i = 0; i < t.count; i++)
    dequantise(t.format, t.data + t.rows[i] * bytesOfRow(t.format, t.cols), 0, t.cols, t.out + i * t.cols);
}

}  // namespace provably::PROVABLY_TARGET
