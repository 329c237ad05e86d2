// The door's checks of the tasks of a language model's layers; see door.ts. Steps that run many times are checked once, but for what may
// change between runs and would let native code read beyond an array.

import { requireInteger, requireNumber, requireOneOf } from '../core/check.ts';
import { InvalidArgumentError, ShapeError } from '../core/errors.ts';
import { checkDecode, requireBelow } from './attention-door.ts';
import type { AttentionKernels } from './attention-types.ts';
import type {
  DequantiseRowsTask,
  KernelStep,
  LinearTask,
  LlmKernels,
  PreparedSteps,
  RmsNormTask,
  RotaryTask,
  SiluProductTask,
  StepTasks,
  StoredRows,
} from './llm-types.ts';
import { requireApart, requireArray } from './require-array.ts';
import { WEIGHT_FORMATS, type WeightFormat } from './weight-formats.ts';

/** What a backend implements: `prepare` gets steps that were checked and returns what runs them; left out, they run one by one. */
export interface LlmBackend extends Omit<LlmKernels, 'prepare'> {
  prepare?(steps: readonly KernelStep[]): () => Promise<void>;
}

const FORMATS = Object.keys(WEIGHT_FORMATS) as WeightFormat[];

const CHECKS: { [Name in keyof StepTasks]: (task: StepTasks[Name]) => void } = {
  linear: checkLinear,
  dequantiseRows: checkDequantiseRows,
  rmsNorm: checkRmsNorm,
  rotary: checkRotary,
  siluProduct: checkSiluProduct,
  add: ({ x, out }) => {
    requireArray('add: x', x, Float32Array, 0);
    requireArray('add: out', out, Float32Array, x.length);
  },
  decode: checkDecode,
};

/** The kernels behind their checks. */
export function checkedLlm(kernels: LlmBackend & Pick<AttentionKernels, 'decode'>): LlmKernels {
  const guarded =
    <Name extends keyof StepTasks>(name: Name) =>
    async (task: StepTasks[Name]) => {
      CHECKS[name](task);
      await runStep(kernels, { kernel: name, task } as KernelStep);
    };
  return {
    linear: guarded('linear'),
    dequantiseRows: guarded('dequantiseRows'),
    rmsNorm: guarded('rmsNorm'),
    rotary: guarded('rotary'),
    siluProduct: guarded('siluProduct'),
    add: guarded('add'),
    prepare: (steps) => prepare(kernels, steps),
  };
}

function prepare(
  kernels: LlmBackend & Pick<AttentionKernels, 'decode'>,
  from: readonly KernelStep[],
): PreparedSteps {
  // Copies, so that nothing that was checked can be exchanged.
  const steps = from.map(copyOf);
  for (const step of steps) {
    requireOneOf('prepare: kernel', step.kernel, Object.keys(CHECKS));
    CHECKS[step.kernel](step.task as never);
  }
  const arrays = [...new Set(steps.flatMap(({ task }) => arraysOf(task)))];
  const lengths = arrays.map(({ length }) => length);
  const run = kernels.prepare?.(steps) ?? (() => runInTurn(kernels, steps));
  return {
    async run() {
      for (let i = 0; i < arrays.length; i++)
        if (arrays[i].length !== lengths[i]) {
          throw new ShapeError(
            `prepare: an array of length ${lengths[i]} has length ${arrays[i].length} by now; expected arrays to stay as they are. Prepare again.`,
          );
        }
      for (const step of steps) checkContents(step);
      await run();
    },
  };
}

function copyOf(step: KernelStep): KernelStep {
  const task = { ...step.task };
  if ('weights' in task) task.weights = task.weights.map((weight) => ({ ...weight }));
  return { kernel: step.kernel, task } as KernelStep;
}

function arraysOf(task: object): { length: number }[] {
  return Object.values(task).flatMap((value) => {
    if (ArrayBuffer.isView(value)) return [value as unknown as { length: number }];
    return Array.isArray(value) ? value.flatMap(arraysOf) : [];
  });
}

/** What may have changed since the step was prepared. */
function checkContents({ kernel, task }: KernelStep): void {
  if (kernel === 'decode') requireBelow('decode: lengths', task.lengths, task.keyHeads, task.capacity + 1);
  if (kernel === 'dequantiseRows') {
    requireBelow('dequantiseRows: rows', task.rows, task.rows.length, task.storedRows);
  }
}

async function runInTurn(
  kernels: LlmBackend & Pick<AttentionKernels, 'decode'>,
  steps: readonly KernelStep[],
) {
  for (const step of steps) await runStep(kernels, step);
}

