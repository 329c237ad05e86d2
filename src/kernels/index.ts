// The one door to the kernels. Everything above imports from here and never from a backend.

export { directDistance } from './direct.ts';
export {
  type BackendInfo,
  describeKernels,
  type KernelsInfo,
  type LoadKernelsOptions,
  loadKernels,
  type SimdLevel,
} from './load.ts';
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
