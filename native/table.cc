// The table of this instruction set, and for the narrowest one also the table of scalar references.

#include "tables.h"

namespace provably::PROVABLY_TARGET {

#define PROVABLY_TEXT_OF(name) #name
#define PROVABLY_TEXT(name) PROVABLY_TEXT_OF(name)

extern const KernelTable table;
extern const KernelTable scalarTable;
const KernelTable table{PROVABLY_TEXT(PROVABLY_TARGET), gemm, nearest, labelSums, rowNorms, xxh64,
                        uniform, exp, attention, attentionBackward, decode,
                        linear, dequantiseRows, rmsNorm, rotary, siluProduct, add, argsort, sliceRows, rowProducts,
                        rowMoments, runAuctions, bidThresholds};
const KernelTable scalarTable{"scalar",       gemmScalar,  nearestScalar, labelSumsScalar,
                              rowNormsScalar, xxh64Scalar, uniformScalar,
                              expScalar, attentionScalar, attentionBackwardScalar, decodeScalar,
                              linearScalar, dequantiseRowsScalar, rmsNormScalar, rotaryScalar, siluProductScalar, addScalar,
                              argsortScalar, sliceRowsScalar, rowProductsScalar, rowMomentsScalar, runAuctionsScalar, bidThresholdsScalar};

}  // namespace provably::PROVABLY_TARGET
