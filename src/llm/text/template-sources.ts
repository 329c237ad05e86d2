// Where models keep their chat templates.

import { DataError } from '../../core/errors.ts';
import { type MetadataSource, optionalString, requireStrings } from './gguf-metadata.ts';
import type { TokenizerConfig } from './json-tokenizer.ts';

/** Jinja texts by name; the usual one is "default", one for calls of functions "tool_use". Empty when there is none. */
export type ChatTemplates = Readonly<Record<string, string>>;

/** From tokenizer_config.json: one text, or a list of named ones. @throws {DataError} it is neither */
export function templatesFromConfig({ chat_template }: TokenizerConfig): ChatTemplates {
  if (chat_template === undefined || chat_template === null) return {};
  if (typeof chat_template === 'string') return { default: chat_template };
  const entries = Array.isArray(chat_template)
    ? chat_template.map((entry) => [entry?.name, entry?.template])
    : Object.entries(chat_template);
  if (!entries.every((entry): entry is [string, string] => entry.every((part) => typeof part === 'string'))) {
    throw new DataError(
      'tokenizer_config.json: chat_template is of unknown form; expected a text, or a list of { name, template }.',
    );
  }
  return Object.fromEntries(entries);
}

/** From GGUF metadata: tokenizer.chat_template, and one with the name behind it for each of tokenizer.chat_templates. */
export function templatesFromGguf(source: MetadataSource): ChatTemplates {
  const templates: Record<string, string> = {};
  const names = source.get('tokenizer.chat_templates');
  for (const name of names === undefined ? [] : requireStrings(source, 'tokenizer.chat_templates')) {
    const text = optionalString(source, `tokenizer.chat_template.${name}`);
    if (text !== undefined) templates[name] = text;
  }
  const usual = optionalString(source, 'tokenizer.chat_template');
  return usual === undefined ? templates : { ...templates, default: usual };
}
