// Messages of a chat, as the OpenAI API has them.

import { UnsupportedError } from '../../core/errors.ts';

/** A part of a message's content. Only text can be read. */
export type ContentPart = { type: 'text'; text: string } | { type: string; [key: string]: unknown };

export interface ChatMessage {
  /** "system", "user", "assistant", "tool", or what else the model's template knows. */
  role: string;
  /** Text, or parts of it; null where an assistant only calls tools. */
  content?: string | readonly ContentPart[] | null | undefined;
  /** tool_calls, tool_call_id, name and whatever else the template reads. */
  [key: string]: unknown;
}

/** The same message with its content as one text. @throws {UnsupportedError} a part is no text */
export function plainMessage(message: ChatMessage): ChatMessage {
  if (!Array.isArray(message.content)) return message;
  const texts = (message.content as ContentPart[]).map((part) => {
    if (part.type !== 'text' || typeof part.text !== 'string') {
      throw new UnsupportedError(
        `chat: a part of a message is of type "${part.type}"; expected "text". This engine reads text only.`,
      );
    }
    return part.text;
  });
  return { ...message, content: texts.join('') };
}

/** Copies a value with every text in it changed. Keys stay as they are. */
export function mapTexts(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((entry) => mapTexts(entry, change));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, mapTexts(entry, change)]));
  }
  return value;
}
