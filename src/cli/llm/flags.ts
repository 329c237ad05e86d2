// The flags that all commands with a language model share, and what they mean to the library.

import { type Command, InvalidArgumentError } from 'commander';
import type { HyperOptions } from '../../attention/index.ts';
import { type KeyValueStorage, STORAGES } from '../../kernels/index.ts';
import { CACHE_POLICIES, type CacheOptions } from '../../kv-cache/index.ts';
import type { Activations, PrefillOptions, SequenceOptions } from '../../llm/index.ts';
import { UsageError } from '../failure.ts';
import { given } from '../given.ts';
import { count, nonNegativeNumber, positiveInteger, positiveIntegers, seedInteger } from '../parse.ts';

export interface ModelChoice {
  model?: string;
  activations: string;
}

export interface AttentionChoice {
  attention: string;
  layers?: readonly number[];
  block?: number;
  samples?: number;
  minSequence?: number;
}

export interface CacheChoice {
  cache: string;
  budget?: number[];
  sinks?: number;
  recent?: number;
  delta?: number;
  storage: string;
}

export function addModelFlags(command: Command): Command {
  return command
    .optionsGroup('Model:')
    .option(
      '-m, --model <path>',
      'a .gguf file, a folder with config.json and .safetensors, or owner/name that was pulled (default: $PROVABLY_MODEL)',
    )
    .option('--activations <kind>', 'int8, as llama.cpp has it, or float32', 'int8');
}

export function addAttentionFlags(command: Command): Command {
  return command
    .optionsGroup('Attention while prompts are read:')
    .option('--attention <kind>', 'exact or hyper', 'exact')
    .option('--layers <numbers>', 'hyper: only these layers, as 4-11,20 (default: all)', layerList)
    .option('--block <keys>', 'hyper: keys of a block (default: 256)', positiveInteger)
    .option('--samples <keys>', 'hyper: keys sampled (default: 256)', count)
    .option('--min-sequence <tokens>', 'hyper: as many tokens are exact (default: 4096)', positiveInteger);
}

export function addCacheFlags(command: Command): Command {
  return command
    .optionsGroup('Cache:')
    .option('--cache <policy>', `what layers keep: ${CACHE_POLICIES.join(', ')}`, 'full')
    .option(
      '--budget <rows>',
      'rows that a key head keeps; or one number for each, as 512,128,256',
      positiveIntegers,
    )
    .option('--sinks <rows>', 'first tokens, kept always (default: the policy’s)', count)
    .option('--recent <rows>', 'last tokens, kept always (default: the policy’s)', count)
    .option('--delta <distance>', 'subgen: keys this near share a cluster', nonNegativeNumber)
    .option(
      '--storage <kind>',
      `of keys and values: ${STORAGES.join(', ')} (k4v2: 4 bits a key's number, 2 a value's)`,
      'float32',
    );
}

export function addSamplingFlags(command: Command): Command {
  return command
    .optionsGroup('Choice of tokens:')
    .option('--temperature <number>', '0: the most likely token always (default: 0.8)', nonNegativeNumber)
    .option('--top-k <count>', 'of the most likely tokens only (default: 40; 0: all)', count)
    .option('--top-p <share>', 'of those that hold this probability (default: 0.95)', nonNegativeNumber)
    .option('--min-p <share>', 'of those this fraction as likely as the most likely', nonNegativeNumber)
    .option('--repetition-penalty <number>', 'above 1: less of what was said', nonNegativeNumber)
    .option('--seed <integer>', 'seed of the choice', seedInteger, 0);
}

/** @throws {UsageError} no model is named */
export function modelPath({ model }: ModelChoice, env: Readonly<Record<string, string | undefined>>): string {
  const path = model ?? env.PROVABLY_MODEL;
  if (path) return path;
  throw new UsageError('no model: expected --model <path> or PROVABLY_MODEL.');
}

export function activationsOf({ activations }: ModelChoice): Activations {
  if (activations === 'int8' || activations === 'float32') return activations;
  throw new UsageError(`--activations is ${activations}; expected int8 or float32.`);
}

/** @param layers - of the model */
export function attentionOf(
  flags: AttentionChoice,
  layers: number,
): NonNullable<PrefillOptions['attention']> {
  const { attention, block: blockSize, samples: sampleSize, minSequence } = flags;
  const beyond = flags.layers?.find((layer) => layer >= layers);
  if (beyond !== undefined) {
    throw new UsageError(`--layers names ${beyond}; expected numbers from 0 to ${layers - 1}.`);
  }
  if (attention === 'exact') {
    if (flags.layers ?? blockSize ?? sampleSize ?? minSequence) {
      throw new UsageError('--layers, --block, --samples and --min-sequence go with --attention hyper.');
    }
    return 'exact';
  }
  if (attention !== 'hyper') throw new UsageError(`--attention is ${attention}; expected exact or hyper.`);
  const options: HyperOptions = given({ blockSize, sampleSize, minSequence });
  const chosen = flags.layers && new Set(flags.layers);
  return chosen ? (layer) => (chosen.has(layer) ? options : 'exact') : options;
}

export function sequenceOptionsOf(flags: CacheChoice): SequenceOptions {
  const { cache, budget, sinks, recent, delta, storage } = flags;
  if (!(CACHE_POLICIES as readonly string[]).includes(cache)) {
    throw new UsageError(`--cache is ${cache}; expected one of ${CACHE_POLICIES.join(', ')}.`);
  }
  if (!(STORAGES as readonly string[]).includes(storage)) {
    throw new UsageError(`--storage is ${storage}; expected one of ${STORAGES.join(', ')}.`);
  }
  const isFree = cache === 'full' || cache === 'subgen';
  if (!isFree && budget === undefined) {
    throw new UsageError(`--cache ${cache} needs --budget <rows>: how many a key head keeps.`);
  }
  if (cache === 'subgen' && delta === undefined) {
    throw new UsageError('--cache subgen needs --delta <distance>: keys this near share a cluster.');
  }
  const optionsOf = (rows: number | undefined) =>
    ({ policy: cache, ...given({ budget: rows, sinks, recent, delta }) }) as CacheOptions;
  const [rows, ...others] = budget ?? [];
  const options = others.length > 0 ? [rows, ...others].map(optionsOf) : optionsOf(rows);
  return { cache: options, storage: storage as KeyValueStorage };
}

/** 4-11,20 */
function layerList(text: string): number[] {
  return text.split(',').flatMap((part) => {
    const [first, last = first, ...rest] = part.split('-').map((number) => count(number));
    if (last < first || rest.length > 0) {
      throw new InvalidArgumentError(`Expected numbers and rising ranges, as 4-11,20; ${part} is neither.`);
    }
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}
