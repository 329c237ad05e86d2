export {
  type Bags,
  bagCount,
  bagMeans,
  bagMembers,
  bagOfEach,
  bagSize,
  bagsFromLists,
  requireBags,
} from './bags/bags.ts';
export { type ChunkOptions, chunkBags, randomBags } from './bags/chunks.ts';
export { featureSortBags, kMeansBags } from './bags/feature-bags.ts';
export type { PartOptions } from './bags/part.ts';
export { globalBag, singletonBags } from './bags/simple.ts';
export { type SlicedBags, sliceBags } from './bags/slice.ts';
export type { SliceOptions } from './bags/slice-options.ts';
export { withinBagSquares } from './bags/squares.ts';
export type {
  AggregatorAnswer,
  AggregatorInfo,
  AggregatorQuery,
  AnsweredBag,
  RefusalReason,
  SampleId,
} from './protocol.ts';
export type {
  AggregateData,
  AggregateModel,
  BagAnswers,
  BagQuery,
  Family,
  FitOptions,
  Learner,
  ModelState,
} from './types.ts';
