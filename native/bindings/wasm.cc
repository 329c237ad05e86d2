// The WASM module: the same kernels behind plain exports. Memory is one bump allocator that JavaScript drives: it notes the
// top, allocates and fills what a call needs, calls, reads the results and puts the top back. Kernels run on one
// thread per instance; src/kernels/wasm.ts spreads rows over workers with an instance each.

// One translation unit: starting the compiler costs more than compiling a kernel.
#include "argsort.cc"
#include "attention.cc"
#include "attention_backward.cc"
#include "attention_block.cc"
#include "auctions.cc"
#include "bid_thresholds.cc"
#include "decode.cc"
#include "dequantise.cc"
#include "exp.cc"
#include "gemm.cc"
#include "gemm_skinny.cc"
#include "label_sums.cc"
#include "layer_steps.cc"
#include "linear.cc"
#include "linear_few.cc"
#include "micro_kernel.cc"
#include "nearest.cc"
#include "row_moments.cc"
#include "row_norms.cc"
#include "score_scan.cc"
#include "slice_rows.cc"
#include "uniform.cc"
#include "xxh64.cc"

#define PROVABLY_EXPORT(name) extern "C" __attribute__((export_name(#name)))

extern "C" unsigned char __heap_base;

namespace {

using namespace provably;

constexpr size_t kPage = 65536;
uintptr_t top = 0;

// Grows memory when needed; traps when that fails, which JavaScript sees as a RuntimeError.
uintptr_t allocateBytes(size_t bytes) {
  if (top == 0) top = reinterpret_cast<uintptr_t>(&__heap_base);
  const uintptr_t start = (top + 63) & ~uintptr_t(63), end = start + bytes;
  if (end < start) __builtin_trap();
  const size_t have = __builtin_wasm_memory_size(0) * kPage;
  if (end > have && __builtin_wasm_memory_grow(0, (end - have + kPage - 1) / kPage) == size_t(-1)) __builtin_trap();
  top = end;
  return start;
}

// Scratch lies above the caller's arrays, for the length of one call.
struct SerialTeam {
  Team team;
  struct {
    void* memory;
    size_t bytes;
  } buffers[1 + kSharedBuffers];
};

void runInOrder(Team&, size_t tasks, TaskBody body, void* context) {
  for (size_t task = 0; task < tasks; task++) body(context, task, 0);
}

void* scratchAbove(Team& team, int slot, size_t bytes) {
  auto& buffer = reinterpret_cast<SerialTeam&>(team).buffers[slot];
  if (buffer.bytes < bytes || !buffer.memory) {
    buffer.memory = reinterpret_cast<void*>(allocateBytes(bytes));
    buffer.bytes = bytes;
  }
  return buffer.memory;
}

template <class Task>
void call(void (*kernel)(const Task&, Team&), const Task& task) {
  const uintptr_t before = top;
  SerialTeam serial{{1, runInOrder, scratchAbove}, {}};
  kernel(task, serial.team);
  top = before;
}

namespace target = PROVABLY_TARGET;

template <class T>
T* at(uint32_t address) {
  return reinterpret_cast<T*>(uintptr_t(address));
}

// A task's fields as 32-bit words in the order of kernels.h; floats by their bits, addresses 0 for null.
AttentionLogits logitsAt(const uint32_t* w) {
  float scale;
  __builtin_memcpy(&scale, w + 10, sizeof scale);
  const AttentionTiles tiles{w[16], at<uint32_t>(w[17]), at<uint32_t>(w[18]), at<uint32_t>(w[19]), at<uint32_t>(w[20]),
                             at<uint32_t>(w[21]), at<uint32_t>(w[22]), at<float>(w[23]), at<uint32_t>(w[24])};
  return {at<float>(w[0]), at<void>(w[1]), at<void>(w[2]), Storage(w[3]), w[4], w[5], w[6], w[7], w[8], w[9], scale,
          at<float>(w[11]), w[25] ? int64_t(int32_t(w[12])) : kNotCausal, at<float>(w[13]), w[14], at<float>(w[15]), tiles};
}

}  // namespace

