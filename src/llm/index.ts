// Language models of the Llama family: their files, their text, and an engine whose attention and caches can be chosen.

export { decodeStep } from './engine/decode-step.ts';
export { type EmbedOptions, embed, embedTexts } from './engine/embed.ts';
export {
  LanguageModel,
  type LanguageModelOptions,
  type LayerCache,
  type SequenceOptions,
} from './engine/language-model.ts';
export type { PrefillAttention } from './engine/layer-attention.ts';
export { type PrefillOptions, prefill, prefillSteps } from './engine/prefill.ts';
export type { Activations } from './engine/row-program.ts';
export { Sequence } from './engine/sequence.ts';
export {
  isRightAnswer,
  MOST_LINES,
  type RetrievalRecord,
  retrievalQuestion,
  retrievalRecord,
} from './evaluate/line-retrieval.ts';
export {
  negativeLogLikelihood,
  type PerplexityOptions,
  type PerplexityResult,
  perplexity,
} from './evaluate/perplexity.ts';
export { type PromptLogprob, promptLogprobs } from './evaluate/prompt-logprobs.ts';
export {
  type RetrievalEntrant,
  type RetrievalOptions,
  type RetrievalRow,
  retrievalContest,
} from './evaluate/retrieval-contest.ts';
export { type ByteSource, blobSource, bytesSource } from './files/byte-source.ts';
export { type FileSourceOptions, fileSource } from './files/file-source.ts';
export { type GgufFile, openGguf } from './files/gguf.ts';
export type { GgufList, GgufMetadata, GgufValue } from './files/gguf-metadata.ts';
export { openModel } from './files/open-model.ts';
export { openSafetensors } from './files/safetensors.ts';
export { formatOf, readTensorBytes, readTensorNumbers, type StoredTensor } from './files/stored-tensor.ts';
export { StringList } from './files/string-list.ts';
export {
  type GenerationRequest,
  type GenerationStep,
  type GenerationUsage,
  TextGenerator,
  type TextGeneratorOptions,
} from './generate/text-generator.ts';
export {
  ARCHITECTURES,
  type Architecture,
  cacheBytesPerToken,
  type ModelConfig,
} from './model/model-config.ts';
export { type RopeAngles, type RopeConfig, type RopeScaling, ropeAngles } from './model/rope.ts';
export { type FindFile, openGgufModel, openHubModel, type StoredModel } from './model/stored-model.ts';
export type { TensorNaming } from './model/tensor-names.ts';
export {
  checkWeights,
  type LayerWeights,
  loadWeights,
  type ModelWeights,
  type PlannedTensor,
  type WeightMatrix,
} from './model/weights.ts';
export { type OpenedModel, openLanguageModel } from './open-language-model.ts';
export { oracleLogits } from './oracle.ts';
export {
  distributionFromLogits,
  distributionFromLogProbabilities,
  type TokenDistribution,
  type TokenProbability,
} from './sampling/distribution.ts';
export type { Logits } from './sampling/logits.ts';
export type { SamplingOptions } from './sampling/options.ts';
export { createSampler, type SampledToken, type Sampler, type SamplerOptions } from './sampling/sampler.ts';
export type { ChatMessage, ContentPart } from './text/chat-message.ts';
export {
  type ChatTemplate,
  chatmlTemplate,
  createChatTemplate,
  type RenderOptions,
} from './text/chat-template.ts';
export type { MetadataSource } from './text/gguf-metadata.ts';
export { tokenizerFromGguf } from './text/gguf-tokenizer.ts';
export {
  type JsonTokenizerOptions,
  type TokenizerConfig,
  type TokenizerJson,
  tokenizerFromJson,
} from './text/json-tokenizer.ts';
export {
  createOutputText,
  type FinishReason,
  type OutputOptions,
  type OutputStep,
  type OutputText,
} from './text/output-text.ts';
export { createStopMatcher, type StopMatcher, type StopStep } from './text/stop-strings.ts';
export { type ChatTemplates, templatesFromConfig, templatesFromGguf } from './text/template-sources.ts';
export type {
  DecodeOptions,
  EncodeOptions,
  SpecialTokens,
  TextStream,
  Tokenizer,
} from './text/types.ts';
