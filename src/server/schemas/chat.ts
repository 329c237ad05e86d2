// POST /v1/chat/completions.

import { z } from 'zod';
import type { ChatMessage } from '../../llm/index.ts';
import { ignored, notOffered, optional } from './fields.ts';
import { type CommonFields, commonShape } from './sampling.ts';

export interface ChatFields extends CommonFields {
  messages: ChatMessage[];
  max_tokens?: number | undefined;
  max_completion_tokens?: number | undefined;
  logprobs?: boolean | undefined;
  top_logprobs?: number | undefined;
  /** Variables of the model's template, such as enable_thinking. */
  chat_template_kwargs?: Record<string, boolean | number> | undefined;
}

const part = z.union(
  [
    z.strictObject({ type: z.literal('text'), text: z.string() }),
    z.strictObject({ type: z.literal('refusal'), refusal: z.string() }),
  ],
  { error: 'this model reads text only; expected parts of type "text"' },
);

const content = z
  .union([z.string(), z.array(part).min(1)], { error: 'expected a text, or a list of parts of type "text"' })
  .transform((value) =>
    typeof value === 'string'
      ? value
      : value.map((one) => (one.type === 'text' ? one.text : one.refusal)).join(''),
  );

const calls = notOffered('Calls of functions are not offered');

const message = z
  .strictObject({
    role: z.enum(['system', 'developer', 'user', 'assistant'], {
      error: 'expected "system", "developer", "user" or "assistant"; calls of functions are not offered',
    }),
    content,
    name: optional(z.string().max(64)),
    refusal: ignored,
    annotations: ignored,
    audio: notOffered('Audio is not offered'),
    tool_calls: calls,
    function_call: calls,
  })
  // Templates know the role by its older name.
  .transform(
    ({ role, content, name }): ChatMessage => ({
      role: role === 'developer' ? 'system' : role,
      content,
      ...(name === undefined ? {} : { name }),
    }),
  );

const isEmpty = (value: unknown) => Array.isArray(value) && value.length === 0;

export const chatSchema: z.ZodType<ChatFields> = z
  .strictObject({
    ...commonShape,
    messages: z.array(message).min(1),
    max_tokens: optional(z.int().min(1)),
    max_completion_tokens: optional(z.int().min(1)),
    logprobs: optional(z.boolean()),
    top_logprobs: optional(z.int().min(0).max(20)),
    chat_template_kwargs: optional(
      z.record(z.string(), z.union([z.boolean(), z.number()], { error: 'expected true, false or a number' })),
    ),
    response_format: notOffered(
      'A response_format other than text is not offered',
      (value) => (value as { type?: unknown }).type === 'text',
    ),
    modalities: notOffered('Output other than text is not offered', (value) => String(value) === 'text'),
    tools: notOffered('Calls of functions are not offered', isEmpty),
    functions: notOffered('Calls of functions are not offered', isEmpty),
    tool_choice: notOffered('Calls of functions are not offered', (value) => value === 'none'),
    function_call: notOffered('Calls of functions are not offered', (value) => value === 'none'),
    audio: notOffered('Audio is not offered'),
    reasoning_effort: notOffered('reasoning_effort is not offered'),
    verbosity: notOffered('verbosity is not offered'),
    web_search_options: notOffered('A search of the web is not offered'),
    // Without tools there is nothing to call in parallel; predictions only save time.
    ...{ parallel_tool_calls: ignored, prediction: ignored, prompt_cache_retention: ignored },
  })
  .superRefine(({ max_tokens, max_completion_tokens, logprobs, top_logprobs }, context) => {
    const wrong = (path: string, text: string) =>
      context.addIssue({ code: 'custom', path: [path], message: text });
    if (top_logprobs !== undefined && logprobs !== true)
      wrong('top_logprobs', 'goes only with logprobs: true');
    if ((max_tokens ?? max_completion_tokens) !== (max_completion_tokens ?? max_tokens))
      wrong('max_tokens', 'says something else than max_completion_tokens. Give one of them');
  });
