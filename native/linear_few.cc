// A few rows against stored weights, which are read once: dot products along rows of weights, four outputs at a time.
// Compiled with -ffp-contract=fast like the micro-kernel.

#include "dequantise.h"
#include "linear.h"

namespace provably::PROVABLY_TARGET {

namespace {

// Bytes of weights asked for ahead of their use: one core alone waits for memory otherwise.
constexpr size_t kAhead = 4096;

inline void askFor([[maybe_unused]] const uint8_t* at) {
#if !defined(__wasm__)  // which cannot ask
  __builtin_prefetch(at);
#endif
}

// Two sums for one output, so that neither waits for the other.
struct Sums {
  Floats products, mins;
};

template <class Format>
inline void addProducts(const Unit<Format>& unit, const ActivationUnit& x, Sums& sums) {
  Ints products[kUnitVectors];
  PROVABLY_UNROLL
  for (size_t v = 0; v < kUnitVectors; v++) {
    products[v] = Format::kOffset ? loadInts(x.offsetSums + v * kLanes) * (Format::kOffset / 8) : Ints{};
    const Ints codes = reinterpret_cast<Ints>(unit.codes[v]), bytes = loadInts(x.bytes + 4 * kLanes * v);
    products[v] = Format::kIsSigned
                      ? addSignedProducts(products[v], reinterpret_cast<SignedBytes>(codes), reinterpret_cast<SignedBytes>(bytes))
                      : addByteProducts(products[v], codes, bytes);
  }
  const Floats scale = loadFloats(x.scales);
  if constexpr (kUnitScales<Format> == 1) {
    PROVABLY_UNROLL
    for (size_t v = 1; v < kUnitVectors; v++) products[0] += products[v];
  }
  PROVABLY_UNROLL
  for (size_t v = 0; v < kUnitScales<Format>; v++)
    sums.products += __builtin_convertvector(products[v], Floats) * (unit.scale[v] * scale);
  if constexpr (Format::kHasMins) sums.mins += unit.min * loadFloats(x.sums);
}

// Lane q: the sum over the lanes of line q.
inline Floats sumsOfFour(const Floats (&line)[4]) {
  Floats sum = pairSums<2>(pairSums<1>(line[0], line[1]), pairSums<1>(line[2], line[3]));
  if constexpr (kLanes > 8) sum += swapLanes<8>(sum);
  if constexpr (kLanes > 4) sum += swapLanes<4>(sum);
  return sum;
}

struct Lines {
  const uint8_t* line[4];
  size_t count;

