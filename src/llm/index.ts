export { type ByteSource, blobSource, bytesSource } from './files/byte-source.ts';
export { type FileSourceOptions, fileSource } from './files/file-source.ts';
export { type GgufFile, openGguf } from './files/gguf.ts';
export type { GgufList, GgufMetadata, GgufValue } from './files/gguf-metadata.ts';
export { openModel } from './files/open-model.ts';
export { openSafetensors } from './files/safetensors.ts';
export { formatOf, readTensorBytes, readTensorNumbers, type StoredTensor } from './files/stored-tensor.ts';
export { StringList } from './files/string-list.ts';
export {
  ARCHITECTURES,
  type Architecture,
  cacheBytesPerToken,
  type ModelConfig,
} from './model/model-config.ts';
export { type RopeAngles, type RopeConfig, type RopeScaling, ropeAngles } from './model/rope.ts';
export { type FindFile, openGgufModel, openHubModel, type StoredModel } from './model/stored-model.ts';
export type { TensorNaming } from './model/tensor-names.ts';
export {
  checkWeights,
  type LayerWeights,
  loadWeights,
  type ModelWeights,
  type PlannedTensor,
  type WeightMatrix,
} from './model/weights.ts';
