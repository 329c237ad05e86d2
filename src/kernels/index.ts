// The one door to the kernels. Everything above imports from here and never from a backend.

export { argsort } from './argsort.ts';
export type {
  AttentionBackwardTask,
  AttentionLogits,
  AttentionTask,
  AttentionTiles,
  DecodeTask,
  ExpTask,
} from './attention-types.ts';
export {
  AUCTIONS_PER_CHUNK,
  type AuctionBids,
  type AuctionsTask,
  NO_ENTRY,
  type ThresholdsTask,
} from './auction-types.ts';
export { dequantise } from './dequantise.ts';
export { directDistance } from './direct.ts';
export { fromHalf, type HalfStorage, halfToNumber, putHalf, toHalf } from './half.ts';
export type {
  AddTask,
  DequantiseRowsTask,
  KernelStep,
  LinearTask,
  LinearWeight,
  PreparedSteps,
  RmsNormTask,
  RotaryPairing,
  RotaryTask,
  SiluProductTask,
  StoredRows,
} from './llm-types.ts';
export {
  type BackendInfo,
  describeKernels,
  type KernelsInfo,
  type LoadKernelsOptions,
  loadKernels,
  type SimdLevel,
} from './load.ts';
export { mapFile } from './map-file.ts';
export type { CenteredRows, RowMomentsTask, RowProductsTask } from './moments-types.ts';
export { type RotaryTable, rotaryTable } from './rotary-table.ts';
export {
  FLOAT_STORAGES,
  type FloatStorage,
  isFloatStorage,
  type KeyValueStorage,
  type QuantisedStorage,
  type RowFormat,
  rowBytes,
  rowFormat,
  STORAGES,
  type StoredArray,
} from './row-format.ts';
export type { ArgsortTask, SliceProgramme, SliceRowsTask } from './slice-types.ts';
export type {
  Backend,
  GemmTask,
  HashTask,
  Kernels,
  LabelSumsTask,
  NearestTask,
  RowNormsTask,
  UniformTask,
} from './types.ts';
export { type BlockShape, WEIGHT_FORMATS, type WeightFormat, weightBytes } from './weight-formats.ts';