PROVABLY_EXPORT(allocate) uintptr_t allocate(size_t bytes) { return allocateBytes(bytes); }

// The top before an allocation, and back to it.
PROVABLY_EXPORT(mark) uintptr_t mark() { return top; }
PROVABLY_EXPORT(release) void release(uintptr_t marked) { top = marked; }

PROVABLY_EXPORT(gemm)
void gemm(size_t m, size_t n, size_t k, const float* a, const float* b, float* c, size_t strideA, size_t strideB, size_t strideC,
          bool transposeA, bool transposeB, bool accumulate) {
  call(target::gemm, GemmTask{m, n, k, a, b, c, strideA, strideB, strideC, transposeA, transposeB, accumulate});
}

PROVABLY_EXPORT(nearest)
void nearest(const float* points, size_t rows, size_t dim, const float* centers, size_t centerCount, const float* origin,
             uint32_t* labels, double* distances, uint32_t* secondLabels, double* secondDistances, uint64_t* rescanned) {
  call(target::nearest, NearestTask{points, rows, dim, centers, centerCount, origin, labels, distances, secondLabels,
                                    secondDistances, rescanned});
}

PROVABLY_EXPORT(labelSums)
void labelSums(const float* points, size_t rows, size_t dim, const uint32_t* labels, const double* weights, double* sums,
               double* counts) {
  call(target::labelSums, LabelSumsTask{points, rows, dim, labels, weights, sums, counts});
}

PROVABLY_EXPORT(rowNorms)
void rowNorms(const float* points, size_t rows, size_t dim, const float* origin, double* norms) {
  call(target::rowNorms, RowNormsTask{points, rows, dim, origin, norms});
}

PROVABLY_EXPORT(xxh64)
void xxh64(size_t count, const uint64_t* values, const uint64_t* seeds, uint64_t seed, uint64_t* hashes) {
  call(target::xxh64, HashTask{values, seeds, seed, hashes, count});
}

PROVABLY_EXPORT(uniform)
void uniform(size_t count, uint32_t key0, uint32_t key1, double start, double* out) {
  call(target::uniform, UniformTask{{key0, key1}, uint64_t(start), out, count});
}

PROVABLY_EXPORT(exp)
void exp(size_t count, const float* x, float* out) { call(target::exp, ExpTask{x, out, count}); }

// Many sizes and arrays: JavaScript fills `task` (its layout is in src/kernels/wasm-attention.ts).
PROVABLY_EXPORT(attention)
void attention(const uint32_t* task) { call(target::attention, AttentionTask{logitsAt(task), at<float>(task[26]), at<double>(task[27]), task[28] != 0}); }

PROVABLY_EXPORT(attentionBackward)
void attentionBackward(const uint32_t* task) {
  call(target::attentionBackward,
       AttentionBackwardTask{logitsAt(task), at<float>(task[26]), at<double>(task[27]), at<float>(task[28]), at<double>(task[29]),
                             at<float>(task[30]), at<float>(task[31]), at<float>(task[32]), task[33] != 0});
}

PROVABLY_EXPORT(decode)
void decode(const float* queries, const void* keys, const void* values, uint32_t storage, size_t heads, size_t keyHeads, size_t capacity,
            size_t dim, size_t valueDim, const uint32_t* lengths, float scale, const float* logWeights, float* out, double* lse,
            float* probabilities) {
  call(target::decode, DecodeTask{queries, keys, values, Storage(storage), heads, keyHeads, capacity, dim, valueDim, lengths, scale,
                                  logWeights, out, lse, probabilities});
}

