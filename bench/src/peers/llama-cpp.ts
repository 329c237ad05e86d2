// llama.cpp by node-llama-cpp, in this process: prompts, tokens one by one, probabilities of what comes next.

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { installLlama } from '../install.ts';
import { timed } from '../measure.ts';

/** What we use of node-llama-cpp, which is installed on first use: its types are not there when the repository is checked. */
interface Library {
  getLlama(options: object): Promise<Llama>;
}

interface Llama {
  loadModel(options: { modelPath: string }): Promise<Model>;
  dispose(): Promise<void>;
}

interface Model {
  tokenize(text: string): number[];
  createContext(options: object): Promise<{ getSequence(): Sequence }>;
}

interface Next {
  next: { token?: number; probabilities?: Map<number, number> };
}

interface Sequence {
  readonly nextTokenIndex: number;
  clearHistory(): Promise<void>;
  eraseContextTokenRanges(ranges: { start: number; end: number }[]): Promise<void>;
  evaluateWithoutGeneratingNewTokens(tokens: readonly number[]): Promise<void>;
  evaluate(tokens: readonly number[], options: object): AsyncGenerator<number>;
  controlledEvaluate(input: readonly [number, object][]): Promise<(Next | undefined)[]>;
}

/** Tokens whose probabilities come at once: maps of the whole vocabulary, which fill the heap. */
const SCORED_AT_ONCE = 16;

export class LlamaPeer implements AsyncDisposable {
  private readonly llama: Llama;
  private readonly model: Model;
  private readonly sequence: Sequence;

  private constructor(llama: Llama, model: Model, sequence: Sequence) {
    this.llama = llama;
    this.model = model;
    this.sequence = sequence;
  }

  /**
   * As fast as we know how: the binary for this processor, flash attention, rows through the products as many at a time as are faster here.
   *
   * @param contextSize - tokens it makes room for
   */
  static async load(modelPath: string, threads: number, contextSize: number): Promise<LlamaPeer> {
    const index = join(await installLlama(), 'node-llama-cpp/dist/index.js');
    const { getLlama }: Library = await import(pathToFileURL(index).href);
    const llama = await getLlama({ gpu: false, build: 'never', maxThreads: threads, logLevel: 'error' });
    const model = await llama.loadModel({ modelPath });
    const context = await model.createContext({ contextSize, threads, batchSize: 512, flashAttention: true });
    return new LlamaPeer(llama, model, context.getSequence());
  }

  /** Token ids of a text without special tokens. */
  tokenize(text: string): number[] {
    return this.model.tokenize(text);
  }

  /** Reads a prompt from its start. @returns seconds */
  async prefill(tokens: readonly number[]): Promise<number> {
    await this.sequence.clearHistory();
    return timed(() => this.sequence.evaluateWithoutGeneratingNewTokens(tokens));
  }

  /** Forgets what came after the first `tokens`. */
  async rewind(tokens: number): Promise<void> {
    const end = this.sequence.nextTokenIndex;
    if (end > tokens) await this.sequence.eraseContextTokenRanges([{ start: tokens, end }]);
  }

  /**
   * Goes on after the tokens read so far with `first` and then the most likely token each time.
   *
   * @returns `count` tokens, and the seconds from the first of them to the last
   */
  async greedy(first: number, count: number): Promise<{ tokens: number[]; seconds: number }> {
    const tokens: number[] = [];
    let start = 0;
    for await (const token of this.sequence.evaluate([first], { temperature: 0, yieldEogToken: true })) {
      if (tokens.length === 0) start = performance.now();
      if (tokens.push(token) === count) break;
    }
    return { tokens, seconds: (performance.now() - start) / 1000 };
  }

  /** Probabilities of what comes after one token more, by token id. */
  async next(token: number): Promise<Map<number, number>> {
    const [answer] = await this.sequence.controlledEvaluate([
      [token, { generateNext: { probabilities: true } }],
    ]);
    return answer?.next.probabilities ?? new Map();
  }

  /** Natural logarithms of the probabilities that the tokens but the first have after those before them. */
  async logprobs(tokens: readonly number[]): Promise<number[]> {
    await this.sequence.clearHistory();
    const found: number[] = [];
    for (let start = 0; start + 1 < tokens.length; start += SCORED_AT_ONCE) {
      const part = tokens.slice(start, Math.min(start + SCORED_AT_ONCE, tokens.length - 1));
      const answers = await this.sequence.controlledEvaluate(
        part.map((token) => [token, { generateNext: { probabilities: true } }]),
      );
      answers.forEach((answer, i) => {
        found.push(Math.log(answer?.next.probabilities?.get(tokens[start + i + 1]) ?? NaN));
      });
    }
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.llama.dispose();
  }
}
