// Public names of provably/selection: arXiv 2402.17327, data selection by clustering-based sensitivity sampling.

export { type AdaptiveOptions, type AdaptiveSelection, adaptiveSelect, type RoundInput } from './adaptive.ts';
export { type Allocation, neymanAllocation } from './allocation.ts';
export { type ConstraintOptions, drawConstrained } from './constrained.ts';
export { checkDominance, type DominanceCheck } from './dominance.ts';
export type { ElbowRow } from './elbow.ts';
export {
  type Estimate,
  type EstimateMethod,
  type EstimateOptions,
  estimateDifference,
  estimateMean,
  estimateTotal,
  type IntervalMethod,
  type RowsNeeded,
  rowsNeeded,
} from './estimation/estimate.ts';
export { type GradientOptions, lastLayerGradientNorms, selectByGradient } from './gradient.ts';
export { type ClusterMeans, clusterMeans, estimateLambda, globalRatio, type LambdaInput } from './lambda.ts';
export { type LossCache, memoryLossCache, type OracleOptions } from './loss-oracle.ts';
export { combineScores } from './multi-model.ts';
export { enumerateHansenHurwitz, enumeratePoisson, exactTotal, naiveScores } from './oracle.ts';
export type { GivenClustering, Partition } from './partition.ts';
export type { ErrorPrediction } from './prediction.ts';
export { chooseProbes, probesPerCluster } from './probes.ts';
export { type LeastSquaresOptions, solveLeastSquares, squaredCost } from './regression/least-squares.ts';
export { type LeverageOptions, type LeverageScores, leverageScores } from './regression/leverage.ts';
export {
  type RegressionOptions,
  type RegressionSelection,
  regressionScores,
  selectForRegression,
} from './regression/select-for-regression.ts';
export { auditSelection } from './report-selection.ts';
export { bernsteinDeviation, epsilonForSampleSize, gradientSampleSize, sampleSize } from './sample-size.ts';
export { type DrawOptions, drawSample } from './sampling/draw-sample.ts';
export { type Inclusion, inclusionProbabilities } from './sampling/inclusion.ts';
export { type ScoreInput, type ScoreModel, scoreRows } from './score-rows.ts';
export { selectData } from './select-data.ts';
export { defaultClusterCount, type Selection, type SelectOptions } from './select-options.ts';
export {
  distancePower,
  mixWithUniform,
  type SensitivityInput,
  type SensitivityScores,
  sensitivityScores,
} from './sensitivity.ts';
export { shardCounts } from './shards.ts';
export {
  selectKCenter,
  selectKMeansSensitivity,
  selectLeverage,
  selectLightweightCoreset,
  selectLowRankResidual,
  selectRidgeLeverage,
} from './strategies/by-geometry.ts';
export {
  selectEntropy,
  selectLeastConfidence,
  selectLossProportional,
  selectMargin,
  selectTopLoss,
  selectUniform,
} from './strategies/by-model.ts';
export { STRATEGIES, selectWith } from './strategies/registry.ts';
export type {
  Strategy,
  StrategyInput,
  StrategyNeed,
  StrategyOptions,
  StrategySelection,
} from './strategies/types.ts';
export { mislabelSuspects, type Suspect } from './suspects.ts';
export { type TrainingWeighting, trainingWeights } from './training-weights.ts';
export type {
  LossOracle,
  Observations,
  SamplingScheme,
  ScoreMode,
  WeightedSample,
} from './types.ts';
export { exactVariance, floorVarianceBound, poissonVariance } from './variance.ts';
