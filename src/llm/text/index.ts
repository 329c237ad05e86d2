export type { MetadataSource } from './gguf-metadata.ts';
export { tokenizerFromGguf } from './gguf-tokenizer.ts';
export {
  type JsonTokenizerOptions,
  type TokenizerConfig,
  type TokenizerJson,
  tokenizerFromJson,
} from './json-tokenizer.ts';
export type {
  DecodeOptions,
  EncodeOptions,
  SpecialTokens,
  TextStream,
  Tokenizer,
} from './types.ts';
