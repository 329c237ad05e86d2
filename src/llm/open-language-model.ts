// A model with everything that belongs to it: weights, tokenizer, chat template.

import { z } from 'zod';
import { DataError } from '../core/errors.ts';
import type { RunOptions } from '../core/progress.ts';
import { LanguageModel, type LanguageModelOptions } from './engine/language-model.ts';
import type { StoredModel } from './model/stored-model.ts';
import {
  type ChatTemplate,
  createChatTemplate,
  type Tokenizer,
  type TokenizerConfig,
  type TokenizerJson,
  templatesFromConfig,
  templatesFromGguf,
  tokenizerFromGguf,
  tokenizerFromJson,
} from './text/index.ts';

export interface OpenedModel {
  model: LanguageModel;
  tokenizer: Tokenizer;
  /** How the model writes conversations. @throws {UnsupportedError} it has no way that is known */
  chatTemplate(): ChatTemplate;
}

/**
 * Brings in the weights and the tokenizer of a stored model.
 *
 * @throws {DataError} a file is missing or damaged
 * @throws {UnsupportedError} a format, tokenizer or property that is not computed
 */
export async function openLanguageModel(
  stored: StoredModel,
  options: LanguageModelOptions & RunOptions = {},
): Promise<OpenedModel> {
  const { tokenizer, templates } = await textPartsOf(stored, options);
  const model = await LanguageModel.load(stored, options);
  return { model, tokenizer, chatTemplate: () => createChatTemplate(templates(), tokenizer) };
}

async function textPartsOf({ metadata, find, config }: StoredModel, options: RunOptions) {
  if (metadata)
    return { tokenizer: tokenizerFromGguf(metadata), templates: () => templatesFromGguf(metadata) };
  const readText = async (name: string): Promise<string | undefined> => {
    const source = await find?.(name);
    return source && new TextDecoder().decode(await source.read(0, source.size, options));
  };
  const read = async (name: string): Promise<unknown> => {
    const text = await readText(name);
    if (text === undefined) return undefined;
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw new DataError(`openLanguageModel: ${name} is no JSON; expected an object. Fetch it anew.`, {
        cause,
      });
    }
  };
  const json = await read('tokenizer.json');
  if (!json) {
    throw new DataError(
      'openLanguageModel: there is no tokenizer.json; expected it beside config.json. Fetch the whole model.',
    );
  }
  const settings = ((await read('tokenizer_config.json')) ?? {}) as TokenizerConfig;
  // Newer models have their template in a file of its own, which then counts.
  const template = await readText('chat_template.jinja');
  const generation = endingsSchema.safeParse((await read('generation_config.json')) ?? {});
  const endings = generation.success ? generation.data.eos_token_id : undefined;
  return {
    tokenizer: tokenizerFromJson(json as TokenizerJson, settings, {
      endOfGeneration: [endings ?? []].flat(),
      vocabularySize: config.vocabulary,
    }),
    templates: () => (template === undefined ? templatesFromConfig(settings) : { default: template }),
  };
}

const endingsSchema = z.object({
  eos_token_id: z.union([z.int(), z.array(z.int())]).nullish(),
});
