// Texts for several requests at once: prompts are read one after the other, a step at a time, and between two of these steps every text that
// is under way gets one more token, all by one pass over the weights (continuous batching, as Orca, OSDI 2022, has it).

import { requireInteger, requireNumber } from '../../core/check.ts';
import { BusyError } from '../../core/errors.ts';
import { yieldToEventLoop } from '../../core/progress.ts';
import { decodeStep } from '../engine/decode-step.ts';
import type { LanguageModel, SequenceOptions } from '../engine/language-model.ts';
import { type PrefillOptions, prefillSteps } from '../engine/prefill.ts';
import type { Sequence } from '../engine/sequence.ts';
import { createSampler, type SampledToken, type Sampler, type SamplingOptions } from '../sampling/index.ts';
import {
  createOutputText,
  type FinishReason,
  type OutputOptions,
  type OutputText,
  type Tokenizer,
} from '../text/index.ts';
import { Channel } from './channel.ts';
import { PrefixStore } from './prefix-store.ts';

export interface TextGeneratorOptions {
  /** Texts that grow at the same time, at most. Default 16. */
  maxActive?: number;
  /** Requests that wait for their turn, at most; more are refused. Default 64. */
  maxWaiting?: number;
  /** Bytes of caches of ended texts that are kept for prompts that begin with them. Default 0: none. */
  prefixBytes?: number;
  /** Steps that a slow reader may be behind before its text waits for it. Default 256. */
  maxUnread?: number;
}

export interface GenerationRequest extends OutputOptions {
  /** Token ids, at least one. */
  prompt: ArrayLike<number>;
  /** What layers keep of the text. */
  sequence?: SequenceOptions | undefined;
  /** How layers attend while the prompt is read. Default 'exact'. */
  attention?: PrefillOptions['attention'] | undefined;
  sampling?: SamplingOptions | undefined;
  /** Texts for this prompt, each with a stream of random numbers of its own. Default 1. */
  choices?: number | undefined;
  signal?: AbortSignal | undefined;
  /** Told of the prompt's progress. */
  onPrompt?: ((progress: { done: number; total: number }) => void) | undefined;
}

/** One more token of one text. */
export interface GenerationStep {
  choice: number;
  /** What can be shown now. */
  text: string;
  token: SampledToken;
  /** At the end of this choice. */
  finishReason?: FinishReason;
  /** At the end of this choice. */
  usage?: GenerationUsage;
  /** The sequence as it is now; it goes on changing until the choice has ended. */
  sequence: Sequence;
}

export interface GenerationUsage {
  promptTokens: number;
  /** Of those, how many a kept text had read already. */
  reusedTokens: number;
  /** Without the token that ended it. */
  outputTokens: number;
}

interface Request {
  id: number;
  request: GenerationRequest;
  channel: Channel<GenerationStep>;
  settings: string | undefined;
  reused: number;
  running: number;
  cancelled: unknown;
}

interface Text {
  owner: Request;
  choice: number;
  sequence: Sequence;
  sampler: Sampler;
  output: OutputText;
  last: number;
}

interface Reading {
  owner: Request;
  sequence: Sequence;
  steps: ReturnType<typeof prefillSteps>;
}

export class TextGenerator {
  readonly model: LanguageModel;
  readonly tokenizer: Tokenizer;
  private readonly limits: Required<TextGeneratorOptions>;
  private readonly prefixes: PrefixStore;
  private readonly waiting: Request[] = [];
  private texts: Text[] = [];
  private reading: Reading | undefined;
  private loop: Promise<void> | undefined;
  private wake: (() => void) | undefined;
  private requests = 0;

