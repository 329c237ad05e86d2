// POST /v1/completions: texts go on.

import { promptLogprobs, type SampledToken } from '../../llm/index.ts';
import { ApiError } from '../api-error.ts';
import { type JobStep, requireContext, startJob, usageOf } from '../generation.ts';
import { parseBody } from '../json-body.ts';
import { CompletionLogprobList, type CompletionLogprobs } from '../logprobs.ts';
import type { RequestLife } from '../request-life.ts';
import { type CompletionFields, completionSchema } from '../schemas/completion.ts';
import { answerId, type Service, unixTime } from '../service.ts';
import { eventStream } from '../sse.ts';
import type { Answer } from './answer.ts';
import { chooseOptions } from './request-options.ts';

interface Choice {
  text: string;
  index: number;
  logprobs: CompletionLogprobs | null;
  finish_reason: 'stop' | 'length' | null;
}

/** @throws {ApiError} and what the engine refuses */
export async function completions(service: Service, life: RequestLife, body: unknown): Promise<Answer> {
  const fields = parseBody(completionSchema, body);
  service.requireModel(fields.model);
  const { tokenizer, maxPrompts } = service;
  const { echo = false, max_tokens: wanted = 16, logprobs } = fields;
  if (fields.prompt.length > maxPrompts) {
    throw new ApiError(400, `prompt: there are ${fields.prompt.length}; expected at most ${maxPrompts}.`, {
      param: 'prompt',
    });
  }
  if (wanted === 0 && !echo) {
    throw new ApiError(400, 'max_tokens: it is 0; expected at least 1, or echo.', { param: 'max_tokens' });
  }
  // The whole prompt is the client's own, special tokens included.
  const prompts = fields.prompt.map((prompt) =>
    typeof prompt === 'string' ? tokenizer.encode(prompt, { parseSpecial: true }) : prompt,
  );
  requireContext(service, prompts, wanted, 'prompt');
  for (const prompt of prompts) service.model.requireTokens('prompt', prompt);
  const { options, headers } = chooseOptions(service, fields, Math.max(1, wanted), logprobs);
  const texts = new CompletionTexts(service, fields, prompts, options.choices);
  if (echo) await texts.readPrompts(life);
  const steps = wanted > 0 ? startJob(service, { prompts, options }, life) : undefined;
  const head = {
    id: answerId('cmpl'),
    object: 'text_completion',
    created: unixTime(),
    model: service.modelName,
    system_fingerprint: service.fingerprint,
  };
  if (fields.stream) {
    const withUsage = fields.stream_options?.include_usage ?? false;
    const chunks = async function* (): AsyncGenerator<object> {
      const usage = withUsage ? { usage: null } : {};
      for await (const choice of texts.pieces(steps)) yield { ...head, choices: [choice], ...usage };
      if (withUsage) yield { ...head, choices: [], usage: usageOf(life) };
    };
    return eventStream(life, chunks(), headers);
  }
  const whole: Choice[] = [];
  for await (const piece of texts.pieces(steps)) {
    const sofar = whole[piece.index];
    if (sofar) extend(sofar, piece);
    else whole[piece.index] = piece;
  }
  return { body: { ...head, choices: whole, usage: usageOf(life) }, headers };
}

/** Turns prompts and steps into pieces of choices. */
class CompletionTexts {
  private readonly service: Service;
  private readonly fields: CompletionFields;
  private readonly prompts: readonly ArrayLike<number>[];
  private readonly choices: number;
  private readonly echoes: Omit<Choice, 'index'>[] = [];
  private readonly lists: CompletionLogprobList[];

  constructor(
    service: Service,
    fields: CompletionFields,
    prompts: readonly ArrayLike<number>[],
    choices: number,
  ) {
    this.service = service;
    this.fields = fields;
    this.prompts = prompts;
    this.choices = choices;
    this.lists = Array.from({ length: prompts.length * choices }, () => this.list());
  }

  /** Computes what `echo` gives back. */
  async readPrompts(life: RequestLife): Promise<void> {
    const { model, side, tokenizer, policy } = this.service;
    const { logprobs: count, max_tokens } = this.fields;
    for (const [i, prompt] of this.prompts.entries()) {
      const given = this.fields.prompt[i];
      const text = typeof given === 'string' ? given : tokenizer.decode(given);
      const echo: Omit<Choice, 'index'> = { text, logprobs: null, finish_reason: null };
      if (count !== undefined) {
        const { attention } = policy;
        const { signal } = life;
        const told = await side.run(
          () => promptLogprobs(model, prompt, count, { attention, signal }),
          signal,
        );
        const tokens: SampledToken[] = Array.from(prompt, (id, j) => ({ id, ...told[j - 1] }));
        echo.logprobs = this.list().describe(tokens);
        for (let choice = 0; choice < this.choices; choice++)
          this.lists[i * this.choices + choice] = this.list(text.length);
      }
      if (max_tokens === 0) {
        echo.finish_reason = 'length';
        life.report.tokens ??= { prompt: 0, cached: 0, output: 0 };
        life.report.tokens.prompt += prompt.length;
        this.service.metrics.promptTokens.inc(prompt.length);
      }
      this.echoes.push(echo);
    }
  }

  async *pieces(steps: AsyncIterable<JobStep> | undefined): AsyncGenerator<Choice> {
    for (const [i, echo] of this.echoes.entries()) {
      for (let choice = 0; choice < this.choices; choice++)
        yield { ...structuredClone(echo), index: i * this.choices + choice };
    }
    for await (const { index, text, token, finishReason, isEnding } of steps ?? []) {
      const logprobs =
        this.fields.logprobs === undefined ? null : this.lists[index].describe(isEnding ? [] : [token]);
      // While a character is not whole there is nothing to tell.
      if (text === '' && logprobs === null && !finishReason) continue;
      yield { text, index, logprobs, finish_reason: finishReason ?? null };
    }
  }

  private list(offset?: number): CompletionLogprobList {
    return new CompletionLogprobList(this.service.tokenizer, this.fields.logprobs ?? 0, offset);
  }
}

/** Adds what came later. */
function extend(choice: Choice, { text, logprobs, finish_reason }: Choice): void {
  choice.text += text;
  choice.finish_reason = finish_reason;
  if (!choice.logprobs || !logprobs) return;
  choice.logprobs.tokens.push(...logprobs.tokens);
  choice.logprobs.token_logprobs.push(...logprobs.token_logprobs);
  choice.logprobs.top_logprobs?.push(...(logprobs.top_logprobs ?? []));
  choice.logprobs.text_offset.push(...logprobs.text_offset);
}
