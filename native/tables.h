// The kernels of one instruction set.
#pragma once

#include "kernels.h"

namespace provably::PROVABLY_TARGET {

void gemm(const GemmTask&, Team&);
void nearest(const NearestTask&, Team&);
void labelSums(const LabelSumsTask&, Team&);
void rowNorms(const RowNormsTask&, Team&);
void xxh64(const HashTask&, Team&);
void uniform(const UniformTask&, Team&);
void exp(const ExpTask&, Team&);
void attention(const AttentionTask&, Team&);
void attentionBackward(const AttentionBackwardTask&, Team&);
void decode(const DecodeTask&, Team&);
void linear(const LinearTask&, Team&);
void dequantiseRows(const DequantiseRowsTask&, Team&);
void rmsNorm(const RmsNormTask&, Team&);
void rotary(const RotaryTask&, Team&);
void siluProduct(const SiluProductTask&, Team&);
void add(const AddTask&, Team&);
void rowProducts(const RowProductsTask&, Team&);
void rowMoments(const RowMomentsTask&, Team&);
void argsort(const ArgsortTask&, Team&);
void sliceRows(const SliceRowsTask&, Team&);
void runAuctions(const AuctionsTask&, Team&);
void bidThresholds(const ThresholdsTask&, Team&);

// The obvious loops the kernels are tested against, one thread.
void gemmScalar(const GemmTask&, Team&);
void nearestScalar(const NearestTask&, Team&);
void labelSumsScalar(const LabelSumsTask&, Team&);
void rowNormsScalar(const RowNormsTask&, Team&);
void xxh64Scalar(const HashTask&, Team&);
void uniformScalar(const UniformTask&, Team&);
void expScalar(const ExpTask&, Team&);
void attentionScalar(const AttentionTask&, Team&);
void attentionBackwardScalar(const AttentionBackwardTask&, Team&);
void decodeScalar(const DecodeTask&, Team&);
void linearScalar(const LinearTask&, Team&);
void dequantiseRowsScalar(const DequantiseRowsTask&, Team&);
void rmsNormScalar(const RmsNormTask&, Team&);
void rotaryScalar(const RotaryTask&, Team&);
void siluProductScalar(const SiluProductTask&, Team&);
void addScalar(const AddTask&, Team&);
void rowProductsScalar(const RowProductsTask&, Team&);
void rowMomentsScalar(const RowMomentsTask&, Team&);
void argsortScalar(const ArgsortTask&, Team&);
void sliceRowsScalar(const SliceRowsTask&, Team&);
void runAuctionsScalar(const AuctionsTask&, Team&);
void bidThresholdsScalar(const ThresholdsTask&, Team&);

}  // namespace provably::PROVABLY_TARGET