  Lines(const LinearWeight& w, size_t rowBytes, size_t first, size_t end) : count(smaller(4, end - first)) {
    for (size_t q = 0; q < 4; q++) line[q] = w.data + (first + smaller(q, count - 1)) * rowBytes;
  }
};

template <class Format, size_t Rows>
void fourOutputs(const LinearWeight& w, const Lines& lines, size_t blocks, size_t row, const ActivationUnit* x, size_t units, size_t output) {
  // One line after another, so that memory is read in order.
  Floats sum[Rows][4];
  typename Format::State state;
  PROVABLY_UNROLL
  for (size_t q = 0; q < 4; q++) {
    Sums own[Rows];
    PROVABLY_UNROLL
    for (size_t r = 0; r < Rows; r++) own[r] = Sums{Floats{}, Floats{}};
    for (size_t start = 0; start < units; start += Format::kUnits) {
      Format::prepare(lines.line[q], start * kUnitBlocks, blocks, state);
      const uint8_t* ahead = lines.line[q] + start * kUnitBlocks / Format::kBlocks * Format::kBytes + kAhead;
      for (size_t at = 0; at < Format::kUnits * kUnitBlocks * Format::kBytes / Format::kBlocks; at += 64) askFor(ahead + at);
      PROVABLY_UNROLL
      for (size_t at = 0; at < Format::kUnits; at++) {
        const Unit<Format> unit = Format::unit(state, at);
        PROVABLY_UNROLL
        for (size_t r = 0; r < Rows; r++) addProducts<Format>(unit, x[r * units + start + at], own[r]);
      }
    }
    PROVABLY_UNROLL
    for (size_t r = 0; r < Rows; r++) sum[r][q] = own[r].products + own[r].mins;
  }
  for (size_t r = 0; r < Rows; r++) {
    const Floats sums = sumsOfFour(sum[r]);
    for (size_t q = 0; q < lines.count; q++) storeOutput(w, row + r, output + q, sums[q]);
  }
}

template <class Format>
void multiplyInFours(const LinearWeight& w, size_t cols, size_t rows, const ActivationUnit* x, size_t units, size_t first, size_t end) {
  const size_t rowBytes = bytesOfRow(Format::kFormat, cols), blocks = cols / 32;
  for (size_t output = first; output < end; output += 4) {
    const Lines lines(w, rowBytes, output, end);
    size_t row = 0;
    for (; row + 4 <= rows; row += 4) fourOutputs<Format, 4>(w, lines, blocks, row, x + row * units, units, output);
    for (; row + 2 <= rows; row += 2) fourOutputs<Format, 2>(w, lines, blocks, row, x + row * units, units, output);
    if (row < rows) fourOutputs<Format, 1>(w, lines, blocks, row, x + row * units, units, output);
  }
}

template <class Stored>
float dotOf(const float* x, const typename Stored::Entry* line, size_t cols, bool ask) {
  Floats sum[4] = {};
  size_t p = 0;
  for (; p + 4 * kLanes <= cols; p += 4 * kLanes) {
    PROVABLY_UNROLL
    for (size_t v = 0; v < 4; v++) {
      if (ask) askFor(reinterpret_cast<const uint8_t*>(line + p + v * kLanes) + kAhead);
      sum[v] += loadFloats(x + p + v * kLanes) * Stored::load(line + p + v * kLanes);
    }
  }
  for (; p + kLanes <= cols; p += kLanes) sum[0] += loadFloats(x + p) * Stored::load(line + p);
  float rest = 0;
  for (; p < cols; p++) rest += x[p] * Stored::one(line[p]);
  return laneSum((sum[0] + sum[1]) + (sum[2] + sum[3])) + rest;
}

// `weights` starts with the line of output `first`.
template <class Stored>
void multiplyStored(const LinearWeight& w, const void* weights, size_t cols, size_t rows, const float* x, size_t first, size_t end) {
  const auto* line = static_cast<const typename Stored::Entry*>(weights);
  for (size_t output = first; output < end; output++, line += cols)
    for (size_t row = 0; row < rows; row++) storeOutput(w, row, output, dotOf<Stored>(x + row * cols, line, cols, row == 0));
}

}  // namespace

void multiplyFewByBytes(const LinearWeight& w, size_t cols, size_t rows, const ActivationUnit* x, size_t units, size_t first, size_t end) {
  const auto by = [&](auto format) { multiplyInFours<decltype(format)>(w, cols, rows, x, units, first, end); };
  switch (w.format) {
    case WeightFormat::kQ8_0: return by(BlockUnits<WeightFormat::kQ8_0>{});
    case WeightFormat::kQ4_0: return by(BlockUnits<WeightFormat::kQ4_0>{});
    case WeightFormat::kQ4_1: return by(BlockUnits<WeightFormat::kQ4_1>{});
    case WeightFormat::kQ5_0: return by(BlockUnits<WeightFormat::kQ5_0>{});
    case WeightFormat::kQ5_1: return by(BlockUnits<WeightFormat::kQ5_1>{});
    case WeightFormat::kQ4_K: return by(RunUnits<WeightFormat::kQ4_K>{});
    case WeightFormat::kQ5_K: return by(RunUnits<WeightFormat::kQ5_K>{});
    default: return by(SixBitUnits{});
  }
}

void multiplyFewByFloats(const LinearWeight& w, size_t cols, size_t rows, const float* x, size_t first, size_t end, float* memory) {
  const size_t rowBytes = bytesOfRow(w.format, cols);
  const uint8_t* from = w.data + first * rowBytes;
  switch (w.format) {
    case WeightFormat::kF32: return multiplyStored<FloatEntries>(w, from, cols, rows, x, first, end);
    case WeightFormat::kF16: return multiplyStored<Float16Entries>(w, from, cols, rows, x, first, end);
    case WeightFormat::kBF16: return multiplyStored<Bfloat16Entries>(w, from, cols, rows, x, first, end);
    default:
      for (size_t output = first; output < end; output++) {
        dequantise(w.format, w.data + output * rowBytes, 0, cols, memory);
        multiplyStored<FloatEntries>(w, memory, cols, rows, x, output, output + 1);
      }
  }
}

}  // namespace provably::PROVABLY_TARGET
