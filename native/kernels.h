// The kernels as the bindings see them: tasks in, results through pointers. One table of functions per instruction set.
//
// Common preconditions, checked by the caller and not here: pointers are valid for the shapes stated and aligned to
// their element; matrices are row-major; outputs overlap no input unless said; sizes may be 0. Nothing here
// allocates: packing buffers come from the Team. u = 2⁻²⁴ below is the unit roundoff of float32.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "team.h"

namespace provably {

// C (m, n) = op(A) (m, k) · op(B) (k, n), or C += when `accumulate`.
// `stride*` are entries between starts of consecutive stored rows: A is stored (m, k), or (k, m) when transposeA.
// Error of an entry ≤ γ(k + ⌈k / 512⌉ + 1) · Σ|aᵢ bᵢ| with γ(j) = ju / (1 − ju), plus one rounding of C when accumulating:
// k products in some fixed order, blocks of k added to C one after another.
struct GemmTask {
  size_t m, n, k;
  const float* a;
  const float* b;
  float* c;
  size_t strideA, strideB, strideC;
  bool transposeA, transposeB, accumulate;
};

// For each point the center of smallest squared distance as directDistance (direct.h) gives it in float64; ties go to
// the lowest index. The distances are those very numbers, so labels and distances are equal bit for bit
// whatever the instruction set and the number of threads. A NaN distance counts as infinite; when all are
// infinite, the label is 0. `secondLabels` and `secondDistances` are both given or both null.
struct NearestTask {
  const float* points;  // (rows, dim)
  size_t rows, dim;
  const float* centers;  // (centerCount, dim), 1 ≤ centerCount < 2³²
  size_t centerCount;
  const float* origin;      // (dim,), or null: then the mean of the centers. Changes speed, never results.
  uint32_t* labels;         // (rows,)
  double* distances;        // (rows,)
  uint32_t* secondLabels;   // (rows,); the label again when centerCount = 1
  double* secondDistances;  // (rows,); infinite when centerCount = 1
  uint64_t* rescanned;      // receives the number of rows that float32 was asked about and could not decide, or null
};

// sums[label] += weight · point and counts[label] += weight, float64, rows in order: bit-equal for any number of threads.
struct LabelSumsTask {
  const float* points;  // (rows, dim)
  size_t rows, dim;
  const uint32_t* labels;  // (rows,), each < the rows of `sums`
  const double* weights;   // (rows,), or null: ones
  double* sums;            // (centerCount, dim)
  double* counts;          // (centerCount,)
};

// norms[i] = Σ (x − origin)² in float64, summed in the order of direct.h.
struct RowNormsTask {
  const float* points;  // (rows, dim)
  size_t rows, dim;
  const float* origin;  // (dim,), or null: zeros
  double* norms;        // (rows,)
};

// hashes[i] = XXH64 of the 8 bytes of values[i], little-endian, with seeds[i], or `seed` when `seeds` is null.
// `hashes` may be `seeds` or `values`.
struct HashTask {
  const uint64_t* values;
  const uint64_t* seeds;
  uint64_t seed;
  uint64_t* hashes;
  size_t count;
};

// out[i] = number at position start + i of the Threefry stream of `key`, in [0, 1); start + count ≤ 2⁵³.
struct UniformTask {
  uint32_t key[2];
  uint64_t start;
  double* out;
  size_t count;
};

// out[i] = e^x[i] within 2 units in the last place; subnormal results are 0. `out` may be `x`.
struct ExpTask {
  const float* x;
  float* out;
  size_t count;
};

enum class Storage : uint32_t { kFloat32 = 0, kFloat16 = 1, kBfloat16 = 2, kK8V8 = 3, kK4V4 = 4, kK4V3 = 5, kK4V2 = 6 };

// Which queries meet which keys; see AttentionTiles in src/kernels/attention-types.ts. No query row is in two tiles.
struct AttentionTiles {
  size_t count;
  const uint32_t* heads;         // (count,)
  const uint32_t* rowStart;      // (count + 1,)
  const uint32_t* rows;          // query rows within their head
  const uint32_t* segmentStart;  // (count + 1,)
  const uint32_t* keyStart;      // (segments,)
  const uint32_t* keyEnd;        // (segments,)
  const float* logWeights;       // (segments,)
  const uint32_t* keys;          // key rows within their head
};

constexpr int64_t kNotCausal = INT64_MAX;

// The logits s_ij = scale ⟨q_i, k_j⟩ + log-weights + bias + slope · (j − i − offset), −∞ where j > i + causalOffset.
struct AttentionLogits {
  const float* queries;  // (heads, queryRows, dim)
  const void* keys;      // (keyHeads, keyRows, dim)
  const void* values;    // (keyHeads, keyRows, valueDim)
  Storage storage;
  size_t heads, keyHeads, queryRows, keyRows, dim, valueDim;  // dim, valueDim ≥ 1; heads a multiple of keyHeads
  float scale;
  const float* keyLogWeights;  // (keyHeads, keyRows), or null
  int64_t causalOffset;        // kNotCausal: all are seen
  const float* bias;           // (biasHeads, queryRows, keyRows), or null
  size_t biasHeads;            // 1 or heads
  const float* slopes;         // (heads,), or null
  AttentionTiles tiles;        // heads null: every query meets every key of its head
};

// out_i = Σ_j e^{s_ij − lse_i} v_j, lse_i = ln Σ_j e^{s_ij}; (0, −∞) where no key is seen. With `merge`, what out and lse hold counts as
// the result over more keys. Error of a logit ≤ (dim + 3) u · scale · Σ|q k|; of a weight, that and 4u relative.
struct AttentionTask {
  AttentionLogits logits;
  float* out;   // (heads, queryRows, valueDim)
  double* lse;  // (heads, queryRows)
  bool merge;
};

// With p_ij = e^{s_ij − lse_i} and δ_i = ⟨dO_i, O_i⟩ − dlse_i: dS = p (⟨dO_i, v_j⟩ − δ_i), dQ = scale dS K, dK = scale dSᵀ Q, dV = pᵀ dO.
// Keys and values are float32; `out` and `lse` are the whole result's. Scratch: ⌈4 / keyHeads⌉ times the size of keys and values.
struct AttentionBackwardTask {
  AttentionLogits logits;
  const float* out;           // (heads, queryRows, valueDim)
  const double* lse;          // (heads, queryRows)
  const float* outGradient;   // shape of out
  const double* lseGradient;  // shape of lse, or null: zeros
  float* queryGradient;       // shapes of what they are the gradients of; added to when `accumulate`
  float* keyGradient;
  float* valueGradient;
  bool accumulate;
};

// Attention of one query per head over the first lengths[g] rows of each key head's slab; (0, −∞) where there are none.
// Error of a logit as in AttentionTask. Rows are summed in chunks of a fixed size: bit-equal for any number of threads.
struct DecodeTask {
  const float* queries;  // (heads, dim)
  const void* keys;      // (keyHeads, capacity, dim), rows as the storage has them
  const void* values;    // (keyHeads, capacity, valueDim)
  Storage storage;
  size_t heads, keyHeads, capacity, dim, valueDim;
  const uint32_t* lengths;  // (keyHeads,), ≤ capacity; rows beyond are not read
  float scale;
  const float* logWeights;  // (keyHeads, capacity), or null
  float* out;               // (heads, valueDim)
  double* lse;              // (heads,)
  float* probabilities;     // (heads, capacity), or null; rows beyond the length are left alone
};

// Names and layouts of GGUF, in the order of src/kernels/weight-formats.ts.
enum class WeightFormat : uint32_t { kF32, kF16, kBF16, kQ8_0, kQ4_0, kQ4_1, kQ5_0, kQ5_1, kQ4_K, kQ5_K, kQ6_K };

// y = x Wᵀ, plus bias and, when `accumulate`, what y holds.
struct LinearWeight {
  WeightFormat format;
  const uint8_t* data;  // (outputs, bytes of a row); F32 aligned to 4 bytes, the rest to 2
  size_t outputs;
  const float* bias;  // (outputs,), or null
  float* y;           // (rows, outputs)
  bool accumulate;
};

// Products of the same rows with several weights. When `exact`, an entry is off by at most (cols + 4) u Σ|x w|, and by two roundings of
// sums with bias and y besides. Else, where weights come in blocks of 32 or 256, every 32 entries of x may be rounded to 8 bits of the largest among them, b: that adds
// b / 254 · (1 + 2⁻¹⁴) Σ|w| of those 32 (2⁻¹⁰⁰ Σ|w| where b is as small), and sums are off by (cols / 16 + 8) u Σ|x| (|scale · code| + |min|).
// A row of x that holds NaN or ±∞ then gives NaN throughout. No sum depends on the number of threads.
struct LinearTask {
  const float* x;  // (rows, cols)
  size_t rows, cols;  // cols ≥ 1, a multiple of every weight's block
  const LinearWeight* weights;
  size_t weightCount;
  bool exact;
};

// out[i] = row rows[i] of a stored matrix as float32, rounded after each of the one or two operations of its format.
struct DequantiseRowsTask {
  WeightFormat format;
  const uint8_t* data;
  size_t cols;
  const uint32_t* rows;  // (count,)
  size_t count;
  float* out;  // (count, cols)
};

// out = x / √(mean of x² + epsilon) · weight, row by row; within 4u relative. `out` may be `x`.
struct RmsNormTask {
  const float* x;  // (rows, cols)
  size_t rows, cols;
  const float* weight;  // (cols,), or null: ones
  double epsilon;
  float* out;
};

// Turns pairs (a, b) of x in place to (a cos − b sin, b cos + a sin), by the angles of their row.
struct RotaryTask {
  float* x;                // (rows, heads, dim)
  size_t rows, heads, dim, pairs;  // 2 · pairs ≤ dim
  bool interleaved;        // pair i is entries 2i and 2i + 1, else i and i + pairs
  const float *cos, *sin;  // (rows, pairs)
};

// out = gate / (1 + e^−gate) · up; within 6u relative. `out` may be `gate` or `up`.
struct SiluProductTask {
  const float *gate, *up;
  float* out;
  size_t count;
};

// out += x.
struct AddTask {
  const float* x;
  float* out;
  size_t count;
};

// order = the stable ascending order of values, sorted = the values in it; −0 comes out as 0. No NaN.
struct ArgsortTask {
  const double* values;  // (count,)
  size_t count;          // < 2³²
  uint32_t* order;       // (count,)
  double* sorted;        // (count,)
  double* spareKeys;     // (count,) to overwrite, both or none: then 12 bytes a value come from the Team
  uint32_t* spareOrder;  // (count,)
};

struct SliceProgramme {
  bool reversed;    // counts from the last value down
  size_t rows;      // ≤ count
  double* costs;    // (rows + 1,); costs[0] = 0 before the first call
  uint32_t* sizes;  // (rows + 1,); sizes[i] ≤ i
};

// Rows first + 1 … end of programmes that cut ascending values into bags of minSize to maxSize; see src/kernels/slice-types.ts. What a bag of m
// costs is off by at most (3 m + 10) 2⁻⁵³ Σ w (v − v_b)², v_b one of its values. Equal bits from every instruction set and for any first and end.
struct SliceRowsTask {
  const double* values;  // (count,)
  size_t count;
  const double* weights;  // (count,), or null: ones
  const double* noise;    // (count,), or null: zeros
  size_t minSize, maxSize;  // 1 ≤ minSize ≤ maxSize ≤ count
  double penalty;
  bool monotone;
  size_t first, end;  // first is a multiple of minSize
  size_t programmeCount;
  SliceProgramme programmes[2];
};

// out[i] = bias + Σ_j (x_ij − center_j) coefficients_j over float64 rows x_i = features[rows[i]]. Error ≤ (cols + 2) v Σ|(x − c) β| + v |bias|,
// v = 2⁻⁵³ (1 + small), beside the rounding of x − c.
struct RowProductsTask {
  const double* features;  // (stored rows, cols)
  const uint32_t* rows;    // (count,), each a stored row, or null: the first `count`
  size_t count, cols;
  const double* center;        // (cols,), or null: zeros
  const double* coefficients;  // (cols,)
  double bias;
  double* out;  // (count,)
};

// sums += Σ w_i z_i and gram += Σ w_i z_i z_iᵀ, z_i = features[rows[i]] − center; gram is symmetric before and after. Error of an entry
// ≤ (2048 + count / 2048 + 3) v Σ w |z z|. Equal bits for any number of threads.
struct RowMomentsTask {
  const double* features;  // (stored rows, cols)
  const uint32_t* rows;    // (count,), each a stored row, or null: the first `count`
  size_t count, cols;
  const double* center;   // (cols,), or null: zeros
  const double* weights;  // (count,)
  double* sums;           // (cols,)
  double* gram;           // (cols, cols), or null: not asked for
};

// Bids in position auctions; see src/kernels/auction-types.ts.
struct AuctionBids {
  const uint32_t* offsets;       // (auctions + 1,), ascending
  const uint32_t* advertiserOf;  // (entries,)
  const double* bids;            // (entries,), finite, ≥ 0
  double reserve;                // of all auctions, ≥ 0
  const double* reserves;        // (auctions,), or null: `reserve`
  const double* factors;         // (entries,), > 0, or null: ones
  const double* boosts;          // (entries,), ≥ 0, or null: zeros
  const uint32_t* owners;        // (advertisers,), or null: each advertiser its own
  bool grouped;                  // an owner may have several entries in an auction
  bool hashed;                   // equal scores go by a hash with tieSeed
  uint32_t tieSeed;
  uint32_t firstNumber;          // number of auction 0 in that hash
};

enum class AuctionFormat : uint32_t { kFirstPrice, kSecondPrice, kVickrey };

// Runs auctions first … end − 1, and adds what advertisers get to value, spend and wins. Sums go by chunks of kAuctionChunk auctions, which are
// added in order: equal bits from every instruction set and for any number of threads.
struct AuctionsTask {
  AuctionBids market;
  AuctionFormat format;
  const double* discounts;  // (slots,), > 0, falling
  size_t slots;
  const double* values;  // (entries,)
  size_t advertisers;
  size_t first, end;  // first is a multiple of kAuctionChunk
  double *value, *spend, *wins;  // (advertisers,)
  double* counts;                // (2,): auctions with ties (NaN: a winner is not < advertisers), slots sold; added to
  uint32_t* winners;             // (end − first, slots), or null
  double* payments;              // (end − first, slots), or null
};

constexpr size_t kAuctionChunk = 8192;
constexpr uint32_t kNoEntry = 0xffffffff;

// The least bids that take each slot, others fixed, of the entries of auctions first … end − 1.
struct ThresholdsTask {
  AuctionBids market;
  size_t slots;
  size_t first, end;
  double* thresholds;  // (entries of these auctions, slots)
};

struct KernelTable {
  const char* simd;
  void (*gemm)(const GemmTask&, Team&);
  void (*nearest)(const NearestTask&, Team&);
  void (*labelSums)(const LabelSumsTask&, Team&);
  void (*rowNorms)(const RowNormsTask&, Team&);
  void (*xxh64)(const HashTask&, Team&);
  void (*uniform)(const UniformTask&, Team&);
  void (*exp)(const ExpTask&, Team&);
  void (*attention)(const AttentionTask&, Team&);
  void (*attentionBackward)(const AttentionBackwardTask&, Team&);
  void (*decode)(const DecodeTask&, Team&);
  void (*linear)(const LinearTask&, Team&);
  void (*dequantiseRows)(const DequantiseRowsTask&, Team&);
  void (*rmsNorm)(const RmsNormTask&, Team&);
  void (*rotary)(const RotaryTask&, Team&);
  void (*siluProduct)(const SiluProductTask&, Team&);
  void (*add)(const AddTask&, Team&);
  void (*argsort)(const ArgsortTask&, Team&);
  void (*sliceRows)(const SliceRowsTask&, Team&);
  void (*rowProducts)(const RowProductsTask&, Team&);
  void (*rowMoments)(const RowMomentsTask&, Team&);
  void (*runAuctions)(const AuctionsTask&, Team&);
  void (*bidThresholds)(const ThresholdsTask&, Team&);
};

}  // namespace provably