  constructor(model: LanguageModel, tokenizer: Tokenizer, options: TextGeneratorOptions = {}) {
    this.model = model;
    this.tokenizer = tokenizer;
    const { maxActive = 16, maxWaiting = 64, prefixBytes = 0, maxUnread = 256 } = options;
    requireInteger('TextGenerator: maxActive', maxActive, 1);
    requireInteger('TextGenerator: maxWaiting', maxWaiting, 0);
    requireNumber('TextGenerator: prefixBytes', prefixBytes, 0);
    requireInteger('TextGenerator: maxUnread', maxUnread, 1);
    this.limits = { maxActive, maxWaiting, prefixBytes, maxUnread };
    this.prefixes = new PrefixStore(prefixBytes);
  }

  /** What goes on now: for health checks and metrics. */
  get load(): { waiting: number; active: number; cacheBytes: number; prefixBytes: number } {
    const own = this.texts.reduce((sum, { sequence }) => sum + sequence.bytes().total, 0);
    return {
      waiting: this.waiting.length + (this.reading ? 1 : 0),
      active: this.texts.length,
      ...{ cacheBytes: own, prefixBytes: this.prefixes.bytes },
    };
  }

  /**
   * Starts a text, or several; to be read to the end, left (which cancels it) or cancelled by its signal, which then rejects with its reason.
   *
   * @throws {BusyError} too many requests wait already
   * @throws {InvalidArgumentError} an option is out of range, or the prompt is empty or holds what is no token
   */
  generate(request: GenerationRequest): AsyncIterable<GenerationStep> {
    const { prompt, choices = 1, sampling = {}, signal } = request;
    this.model.requireTokens('generate: prompt', prompt);
    requireInteger('generate: tokens of the prompt', prompt.length, 1);
    requireInteger('generate: choices', choices, 1, this.limits.maxActive);
    // Everything that may be refused is refused now, and not in the middle of other texts.
    createSampler({ ...sampling, vocabularySize: this.model.config.vocabulary });
    createOutputText(this.tokenizer, request);
    this.model.createSequence(request.sequence);
    signal?.throwIfAborted();
    if (this.waiting.length >= this.limits.maxWaiting && (this.reading || !this.hasRoom(choices))) {
      throw new BusyError(
        `generate: ${this.waiting.length} requests wait already; expected at most ${this.limits.maxWaiting}. Try again later.`,
      );
    }
    const owner: Request = {
      ...{ id: this.requests++, request, settings: settingsOf(request), reused: 0, running: 0 },
      channel: new Channel(() => this.cancel(owner, new Error('the reader has left'))),
      cancelled: undefined,
    };
    signal?.addEventListener('abort', () => this.cancel(owner, signal.reason), { once: true });
    this.waiting.push(owner);
    this.loop ??= this.run();
    this.wake?.();
    return owner.channel;
  }

  private cancel(owner: Request, reason: unknown): void {
    owner.cancelled ??= reason;
    this.wake?.();
  }

  private hasRoom(choices: number): boolean {
    return this.texts.length + choices <= this.limits.maxActive;
  }

  private async run(): Promise<void> {
    while (this.waiting.length > 0 || this.reading || this.texts.length > 0) {
      this.dropCancelled();
      const next = this.waiting[0];
      if (!this.reading && next && this.hasRoom(next.request.choices ?? 1)) {
        this.waiting.shift();
        this.reading = this.startReading(next);
      }
      if (this.reading) await this.readOn(this.reading);
      const ready = this.texts.filter(({ owner }) => owner.channel.waiting < this.limits.maxUnread);
      if (ready.length > 0) await this.growAll(ready);
      else if (!this.reading && this.texts.length > 0) await this.change();
      await yieldToEventLoop();
    }
    this.loop = undefined;
  }

  /** Until a reader has read, left or come. */
  private change(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, 50);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  private dropCancelled(): void {
    const gone = (owner: Request) => owner.cancelled !== undefined;
    for (const owner of this.waiting.filter(gone)) {
      this.waiting.splice(this.waiting.indexOf(owner), 1);
      owner.channel.fail(owner.cancelled);
    }
    if (this.reading && gone(this.reading.owner)) {
      this.reading.owner.channel.fail(this.reading.owner.cancelled);
      this.reading = undefined;
    }
    for (const { owner } of this.texts.filter((text) => gone(text.owner)))
      owner.channel.fail(owner.cancelled);
    this.texts = this.texts.filter(({ owner }) => !gone(owner));
  }

