// Training of small models that the engine runs.

export { END_OF_TEXT, trainBytePairs, type WeightedText } from './byte-pairs.ts';
export { startWithInduction } from './induction-start.ts';
export { createKernelTrainer, type KernelTrainerOptions } from './kernel-trainer.ts';
export { createLessons, type LessonPlan, type Lessons, retrievalAnswer } from './lessons.ts';
export { initialWeights, type TrainableShape } from './model-shape.ts';
export { nextTokenLoss, type TokenRows, tokenBatch, traceLogits } from './network.ts';
export { type ModelToWrite, writeModel } from './write-model.ts';
