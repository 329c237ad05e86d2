// A trained model as a folder that the Hugging Face hub would take: config.json, tokenizer.json and model.safetensors.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { littleEndianBytes } from '../../data/file-matrix.ts';
import { safetensorsHead } from '../../data/safetensors-header.ts';
import { writeAtomically } from '../../data/temporary.ts';
import { toHalf } from '../../kernels/index.ts';
import type { Tensors } from '../../training/index.ts';
import type { TokenizerJson } from '../text/index.ts';
import { END_OF_TEXT } from './byte-pairs.ts';
import { hubConfig, type TrainableShape } from './model-shape.ts';

export interface ModelToWrite {
  shape: TrainableShape;
  /** Under the hub's names. */
  weights: Tensors;
  tokenizer: TokenizerJson;
  /** Text by name that stays in the weights' header: where they come from. */
  metadata?: Readonly<Record<string, string>> | undefined;
}

/**
 * Writes a model; each file is there whole or not at all.
 *
 * @param storedAs - of matrices; vectors are float32. 'float16' rounds to 11 bits and needs |weights| < 65 520
 * @throws {DataError} the folder cannot be written to
 */
export async function writeModel(
  folder: string,
  { shape, weights, tokenizer, metadata }: ModelToWrite,
  storedAs: 'float16' | 'float32',
): Promise<void> {
  const json = (name: string, value: unknown) =>
    writeAtomically(join(folder, name), (path) =>
      writeFile(path, `${JSON.stringify(value, undefined, 1)}\n`),
    );
  await json('config.json', hubConfig(shape, tokenizer.model.vocab[END_OF_TEXT], storedAs));
  await json('tokenizer.json', tokenizer);
  await json('tokenizer_config.json', {
    tokenizer_class: 'PreTrainedTokenizerFast',
    eos_token: END_OF_TEXT,
    model_max_length: shape.context,
  });
  const stored = Object.entries(weights).map(([name, { shape, data }]) => {
    const halves = storedAs === 'float16' && shape.length > 1;
    const bytes = littleEndianBytes(halves ? toHalf(data, 'float16') : data);
    return { name, dtype: halves ? 'F16' : 'F32', shape, bytes };
  });
  const head = safetensorsHead(
    Object.fromEntries(
      stored.map(({ name, dtype, shape, bytes }) => [name, { dtype, shape, bytes: bytes.length }]),
    ),
    // "format" is what transformers looks for.
    { format: 'pt', ...metadata },
  );
  await writeAtomically(join(folder, 'model.safetensors'), (path) =>
    writeFile(path, [head, ...stored.map(({ bytes }) => bytes)]),
  );
}
