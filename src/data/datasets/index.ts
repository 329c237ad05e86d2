export { type BrownText, loadBrown } from './brown.ts';
export { type FashionMnistOptions, loadFashionMnist } from './fashion-mnist.ts';
export { encodeIdx, type IdxArray, parseIdx, readIdx } from './idx.ts';
export { type LabelledDataset, type LabelledRows, loadIdxFolder } from './labelled.ts';
export { loadMnist } from './mnist.ts';
export {
  type PlantedAttention,
  type PlantedAttentionOptions,
  type PlantedStream,
  type PlantedStreamOptions,
  plantedAttention,
  plantedStream,
} from './planted-attention.ts';
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
