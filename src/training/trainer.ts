// One training step of any model as one compiled function: loss, gradients, optimizer.

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
}

/** A model in training. Owns memory of jax-js: dispose of it, e.g. by `using`. */
export interface Trainer {
  /** Steps made so far. */
  readonly steps: number;
  /** Makes one step. @returns the loss before it */
  step(batch: Tensors, learningRate: number): Promise<number>;
  /** Copies the parameters out, under their names. */
  parameters(): Promise<Tensors>;
  [Symbol.dispose](): void;
}

/**
 * Puts a model's parameters on the device and compiles its training step.
 *
 * @throws {ShapeError} a tensor's data does not fit its shape
 * @throws {MissingDependencyError} jax-js is not installed
 */
export async function createTrainer(
  parameters: Tensors,
  { loss, optimizer }: TrainerOptions,
): Promise<Trainer> {
  for (const [name, tensor] of Object.entries(parameters)) {
    requireTensor(`createTrainer: parameter ${name}`, tensor);
  }
  return new JaxTrainer(await loadJax(), parameters, loss, optimizer);
}

/** Leaves of the optimizer's state: slots[j][name]. */
type Slots = JaxArrays[];

class JaxTrainer implements Trainer {
  steps = 0;
  readonly #jax: typeof Jax;
  readonly #optimizer: Optimizer;
  readonly #shapes: Record<string, readonly number[]>;
  readonly #run: ReturnType<typeof compileStep>;
  #parameters: JaxArrays;
  #slots: Slots;

  constructor(jax: typeof Jax, parameters: Tensors, loss: LossFunction, optimizer: Optimizer) {
    this.#jax = jax;
    this.#optimizer = optimizer;
    this.#shapes = mapRecord(parameters, ({ shape }) => shape);
    this.#parameters = mapRecord(parameters, (tensor) => toJax(jax, tensor));
    this.#slots = Array.from({ length: optimizer.slots }, () =>
      mapRecord(parameters, ({ shape }) => jax.numpy.zeros([...shape])),
    );
    this.#run = compileStep(jax, loss, optimizer);
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

  async parameters(): Promise<Tensors> {
    const tensors: Tensors = {};
    for (const [name, array] of Object.entries(this.#parameters)) {
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

function compileStep(jax: typeof Jax, loss: LossFunction, optimizer: Optimizer) {
  const step = (
    parameters: JaxArrays,
    slots: Slots,
    coefficients: JaxArray,
    batch: JaxArrays,
  ): [JaxArrays, Slots, JaxArray] => {
    const lossOf = (current: JaxArrays, rows: JaxArrays) => loss(jax, current, rows);
    const [value, gradients] = jax.valueAndGrad(lossOf)(jax.tree.ref(parameters), batch);
    const scalars = Array.from({ length: coefficients.shape[0] }, (_, i) => coefficients.ref.slice(i));
    coefficients.dispose();
    const updated: JaxArrays = {};
    const updatedSlots: Slots = slots.map(() => ({}));
    for (const name of Object.keys(parameters)) {
      const state = optimizer.update(
        jax,
        { parameter: parameters[name], slots: slots.map((slot) => slot[name]) },
        (gradients as JaxArrays)[name],
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

function toJax({ numpy }: typeof Jax, { shape, data }: Tensor): JaxArray {
  // jax-js copies the values at once, so shared memory would do as well; only its types ask for more.
  return numpy.array(data as Float32Array<ArrayBuffer>, { shape: [...shape] });
}

function mapRecord<T, U>(record: Record<string, T>, f: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, f(value)]));
}
