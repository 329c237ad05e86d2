// A training run in one file, so that it can go on after the process has ended.

import { DataError } from '../core/errors.ts';
import type { RunOptions } from '../core/progress.ts';
import { loadTensors, saveTensors } from './checkpoint.ts';
import type { Tensors } from './tensors.ts';
import type { TrainerState } from './trainer.ts';

/** Name of the tensor with the number of steps; parameters and slots have a prefix. */
const STEPS = 'steps';
/** Steps are stored as a float32. */
const MOST_STEPS = 2 ** 24;

/** Writes all of a training run, whole or not at all: a run that is killed meanwhile leaves the file of before. */
export async function saveTrainerState(
  path: string,
  { steps, parameters, slots }: TrainerState,
  options: RunOptions = {},
): Promise<void> {
  if (steps > MOST_STEPS)
    throw new DataError(`saveTrainerState: ${steps} steps; expected at most ${MOST_STEPS}.`);
  const tensors: Tensors = { [STEPS]: { shape: [1], data: Float32Array.of(steps) } };
  for (const [prefix, record] of [['parameter', parameters], ...slots.entries()] as const) {
    for (const [name, tensor] of Object.entries(record)) tensors[`${prefix}/${name}`] = tensor;
  }
  await saveTensors(path, tensors, options);
}

/**
 * Reads what `saveTrainerState` wrote.
 *
 * @param shapes - the model's parameters: the file does not tell a vector from a matrix with one column
 * @throws {DataError} missing, damaged, or of another model
 */
export async function loadTrainerState(
  path: string,
  shapes: Tensors,
  options: RunOptions = {},
): Promise<TrainerState> {
  const stored = await loadTensors(path, options);
  const take = (prefix: string | number): Tensors =>
    Object.fromEntries(
      Object.entries(shapes).map(([name, { shape, data }]) => {
        const found = stored[`${prefix}/${name}`];
        if (found?.data.length !== data.length) {
          throw new DataError(
            `loadTrainerState: ${path} has ${found?.data.length ?? 'no'} numbers of ${name}; expected ${data.length}. It is the state of another model; start anew in another file.`,
          );
        }
        return [name, { shape, data: found.data }];
      }),
    );
  if (!stored[STEPS]) {
    throw new DataError(`loadTrainerState: ${path} has no steps; expected the state of a training run.`);
  }
  const slots: Tensors[] = [];
  while (Object.keys(stored).some((name) => name.startsWith(`${slots.length}/`)))
    slots.push(take(slots.length));
  return { steps: stored[STEPS].data[0], parameters: take('parameter'), slots };
}
