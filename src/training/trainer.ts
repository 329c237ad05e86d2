// One training step of any model as one compiled function: loss, gradients, optimizer.

import { requireInteger, requireNumber } from '../core/check.ts';
import { ShapeError } from '../core/errors.ts';
import { type Jax, type JaxArray, loadJax } from './jax.ts';
import type { Optimizer } from './optimizers.ts';
import { requireTensor, type Tensor, type Tensors } from './tensors.ts';

/** Arrays by name while they are in jax-js. */
export type JaxArrays = Record<string, JaxArray>;

/** Scalar loss of a batch. Follows the ownership rule of jax-js: every array is consumed once (`.ref` for each further use). */
export type LossFunction = (jax: typeof Jax, parameters: JaxArrays, batch: JaxArrays) => JaxArray;

export interface TrainerOptions {
  /** Traced once per set of batch shapes: pad the last batch rather than shortening it, or the step is compiled again. */
  loss: LossFunction;
  optimizer: Optimizer;
  /** Gradients whose norm over all parameters together is larger are scaled down to it, > 0. Default: never. */
  clipNorm?: number | undefined;
  /** Go on where another trainer of the same parameters and optimizer was: the parameters given then only say names and shapes. */
  resume?: TrainerState | undefined;
}

/** All that a trainer needs to go on as if it had never stopped. */
export interface TrainerState {
  /** Steps made. */
  steps: number;
  parameters: Tensors;
  /** What the optimizer keeps beside them: `Optimizer.slots` records with the parameters' names and shapes. */
  slots: Tensors[];
}

/** A model in training. Owns memory of jax-js: dispose of it, e.g. by `using`. */
export interface Trainer {
  /** Steps made so far. */
  readonly steps: number;
  /** Makes one step. @returns the loss before it */
  step(batch: Tensors, learningRate: number): Promise<number>;
  /** Copies the parameters out, under their names. */
  parameters(): Promise<Tensors>;
  /** Copies out everything, for `TrainerOptions.resume`. */
  state(): Promise<TrainerState>;
  [Symbol.dispose](): void;
}

/**
 * Puts a model's parameters on the device and compiles its training step.
 *
 * @throws {ShapeError} a tensor's data does not fit its shape, or the state to resume belongs to another model or optimizer
 * @throws {InvalidArgumentError} clipNorm is not positive
 * @throws {MissingDependencyError} jax-js is not installed
 */
export async function createTrainer(parameters: Tensors, options: TrainerOptions): Promise<Trainer> {
  const { optimizer, clipNorm, resume } = options;
  for (const [name, tensor] of Object.entries(parameters)) {
    requireTensor(`createTrainer: parameter ${name}`, tensor);
  }
  if (clipNorm !== undefined) requireNumber('createTrainer: clipNorm', clipNorm, Number.MIN_VALUE);
  if (resume) requireSameModel(parameters, optimizer, resume);
  const zeros = mapRecord(parameters, ({ shape, data }) => ({ shape, data: new Float32Array(data.length) }));
  const fresh = { steps: 0, parameters, slots: Array.from({ length: optimizer.slots }, () => zeros) };
  return new JaxTrainer(await loadJax(), resume ?? fresh, options);
}

function requireSameModel(parameters: Tensors, optimizer: Optimizer, state: TrainerState): void {
  requireInteger('createTrainer: resume.steps', state.steps, 0);
  if (state.slots.length !== optimizer.slots) {
    throw new ShapeError(
      `createTrainer: the state to resume has ${state.slots.length} arrays beside each parameter; expected ${optimizer.slots}, for ${optimizer.name}. Resume with the same optimizer.`,
    );
  }
  for (const tensors of [state.parameters, ...state.slots]) {
    for (const [name, { shape }] of Object.entries(parameters)) {
      const found = tensors[name]?.shape.join(', ');
      if (found !== shape.join(', ')) {
        throw new ShapeError(
          `createTrainer: ${name} of the state to resume has shape (${found ?? 'none'}); expected (${shape.join(', ')}). It is the state of another model.`,
        );
      }
    }
  }
}

/** Leaves of the optimizer's state: slots[j][name]. */
type Slots = JaxArrays[];

class JaxTrainer implements Trainer {
  steps: number;
  readonly #jax: typeof Jax;
  readonly #optimizer: Optimizer;
  readonly #shapes: Record<string, readonly number[]>;
  readonly #run: ReturnType<typeof compileStep>;
  #parameters: JaxArrays;
  #slots: Slots;

