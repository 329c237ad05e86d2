// POST /v1/chat/completions: a conversation goes on.

import { type JobStep, requireContext, startJob, usageOf } from '../generation.ts';
import { parseBody } from '../json-body.ts';
import { type ChatLogprob, chatLogprob } from '../logprobs.ts';
import type { RequestLife } from '../request-life.ts';
import { chatSchema } from '../schemas/chat.ts';
import { answerId, type Service, unixTime } from '../service.ts';
import { eventStream } from '../sse.ts';
import type { Answer } from './answer.ts';
import { chooseOptions } from './request-options.ts';

interface ChatChoice {
  index: number;
  message: { role: 'assistant'; content: string; refusal: null };
  logprobs: { content: ChatLogprob[]; refusal: null } | null;
  finish_reason: 'stop' | 'length' | null;
}

/** @throws {ApiError} and what the engine refuses */
export async function chatCompletions(service: Service, life: RequestLife, body: unknown): Promise<Answer> {
  const fields = parseBody(chatSchema, body);
  service.requireModel(fields.model);
  const { tokenizer } = service;
  const prompt = service.chatTemplate.encode(fields.messages, {
    date: new Date(),
    variables: fields.chat_template_kwargs,
  });
  const wanted = fields.max_completion_tokens ?? fields.max_tokens;
  const maxTokens = requireContext(service, [prompt], wanted, 'messages');
  const withLogprobs = fields.logprobs ?? false;
  const top = withLogprobs ? (fields.top_logprobs ?? 0) : undefined;
  const { options, headers } = chooseOptions(service, fields, maxTokens, top);
  const steps = startJob(service, { prompts: [prompt], options }, life);
  const head = { id: answerId('chatcmpl'), created: unixTime(), model: service.modelName };
  const tail = { service_tier: 'default', system_fingerprint: service.fingerprint };
  const logprobsOf = ({ token, isEnding }: JobStep) =>
    withLogprobs ? { content: isEnding ? [] : [chatLogprob(tokenizer, token)], refusal: null } : null;

  if (fields.stream) {
    const withUsage = fields.stream_options?.include_usage ?? false;
    const chunk = (choices: object[], usage: object | null = null) => ({
      ...{ ...head, object: 'chat.completion.chunk', ...tail, choices },
      ...(withUsage ? { usage } : {}),
    });
    const piece = (index: number, delta: object, logprobs: object | null, finish_reason: string | null) =>
      chunk([{ index, delta, logprobs, finish_reason }]);
    const chunks = async function* (): AsyncGenerator<object> {
      for (let index = 0; index < options.choices; index++)
        yield piece(index, { role: 'assistant', content: '', refusal: null }, null, null);
      for await (const step of steps) {
        const logprobs = logprobsOf(step);
        // While a character is not whole there is nothing to tell but its probabilities.
        if (step.text !== '' || (logprobs?.content.length ?? 0) > 0)
          yield piece(step.index, { content: step.text }, logprobs, null);
        if (step.finishReason) yield piece(step.index, {}, null, step.finishReason);
      }
      if (withUsage) yield chunk([], usageOf(life));
    };
    return eventStream(life, chunks(), headers);
  }

  const choices = Array.from(
    { length: options.choices },
    (_, index): ChatChoice => ({
      index,
      message: { role: 'assistant', content: '', refusal: null },
      logprobs: withLogprobs ? { content: [], refusal: null } : null,
      finish_reason: null,
    }),
  );
  for await (const step of steps) {
    const choice = choices[step.index];
    choice.message.content += step.text;
    choice.logprobs?.content.push(...(logprobsOf(step)?.content ?? []));
    choice.finish_reason = step.finishReason ?? null;
  }
  return {
    body: { ...head, object: 'chat.completion', ...tail, choices, usage: usageOf(life) },
    headers,
  };
}
