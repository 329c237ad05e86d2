export { type Batch, batchesPerEpoch, shuffledBatches } from './batches.ts';
export { loadMlp, loadTensors, saveMlp, saveTensors } from './checkpoint.ts';
export { type Jax, type JaxArray, loadJax } from './jax.ts';
export { type LoopOptions, runEpochs, type TrainingHistory } from './loop.ts';
export { crossEntropies, type DenseLayer, largestPerRow, Mlp, softmaxRows } from './mlp.ts';
export {
  type AdamOptions,
  type AdamWOptions,
  adam,
  adamW,
  type Optimizer,
  type ParameterState,
  type SgdOptions,
  sgd,
} from './optimizers.ts';
export { type RunStepsOptions, runSteps } from './run-steps.ts';
export { type CosineOptions, constantSchedule, cosineSchedule, type Schedule, warmUp } from './schedules.ts';
export type { Tensor, Tensors } from './tensors.ts';
export { type TrainedMlp, type TrainingRows, type TrainMlpOptions, trainMlp } from './train-mlp.ts';
export {
  createTrainer,
  type JaxArrays,
  type LossFunction,
  type Trainer,
  type TrainerOptions,
  type TrainerState,
} from './trainer.ts';
export { loadTrainerState, saveTrainerState } from './trainer-state.ts';
