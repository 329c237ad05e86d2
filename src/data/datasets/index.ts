export { type BrownText, loadBrown } from './brown.ts';
export { type FashionMnistOptions, loadFashionMnist } from './fashion-mnist.ts';
export {
  type FetchedTableOptions,
  loadBreastCancer,
  loadFair,
  loadRandHie,
  type RandHieOptions,
} from './fetched-tables.ts';
export { encodeIdx, type IdxArray, parseIdx, readIdx } from './idx.ts';
export { type LabelledDataset, type LabelledRows, loadIdxFolder } from './labelled.ts';
export { loadMnist } from './mnist.ts';
export { loadBoston, loadCpsWages, type SensitiveColumnOptions } from './npm-tables.ts';
export {
  type PlantedAttention,
  type PlantedAttentionOptions,
  type PlantedStream,
  type PlantedStreamOptions,
  plantedAttention,
  plantedStream,
} from './planted-attention.ts';
export {
  type ResponseTable,
  type Standardizer,
  standardizer,
  type TrainTestOptions,
  takeTableRows,
  trainTestSplit,
} from './response-table.ts';
export { type LongTailOptions, longTailRows, longTailSizes, takeLabelled } from './subsets.ts';
export {
  type GasSensorOptions,
  gasSensorRegression,
  gaussianMixture,
  type Mixture,
  type MixtureOptions,
  outlierMixture,
  type RegressionData,
} from './synthetic.ts';