function runStep(
  kernels: LlmBackend & Pick<AttentionKernels, 'decode'>,
  { kernel, task }: KernelStep,
): Promise<void> {
  return (kernels[kernel] as (task: StepTasks[keyof StepTasks]) => Promise<void>)(task);
}

function checkLinear({ x, rows, cols, weights, activations = 'int8' }: LinearTask): void {
  requireInteger('linear: rows', rows, 0, 0xffffffff);
  requireInteger('linear: cols', cols, 1, 0xffffffff);
  requireArray('linear: x', x, Float32Array, rows * cols);
  requireOneOf('linear: activations', activations, ['float32', 'int8']);
  weights.forEach((weight, i) => {
    const { outputs, bias, y, owner } = weight;
    requireInteger(`linear: weights[${i}].outputs`, outputs, 0, 0xffffffff);
    requireStoredRows(`linear: weights[${i}]`, weight, outputs, cols);
    if (bias) requireArray(`linear: weights[${i}].bias`, bias, Float32Array, outputs);
    if (owner !== undefined && (typeof owner !== 'object' || owner === null)) {
      throw new InvalidArgumentError(
        `linear: weights[${i}].owner is ${owner}; expected an object that lives as long as the weights. Pass the model.`,
      );
    }
    requireArray(`linear: weights[${i}].y`, y, Float32Array, rows * outputs);
    requireApart(`linear: weights[${i}].y`, y, x, 'x');
    // Threads may be at work on several weights at once.
    for (let other = 0; other < i; other++)
      requireApart(`linear: weights[${i}].y`, y, weights[other].y, `weights[${other}].y`);
  });
}

function requireStoredRows(name: string, { format, data }: StoredRows, rows: number, cols: number): void {
  requireOneOf(`${name}.format`, format, FORMATS);
  const { entries, bytes } = WEIGHT_FORMATS[format];
  if (cols % entries !== 0) {
    throw new ShapeError(
      `${name}: cols is ${cols}; expected a multiple of ${entries}, the entries of a block of ${format}.`,
    );
  }
  requireArray(`${name}.data`, data, Uint8Array, (rows * cols * bytes) / entries);
  const alignment = format === 'F32' ? 4 : 2;
  if (data.byteOffset % alignment !== 0) {
    throw new InvalidArgumentError(
      `${name}.data starts at byte ${data.byteOffset} of its buffer; expected a multiple of ${alignment} for ${format}. Copy it.`,
    );
  }
}

function checkDequantiseRows(task: DequantiseRowsTask): void {
  const { storedRows, cols, rows, out } = task;
  requireInteger('dequantiseRows: storedRows', storedRows, 0, 0xffffffff);
  requireInteger('dequantiseRows: cols', cols, 1, 0xffffffff);
  requireStoredRows('dequantiseRows', task, storedRows, cols);
  requireArray('dequantiseRows: rows', rows, Uint32Array, 0);
  requireBelow('dequantiseRows: rows', rows, rows.length, storedRows);
  requireArray('dequantiseRows: out', out, Float32Array, rows.length * cols);
}

function checkRmsNorm({ x, rows, cols, weight, epsilon, out }: RmsNormTask): void {
  requireInteger('rmsNorm: rows', rows, 0, 0xffffffff);
  requireInteger('rmsNorm: cols', cols, 1, 0xffffffff);
  requireNumber('rmsNorm: epsilon', epsilon);
  if (epsilon < 0) throw new InvalidArgumentError(`rmsNorm: epsilon is ${epsilon}; expected ≥ 0.`);
  requireArray('rmsNorm: x', x, Float32Array, rows * cols);
  if (weight) requireArray('rmsNorm: weight', weight, Float32Array, cols);
  requireArray('rmsNorm: out', out, Float32Array, rows * cols);
}

function checkRotary({ x, rows, heads, dim, pairs, pairing, cos, sin }: RotaryTask): void {
  requireInteger('rotary: rows', rows, 0, 0xffffffff);
  requireInteger('rotary: heads', heads, 1, 0xffffffff);
  requireInteger('rotary: dim', dim, 1, 0xffffffff);
  requireInteger('rotary: pairs', pairs, 0, Math.floor(dim / 2));
  requireOneOf('rotary: pairing', pairing, ['interleaved', 'halves']);
  requireArray('rotary: x', x, Float32Array, rows * heads * dim);
  requireArray('rotary: cos', cos, Float32Array, rows * pairs);
  requireArray('rotary: sin', sin, Float32Array, rows * pairs);
}

function checkSiluProduct({ gate, up, out }: SiluProductTask): void {
  requireArray('siluProduct: gate', gate, Float32Array, 0);
  requireArray('siluProduct: up', up, Float32Array, gate.length);
  requireArray('siluProduct: out', out, Float32Array, gate.length);
}