  constructor(jax: typeof Jax, { steps, parameters, slots }: TrainerState, options: TrainerOptions) {
    this.steps = steps;
    this.#jax = jax;
    this.#optimizer = options.optimizer;
    this.#shapes = mapRecord(parameters, ({ shape }) => shape);
    this.#parameters = mapRecord(parameters, (tensor) => toJax(jax, tensor));
    this.#slots = slots.map((slot) => mapRecord(slot, (tensor) => toJax(jax, tensor)));
    this.#run = compileStep(jax, options);
  }

  async step(batch: Tensors, learningRate: number): Promise<number> {
    const coefficients = Float32Array.from(this.#optimizer.coefficients(this.steps + 1, learningRate));
    const [parameters, slots, loss] = this.#run(
      this.#parameters,
      this.#slots,
      this.#jax.numpy.array(coefficients),
      mapRecord(batch, (tensor) => toJax(this.#jax, tensor)),
    );
    this.#parameters = parameters;
    this.#slots = slots;
    this.steps++;
    // Reading the loss runs the step. Left unread, steps would pile up, and the pile is searched at every new one.
    return (await loss.data())[0];
  }

  parameters(): Promise<Tensors> {
    return this.#copyOut(this.#parameters);
  }

  async state(): Promise<TrainerState> {
    const slots: Tensors[] = [];
    for (const slot of this.#slots) slots.push(await this.#copyOut(slot));
    return { steps: this.steps, parameters: await this.parameters(), slots };
  }

  async #copyOut(arrays: JaxArrays): Promise<Tensors> {
    const tensors: Tensors = {};
    for (const [name, array] of Object.entries(arrays)) {
      tensors[name] = { shape: this.#shapes[name], data: new Float32Array(await array.ref.data()) };
    }
    return tensors;
  }

  [Symbol.dispose](): void {
    this.#jax.tree.dispose([this.#parameters, this.#slots]);
    this.#parameters = {};
    this.#slots = [];
    this.#run.dispose();
  }
}

function compileStep(jax: typeof Jax, { loss, optimizer, clipNorm }: TrainerOptions) {
  const step = (
    parameters: JaxArrays,
    slots: Slots,
    coefficients: JaxArray,
    batch: JaxArrays,
  ): [JaxArrays, Slots, JaxArray] => {
    const lossOf = (current: JaxArrays, rows: JaxArrays) => loss(jax, current, rows);
    const [value, raw] = jax.valueAndGrad(lossOf)(jax.tree.ref(parameters), batch);
    const gradients = clipNorm === undefined ? (raw as JaxArrays) : clipped(jax, raw as JaxArrays, clipNorm);
    const scalars = Array.from({ length: coefficients.shape[0] }, (_, i) => coefficients.ref.slice(i));
    coefficients.dispose();
    const updated: JaxArrays = {};
    const updatedSlots: Slots = slots.map(() => ({}));
    for (const name of Object.keys(parameters)) {
      const state = optimizer.update(
        jax,
        { parameter: parameters[name], slots: slots.map((slot) => slot[name]) },
        gradients[name],
        scalars.map((scalar) => scalar.ref),
      );
      updated[name] = state.parameter;
      state.slots.forEach((array, j) => {
        updatedSlots[j][name] = array;
      });
    }
    for (const scalar of scalars) scalar.dispose();
    return [updated, updatedSlots, value];
  };
  return jax.jit(step);
}

/** Gradients scaled by min(1, clipNorm / norm), the norm being that of all of them as one vector (arXiv 1211.5063, algorithm 1). */
function clipped({ numpy }: typeof Jax, gradients: JaxArrays, clipNorm: number): JaxArrays {
  const squares = Object.values(gradients).map((gradient) => numpy.square(gradient.ref).sum());
  const norm = numpy.sqrt(squares.reduce((sum, square) => sum.add(square)));
  // Equal to min(1, clipNorm / norm), and finite where all gradients are zero.
  const factor = numpy.reciprocal(numpy.maximum(norm.div(clipNorm), 1));
  const scaled = mapRecord(gradients, (gradient) => gradient.mul(factor.ref));
  factor.dispose();
  return scaled;
}

function toJax({ numpy }: typeof Jax, { shape, data }: Tensor): JaxArray {
  // jax-js copies the values at once, so shared memory would do as well; only its types ask for more.
  return numpy.array(data as Float32Array<ArrayBuffer>, { shape: [...shape] });
}

function mapRecord<T, U>(record: Record<string, T>, f: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, f(value)]));
}
