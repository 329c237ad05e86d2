// The texts of one request: several prompts, several choices each, as one stream of steps.

import type { GenerationRequest, GenerationStep } from '../llm/index.ts';
import { ApiError, asApiError } from './api-error.ts';
import type { RequestLife } from './request-life.ts';
import type { Service } from './service.ts';

export interface Job {
  prompts: readonly ArrayLike<number>[];
  /** What holds for all prompts. */
  options: Omit<GenerationRequest, 'prompt' | 'signal' | 'onPrompt'> & { choices: number };
}

/** A step of text number `index`: choices of the first prompt, then of the second, and so on. */
export interface JobStep extends GenerationStep {
  index: number;
  /** The token ends the text and is no part of it. */
  isEnding: boolean;
}

export interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  prompt_tokens_details: { cached_tokens: number };
}

/**
 * Puts all prompts into the generator's queue, or none.
 *
 * @param param - field of the request that holds the prompt
 * @throws {ApiError} 400: a prompt and its output are longer than the context
 * @throws {BusyError} the queue is full @throws {InvalidArgumentError} an option
 */
export function startJob(
  service: Service,
  { prompts, options }: Job,
  life: RequestLife,
): AsyncGenerator<JobStep> {
  const { signal } = life;
  const streams: AsyncIterable<GenerationStep>[] = [];
  try {
    for (const prompt of prompts) streams.push(service.generator.generate({ ...options, prompt, signal }));
  } catch (error) {
    life.abort(asApiError(error));
    throw error;
  }
  return observe(service, life, { prompts, options }, merge(streams));
}

/** @throws {ApiError} 400 @returns tokens that the output may have */
export function requireContext(
  { maxContext }: Service,
  prompts: readonly ArrayLike<number>[],
  wanted: number | undefined,
  param: string,
): number {
  let longest = 0;
  for (const { length } of prompts) {
    longest = Math.max(longest, length);
    if (length === 0)
      throw new ApiError(400, `${param}: a prompt has no tokens; expected some text.`, { param });
  }
  const output = wanted ?? Math.max(1, maxContext - longest);
  if (longest + output > maxContext) {
    throw new ApiError(
      400,
      `This model's maximum context length is ${maxContext} tokens. However, you requested ${longest + output} tokens (${longest} in the ${param}, ${output} in the completion). Please reduce the length of the ${param} or of the completion.`,
      { param, code: 'context_length_exceeded' },
    );
  }
  return output;
}

/** Steps of all streams as they come, with the number of their stream. */
async function* merge(
  streams: readonly AsyncIterable<GenerationStep>[],
): AsyncGenerator<[stream: number, step: GenerationStep]> {
  const iterators = streams.map((stream) => stream[Symbol.asyncIterator]());
  const next = (i: number) => {
    const step = iterators[i].next().then((result) => [i, result] as const);
    // It is asked for before the one at hand is taken, and whoever takes that may leave.
    step.catch(() => {});
    return step;
  };
  const pending = new Map(iterators.map((_, i) => [i, next(i)]));
  try {
    while (pending.size > 0) {
      const [i, { done, value }] = await Promise.race(pending.values());
      if (done) pending.delete(i);
      else {
        pending.set(i, next(i));
        yield [i, value];
      }
    }
  } finally {
    // Whoever leaves early leaves all of them; not waited for, since each first has its next step to come.
    for (const i of pending.keys()) iterators[i].return?.().catch(() => {});
  }
}

/** Counts what goes by, for usage, log and metrics. */
async function* observe(
  { metrics, tokenizer }: Service,
  life: RequestLife,
  { prompts, options: { choices, ignoreEnd } }: Job,
  steps: AsyncGenerator<[number, GenerationStep]>,
): AsyncGenerator<JobStep> {
  const { report } = life;
  const tokens = { prompt: 0, cached: 0, output: 0 };
  report.tokens = tokens;
  for (const { length } of prompts) tokens.prompt += length;
  metrics.promptTokens.inc(tokens.prompt);
  const finished = new Set<number>();
  const latest = new Map<number, number>();
  let open = prompts.length * choices;
  try {
    for await (const [prompt, step] of steps) {
      const index = prompt * choices + step.choice;
      const before = latest.get(index);
      latest.set(index, step.madeAt);
      if (before !== undefined) metrics.interToken.observe((step.madeAt - before) / 1000);
      else {
        const waited = step.madeAt - life.start;
        metrics.firstToken.observe(waited / 1000);
        report.firstToken ??= waited;
      }
      const isEnding =
        step.finishReason === 'stop' && !ignoreEnd && tokenizer.special.endOfGeneration.has(step.token.id);
      if (!isEnding) {
        tokens.output++;
        metrics.outputTokens.inc();
      }
      if (step.finishReason) {
        report.finish = step.finishReason;
        metrics.texts.inc({ finish: step.finishReason });
        open--;
      }
      if (step.usage && !finished.has(prompt)) {
        finished.add(prompt);
        tokens.cached += step.usage.reusedTokens;
        metrics.cachedTokens.inc(step.usage.reusedTokens);
      }
      yield { ...step, index, isEnding };
    }
  } finally {
    if (open > 0) metrics.texts.inc({ finish: 'cancelled' }, open);
  }
}

/** What the request has used so far. */
export function usageOf({ report: { tokens } }: RequestLife): Usage {
  const { prompt, cached, output } = tokens ?? { prompt: 0, cached: 0, output: 0 };
  return {
    ...{ prompt_tokens: prompt, completion_tokens: output, total_tokens: prompt + output },
    prompt_tokens_details: { cached_tokens: cached },
  };
}