  private startReading(owner: Request): Reading {
    const { prompt, sequence: kept, attention = 'exact' } = owner.request;
    const known = owner.settings === undefined ? undefined : this.prefixes.take(owner.settings, prompt);
    const sequence = known ?? this.model.createSequence(kept);
    owner.reused = sequence.tokens.length;
    const rest = Array.prototype.slice.call(prompt, owner.reused) as number[];
    return { owner, sequence, steps: prefillSteps(this.model, sequence, rest, { attention }) };
  }

  private async readOn(reading: Reading): Promise<void> {
    const { owner, sequence, steps } = reading;
    try {
      const step = await steps.next();
      if (!step.done) owner.request.onPrompt?.(step.value);
      else {
        this.reading = undefined;
        this.begin(owner, sequence, step.value as Float32Array);
      }
    } catch (error) {
      this.reading = undefined;
      owner.channel.fail(error);
    }
  }

  /** The prompt is read: its texts begin. */
  private begin(owner: Request, first: Sequence, logits: Float32Array): void {
    const { prompt, choices = 1, sampling = {} } = owner.request;
    // Also as it is now: the text may come back spelled by other tokens than it was written with.
    if (owner.settings !== undefined) this.prefixes.keep(owner.settings, first);
    const sequences = Array.from({ length: choices }, (_, choice) => (choice === 0 ? first : first.fork()));
    owner.running = choices;
    const texts = sequences.map((sequence, choice) => ({
      ...{ owner, choice, sequence, last: 0 },
      sampler: createSampler({
        ...{ ...sampling, sequence: choice, vocabularySize: this.model.config.vocabulary },
        prompt,
      }),
      output: createOutputText(this.tokenizer, owner.request),
    }));
    this.texts.push(...texts);
    for (const text of texts) this.take(text, logits);
  }

  private async growAll(texts: readonly Text[]): Promise<void> {
    const { vocabulary } = this.model.config;
    try {
      const logits = await decodeStep(
        this.model,
        texts.map(({ sequence }) => sequence),
        texts.map(({ last }) => last),
      );
      texts.forEach((text, i) => {
        this.take(text, logits.subarray(i * vocabulary, (i + 1) * vocabulary));
      });
    } catch (error) {
      for (const { owner } of texts) owner.channel.fail(error);
      this.texts = this.texts.filter((text) => !texts.includes(text));
    }
  }

  /** One more token of a text. */
  private take(text: Text, logits: Float32Array): void {
    const { owner, choice, sequence, sampler, output } = text;
    let token: SampledToken;
    try {
      token = sampler.next(logits);
    } catch (error) {
      this.remove(text);
      owner.channel.fail(error);
      return;
    }
    text.last = token.id;
    const { text: shown, finishReason } = output.push(token.id);
    const step: GenerationStep = { choice, text: shown, token, sequence };
    if (finishReason) {
      this.remove(text);
      const promptTokens = owner.request.prompt.length;
      const usage = { promptTokens, reusedTokens: owner.reused, outputTokens: output.tokens };
      Object.assign(step, { finishReason, usage });
      if (owner.settings !== undefined) this.prefixes.keep(owner.settings, sequence);
    }
    owner.channel.push(step);
    if (finishReason && --owner.running === 0) owner.channel.end();
  }

  private remove(text: Text): void {
    this.texts = this.texts.filter((other) => other !== text);
  }
}

/** Texts of equal settings can go on from each other's caches; undefined where that cannot be told. */
function settingsOf({ sequence = {}, attention = 'exact' }: GenerationRequest): string | undefined {
  const depends = typeof sequence.cache === 'function' || typeof attention === 'function';
  return depends ? undefined : JSON.stringify([sequence, attention]);
}
