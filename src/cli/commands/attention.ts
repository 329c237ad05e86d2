// `provably attention`: exact and approximate attention on one input, with times, error and certificate.

import { Command, Option } from 'commander';
import { type AttentionFlags, checkFlags, plantedKinds } from '../attention/flags.ts';
import type { CliContext } from '../context.ts';
import {
  autoOrPositiveInteger,
  count,
  nonNegativeNumber,
  positiveInteger,
  positiveNumber,
  probability,
  seedInteger,
} from '../parse.ts';

export function attentionCommand(context: CliContext): Command {
  return new Command('attention')
    .description(
      'attention in linear time by hashing and sampling, against exact attention, with a certificate',
    )
    .argument(
      '[files...]',
      'Q.npy K.npy V.npy, or one .safetensors; shape (n, d), (heads, n, d) or (batch, heads, n, d)',
    )
    .optionsGroup('Input:')
    .option(
      '--queries <name>',
      'tensor of a .safetensors file (default: q or queries; likewise for the others)',
    )
    .option('--keys <name>', 'tensor with the keys; they may have fewer heads than the queries')
    .option('--values <name>', 'tensor with the values')
    .option('--causal', 'query i sees keys j ≤ i', false)
    .option('--scale <number>', 'multiplies ⟨q, k⟩ (default: 1/√d)', positiveNumber)
    .addOption(
      new Option('--planted <structure>', 'make the input instead of reading it').choices(
        Object.keys(plantedKinds),
      ),
    )
    .option('-n, --n <count>', 'planted queries and keys (default: 16384)', positiveInteger)
    .option('--dim <count>', 'planted d (default: 64)', positiveInteger)
    .option('--heads <count>', 'planted heads (default: 1)', positiveInteger)
    .option('--strength <number>', 'logit of the planted heavy keys, about (default: 10)', positiveNumber)
    .option(
      '--noise <number>',
      'planted noise against the length of a center (default: 0.1)',
      nonNegativeNumber,
    )
    .optionsGroup('Approximation:')
    .option('--block <count>', 'keys of a block, met exactly (default: 256)', positiveInteger)
    .option('--samples <count>', 'keys sampled in place of all others (default: 256)', count)
    .option('--hash-bits <count>', 'bits of the hash, or auto (default: auto)', autoOrPositiveInteger)
    .option('--min-sequence <count>', 'what is not longer is done exactly (default: 4096)', positiveInteger)
    .addOption(
      new Option('--blocks <rule>', 'how blocks are formed (default: hash-aligned)').choices([
        'hash-aligned',
        'rank',
        'smooth',
        'none',
      ]),
    )
    .addOption(
      new Option('--bucket-order <order>', 'how hash buckets lie beside each other (default: gray)').choices([
        'gray',
        'gray-forward',
        'binary',
        'random',
      ]),
    )
    .addOption(
      new Option('--sampling <scheme>', 'how keys are sampled (default: uniform)').choices([
        'uniform',
        'without-replacement',
        'stratified',
      ]),
    )
    .option(
      '--tune <error>',
      'find the cheapest parameters for this relative error, e.g. 0.05',
      positiveNumber,
    )
    .option('--sinks <count>', 'first keys, always exact (default: 0)', count)
    .option('--window <count>', 'causal: last keys before each block of queries, exact (default: 0)', count)
    .option('--seed <integer>', 'seed of everything random', seedInteger, 0)
    .optionsGroup('Checks:')
    .option(
      '--rows <count>',
      'rows a head whose exact answer the certificate rests on (default: 1024)',
      count,
    )
    .option('--delta <probability>', 'chance that the bound may fail (default: 0.05)', probability)
    .option(
      '--report-heads',
      'α, κ, recall, entropy and error of every head, and which can be patched',
      false,
    )
    .option('--exact', 'run exact attention too (default: when it takes seconds)')
    .option('--no-exact', 'do not run exact attention')
    .optionsGroup('Output:')
    .option('-o, --out <file>', 'the approximate output as .npy, shaped like the values')
    .option('--json', 'print one JSON object instead of text', false)
    .addHelpText(
      'after',
      '\nExamples:\n  $ provably attention --planted few-heavy --n 32768 --causal --min-sequence 512\n  $ provably attention q.npy k.npy v.npy --block 128 --samples 128 --out o.npy',
    )
    .action(async (files: string[], flags: AttentionFlags) => {
      checkFlags(files, flags);
      // Loaded when needed: --help and mistakes should not wait for it.
      const { runAttention } = await import('../attention/run.ts');
      await runAttention(files, flags, context);
    });
}
