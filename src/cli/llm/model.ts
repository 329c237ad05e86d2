// The work of `provably model`.

import { type KeyValueStorage, STORAGES } from '../../kernels/index.ts';
import {
  cacheBytesPerToken,
  checkWeights,
  type ModelConfig,
  openModel,
  type RopeConfig,
  type StoredTensor,
} from '../../llm/index.ts';
import type { ModelFlags } from '../commands/model.ts';
import { type CliContext, colorsFor } from '../context.ts';
import { printFields, printJson, printTable } from '../output.ts';
import { resolveModel } from './model-path.ts';

interface FormatShare {
  format: string;
  tensors: number;
  entries: number;
  bytes: number;
}

export async function runModel(named: string, flags: ModelFlags, context: CliContext): Promise<void> {
  const path = await resolveModel(named, context.env);
  // Mapped or not makes no difference here: headers are all that is read.
  const model = await openModel(path, { access: 'read', signal: context.signal });
  const used = checkWeights(model).map(({ tensor }) => tensor);
  const formats = sharesOf(used);
  const { config, metadata } = model;
  const report = {
    path,
    kind: metadata ? 'gguf' : 'safetensors',
    config,
    parameters: formats.reduce((sum, { entries }) => sum + entries, 0),
    weightBytes: formats.reduce((sum, { bytes }) => sum + bytes, 0),
    formats,
    cacheBytesPerToken: Object.fromEntries(
      STORAGES.map((storage) => [storage, cacheBytesPerToken(config, storage)]),
    ) as Record<KeyValueStorage, number>,
  };
  if (flags.json) {
    const tensors = used.map(({ name, type, shape, bytes }) => ({ name, type, shape, bytes }));
    printJson(context, flags.tensors ? { ...report, tensors } : report);
    return;
  }
  const { bold } = colorsFor(context.stdout, context.env);
  printFields(context, fieldsOf(config, report));
  context.stdout.write(`\n${bold('Weights')}\n`);
  printTable(
    context,
    [
      { title: 'format' },
      ...['tensors', 'entries', 'bytes'].map((title) => ({ title, align: 'right' }) as const),
    ],
    formats.map(({ format, tensors, entries, bytes }) => [
      format,
      tensors,
      grouped(entries),
      byteText(bytes),
    ]),
  );
  if (flags.tensors) printTensors(context, used);
}

function sharesOf(tensors: readonly StoredTensor[]): FormatShare[] {
  const shares = new Map<string, FormatShare>();
  for (const { type: format, shape, bytes = 0 } of tensors) {
    const share = shares.get(format) ?? { format, tensors: 0, entries: 0, bytes: 0 };
    share.tensors++;
    share.entries += shape.reduce((product, n) => product * n, 1);
    share.bytes += bytes;
    shares.set(format, share);
  }
  return [...shares.values()].sort((a, b) => b.bytes - a.bytes);
}

interface Totals {
  parameters: number;
  weightBytes: number;
  cacheBytesPerToken: Record<KeyValueStorage, number>;
}

function fieldsOf(config: ModelConfig, totals: Totals): [string, string][] {
  const { float32, float16, k4v2 } = totals.cacheBytesPerToken;
  const windows = new Set(config.slidingWindows);
  const extras = [
    config.tiedEmbeddings && 'tied embeddings',
    config.qkvBias && 'biases of queries, keys and values',
    config.outputBias && 'bias of the attention’s output',
    config.qkNorm && 'norms of queries and keys',
  ].filter((text) => text !== false);
  return [
    ['model', config.name ?? '(no name)'],
    ['architecture', `${config.architecture}, ${config.layers} layers`],
    ['state', `${config.hidden} numbers; ${config.intermediate} in the network`],
    ['attention', `${config.heads} heads over ${config.keyHeads} key heads of ${config.headDim} numbers`],
    ['positions', `${config.context}; ${ropeText(config.rope)}`],
    ...(windows.size > 1 || !windows.has(null)
      ? ([['window', `${[...windows].map((w) => w ?? 'all').join(' or ')} tokens, by layer`]] as [
          string,
          string,
        ][])
      : []),
    ['vocabulary', `${config.vocabulary} tokens`],
    ...(extras.length > 0 ? ([['with', extras.join(', ')]] as [string, string][]) : []),
    ['parameters', grouped(totals.parameters)],
    ['weights', byteText(totals.weightBytes)],
    [
      'cache',
      `${grouped(float32)} bytes a token as float32, ${grouped(float16)} as float16, ${grouped(k4v2)} as k4v2`,
    ],
  ];
}

function ropeText({ base, pairing, scaling, divisors }: RopeConfig): string {
  const stretched = scaling.type === 'none' ? '' : `, ${scaling.type} scaling by ${scaling.factor}`;
  return `rotary, base ${base}, ${pairing}${stretched}${divisors ? ', divisors from the file' : ''}`;
}

function printTensors(context: CliContext, tensors: readonly StoredTensor[]): void {
  context.stdout.write('\n');
  printTable(
    context,
    [{ title: 'tensor' }, { title: 'format' }, { title: 'shape' }, { title: 'bytes', align: 'right' }],
    tensors.map(({ name, type, shape, bytes = 0 }) => [name, type, shape.join(' × '), grouped(bytes)]),
  );
}

/** 1234567 → "1 234 567". */
function grouped(count: number): string {
  return String(count).replaceAll(/\B(?=(\d{3})+$)/g, ' ');
}

function byteText(bytes: number): string {
  return bytes < 1e6 ? `${grouped(bytes)} bytes` : `${(bytes / 1e6).toFixed(1)} MB`;
}
