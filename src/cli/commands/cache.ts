// `provably cache`: a stream of keys and values through caches of one size, held against exact attention.

import { Command } from 'commander';
import { type CacheFlags, checkFlags } from '../cache/flags.ts';
import type { CliContext } from '../context.ts';
import {
  count,
  list,
  nonNegativeNumber,
  positiveInteger,
  positiveIntegers,
  positiveNumber,
  seedInteger,
} from '../parse.ts';

export function cacheCommand(context: CliContext): Command {
  return new Command('cache')
    .description('what is left of attention when keys and values must fit into fewer bytes, policy by policy')
    .argument(
      '[files...]',
      'K.npy V.npy, Q.npy K.npy V.npy, or one .safetensors; shape (n, d) or (heads, n, d)',
    )
    .optionsGroup('Input:')
    .option(
      '--queries <name>',
      'tensor of a .safetensors file (default: q or queries; without: the keys ask)',
    )
    .option('--keys <name>', 'tensor with the keys (default: k or keys)')
    .option('--values <name>', 'tensor with the values (default: v or values)')
    .option('--scale <number>', 'multiplies ⟨q, k⟩ (default: 1/√d)', positiveNumber)
    .option('--planted', 'make a stream with clusters of keys and one token like no other', false)
    .option('-n, --n <count>', 'planted tokens (default: 2000)', positiveInteger)
    .option('--dim <count>', 'planted d (default: 32)', positiveInteger)
    .option('--clusters <count>', 'planted clusters (default: 64)', positiveInteger)
    .option('--needle <position>', 'a token to watch: is it kept? (default: the planted one)', count)
    .optionsGroup('Caches:')
    .option(
      '--policies <names>',
      'comma-separated, also k-center:weighted and k-center:merge (default: all)',
      list,
    )
    .option(
      '--budget <rows>',
      'rows a key head keeps, of the first policy (default: an eighth)',
      positiveInteger,
    )
    .option('--bytes <count>', 'instead: bytes that each cache may hold', positiveInteger)
    .option(
      '--checkpoints <counts>',
      'tokens after which to ask, comma-separated (default: eight)',
      positiveIntegers,
    )
    .option('--asks <count>', 'queries asked each time (default: 32)', positiveInteger)
    .option(
      '--delta <distance>',
      'subgen: keys this near share a cluster (default: half the mean distance of keys)',
      nonNegativeNumber,
    )
    .option('--seed <integer>', 'seed of everything random', seedInteger, 0)
    .optionsGroup('Output:')
    .option('--report <file>', 'write a report with pictures: .html')
    .option('--json', 'print one JSON object instead of text', false)
    .addHelpText(
      'after',
      '\nExamples:\n  $ provably cache --planted --budget 104\n  $ provably cache layer3.safetensors --bytes 1000000 --policies sink-window,subgen --report caches.html',
    )
    .action(async (files: string[], flags: CacheFlags) => {
      checkFlags(files, flags);
      // Loaded when needed: --help and mistakes should not wait for it.
      const { runCache } = await import('../cache/run.ts');
      await runCache(files, flags, context);
    });
}
