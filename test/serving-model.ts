// For tests of the server: a small model with random weights and a real byte-level tokenizer of 1102 tokens, in ChatML.

import { bytesSource } from '../src/llm/files/byte-source.ts';
import { type OpenedModel, openGgufModel, openLanguageModel } from '../src/llm/index.ts';
import { byteLevel } from './golden-tokenizers.ts';
import { type TinyModelOptions, tinyGguf } from './tiny-model.ts';

/** The whole file. Its context is 512 tokens. */
export function servingGguf(options: TinyModelOptions = {}): Uint8Array {
  const { tokens, merges, special, added } = byteLevel;
  const types = tokens.map((_, id) => (special.includes(id) ? 3 : added.includes(id) ? 4 : 1));
  const text = (value: string) => ({ type: 'string', value }) as const;
  const id = (value: number) => ({ type: 'uint32', value }) as const;
  return tinyGguf(
    { vocabulary: tokens.length, ...options },
    {
      'tokenizer.ggml.model': text('gpt2'),
      'tokenizer.ggml.pre': text('gpt-2'),
      'tokenizer.ggml.tokens': { type: 'array', of: 'string', value: tokens },
      'tokenizer.ggml.merges': { type: 'array', of: 'string', value: merges },
      'tokenizer.ggml.token_type': { type: 'array', of: 'int32', value: types },
      'tokenizer.ggml.eos_token_id': id(tokens.indexOf('<|im_end|>')),
      'tokenizer.ggml.add_bos_token': { type: 'bool', value: false },
    },
  );
}

export async function servingModel(options: TinyModelOptions = {}): Promise<OpenedModel> {
  const stored = await openGgufModel([bytesSource(servingGguf(options), 'tiny.gguf')]);
  return openLanguageModel(stored, { activations: 'float32' });
}
