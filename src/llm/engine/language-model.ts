// A model in memory, ready to compute.

import { requireOneOf } from '../../core/check.ts';
import { InvalidArgumentError } from '../../core/errors.ts';
import type { RunOptions } from '../../core/progress.ts';
import type { KeyValueStorage } from '../../kernels/index.ts';
import { type Kernels, loadKernels } from '../../kernels/index.ts';
import { type CacheOptions, createCache } from '../../kv-cache/index.ts';
import type { ModelConfig } from '../model/model-config.ts';
import type { StoredModel } from '../model/stored-model.ts';
import { loadWeights, type ModelWeights } from '../model/weights.ts';
import { type Activations, RowProgram } from './row-program.ts';
import { Sequence } from './sequence.ts';

export interface LanguageModelOptions {
  /** Default 'int8': for quantised weights less time than 'float32', and the error of 8-bit activations. */
  activations?: Activations;
}

/** Of a layer: the same for all key heads, or one a key head, with budgets of their own. */
export type LayerCache = CacheOptions | readonly CacheOptions[];

export interface SequenceOptions {
  /** What layers keep: the same in all, or layer by layer. Default: everything. Layers with a sliding window keep that window. */
  cache?: LayerCache | ((layer: number) => LayerCache);
  /** How keys and values are stored. Default 'float32'. */
  storage?: KeyValueStorage;
}

/** Programs that are kept: those of decode steps and of whole chunks come again and again. */
const PROGRAMS_KEPT = 8;

export class LanguageModel {
  readonly config: ModelConfig;
  readonly weights: ModelWeights;
  readonly activations: Activations;
  readonly kernels: Kernels;
  /** By their number of rows, the last one used at the end. */
  private readonly programs = new Map<number, RowProgram>();
  private queue: Promise<unknown> = Promise.resolve();

  constructor(
    config: ModelConfig,
    weights: ModelWeights,
    kernels: Kernels,
    { activations = 'int8' }: LanguageModelOptions = {},
  ) {
    requireOneOf('LanguageModel: activations', activations, ['float32', 'int8']);
    this.config = config;
    this.weights = weights;
    this.kernels = kernels;
    this.activations = activations;
  }

  /** @throws {DataError} files that do not hold what they should; {UnsupportedError} what is not computed */
  static async load(
    model: StoredModel,
    options: LanguageModelOptions & RunOptions = {},
  ): Promise<LanguageModel> {
    const weights = await loadWeights(model, options);
    return new LanguageModel(model.config, weights, await loadKernels(), options);
  }

  /** An empty sequence. @throws {InvalidArgumentError} options of a cache */
  createSequence({ cache = { policy: 'full' }, storage = 'float32' }: SequenceOptions = {}): Sequence {
    const { heads, keyHeads, headDim, attentionScale, slidingWindows } = this.config;
    const shape = {
      ...{ heads, keyHeads, dim: headDim, valueDim: headDim, scale: attentionScale, storage },
    };
    return new Sequence(
      slidingWindows.map((window, layer) =>
        createCache(
          shape,
          window === null
            ? typeof cache === 'function'
              ? cache(layer)
              : cache
            : { policy: 'sink-window', budget: window, sinks: 0 },
        ),
      ),
    );
  }

  /** @throws {InvalidArgumentError} a token that the model does not know */
  requireTokens(where: string, tokens: ArrayLike<number>): void {
    const { vocabulary } = this.config;
    for (let i = 0; i < tokens.length; i++) {
      if (Number.isInteger(tokens[i]) && tokens[i] >= 0 && tokens[i] < vocabulary) continue;
      throw new InvalidArgumentError(
        `${where}: token ${i} is ${tokens[i]}; expected an integer from 0 to ${vocabulary - 1}. Take the ids from this model's tokenizer.`,
      );
    }
  }

  /** Runs `body` with a program of that many rows, when nothing else computes with this model. */
  exclusive<T>(rows: number, body: (program: RowProgram) => Promise<T>): Promise<T> {
    const run = this.queue.then(() => body(this.program(rows)));
    this.queue = run.catch(() => {});
    return run;
  }

  private program(rows: number): RowProgram {
    const program = this.programs.get(rows) ?? new RowProgram(this, this.kernels, rows);
    this.programs.delete(rows);
    this.programs.set(rows, program);
    if (this.programs.size > PROGRAMS_KEPT) {
      const [oldest] = this.programs.keys();
      this.programs.delete(oldest);
    }
    return program;
  }
}