PROVABLY_EXPORT(linear)
void linear(const float* x, size_t rows, size_t cols, uint32_t format, const uint8_t* data, size_t outputs, const float* bias, float* y,
            bool accumulate, bool exact) {
  const LinearWeight weight{WeightFormat(format), data, outputs, bias, y, accumulate};
  call(target::linear, LinearTask{x, rows, cols, &weight, 1, exact});
}

PROVABLY_EXPORT(dequantiseRows)
void dequantiseRows(uint32_t format, const uint8_t* data, size_t cols, const uint32_t* rows, size_t count, float* out) {
  call(target::dequantiseRows, DequantiseRowsTask{WeightFormat(format), data, cols, rows, count, out});
}

PROVABLY_EXPORT(rmsNorm)
void rmsNorm(const float* x, size_t rows, size_t cols, const float* weight, double epsilon, float* out) {
  call(target::rmsNorm, RmsNormTask{x, rows, cols, weight, epsilon, out});
}

PROVABLY_EXPORT(rotary)
void rotary(float* x, size_t rows, size_t heads, size_t dim, size_t pairs, bool interleaved, const float* cos, const float* sin) {
  call(target::rotary, RotaryTask{x, rows, heads, dim, pairs, interleaved, cos, sin});
}

PROVABLY_EXPORT(siluProduct)
void siluProduct(const float* gate, const float* up, float* out, size_t count) { call(target::siluProduct, SiluProductTask{gate, up, out, count}); }

PROVABLY_EXPORT(add)
void add(const float* x, float* out, size_t count) { call(target::add, AddTask{x, out, count}); }

PROVABLY_EXPORT(argsort)
void argsort(const double* values, size_t count, uint32_t* order, double* sorted) {
  call(target::argsort, ArgsortTask{values, count, order, sorted, nullptr, nullptr});
}

PROVABLY_EXPORT(sliceRows)
void sliceRows(const double* values, size_t count, const double* weights, const double* noise, size_t minSize, size_t maxSize, double penalty,
               bool monotone, size_t first, size_t end, double* costs, uint32_t* sizes) {
  call(target::sliceRows, SliceRowsTask{values, count, weights, noise, minSize, maxSize, penalty, monotone, first, end, 1,
                                        {{false, end, costs, sizes}, {}}});
}

PROVABLY_EXPORT(rowProducts)
void rowProducts(const double* features, size_t count, size_t cols, const double* center, const double* coefficients, double bias, double* out) {
  call(target::rowProducts, RowProductsTask{features, nullptr, count, cols, center, coefficients, bias, out});
}

PROVABLY_EXPORT(rowMoments)
void rowMoments(const double* features, size_t count, size_t cols, const double* center, const double* weights, double* sums, double* gram) {
  call(target::rowMoments, RowMomentsTask{features, nullptr, count, cols, center, weights, sums, gram});
}

// Arguments are 32-bit words, since there are many: sizes, addresses, 0 for none; those of AuctionBids first.
static AuctionBids auctionBidsAt(const uint32_t* w, double reserve) {
  return {at<uint32_t>(w[0]), at<uint32_t>(w[1]), at<double>(w[2]), reserve, at<double>(w[3]), at<double>(w[4]), at<double>(w[5]),
          at<uint32_t>(w[6]), w[7] != 0, w[8] != 0, w[9], w[10]};
}

PROVABLY_EXPORT(runAuctions)
void runAuctions(const uint32_t* w, double reserve) {
  call(target::runAuctions, AuctionsTask{auctionBidsAt(w, reserve), AuctionFormat(w[11]), at<double>(w[12]), w[13], at<double>(w[14]), w[15],
                                         w[16], w[17], at<double>(w[18]), at<double>(w[19]), at<double>(w[20]), at<double>(w[21]),
                                         at<uint32_t>(w[22]), at<double>(w[23])});
}

PROVABLY_EXPORT(bidThresholds)
void bidThresholds(const uint32_t* w, double reserve) {
  call(target::bidThresholds, ThresholdsTask{auctionBidsAt(w, reserve), w[11], w[12], w[13], at<double>(w[14])});
}
