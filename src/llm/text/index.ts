export type { ChatMessage, ContentPart } from './chat-message.ts';
export {
  type ChatTemplate,
  chatmlTemplate,
  createChatTemplate,
  type RenderOptions,
} from './chat-template.ts';
export type { MetadataSource } from './gguf-metadata.ts';
export { tokenizerFromGguf } from './gguf-tokenizer.ts';
export {
  type JsonTokenizerOptions,
  type TokenizerConfig,
  type TokenizerJson,
  tokenizerFromJson,
} from './json-tokenizer.ts';
export {
  createOutputText,
  type FinishReason,
  type OutputOptions,
  type OutputStep,
  type OutputText,
} from './output-text.ts';
export { createStopMatcher, type StopMatcher, type StopStep } from './stop-strings.ts';
export { type ChatTemplates, templatesFromConfig, templatesFromGguf } from './template-sources.ts';
export type {
  DecodeOptions,
  EncodeOptions,
  SpecialTokens,
  TextStream,
  Tokenizer,
} from './types.ts';
