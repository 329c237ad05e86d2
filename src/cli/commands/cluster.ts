// `provably cluster`: rows of a table or matrix into k clusters.

import { Command, Option } from 'commander';
import { type ClusterFlags, checkFlags } from '../clustering/flags.ts';
import type { CliContext } from '../context.ts';
import { tableExtensions } from '../extensions.ts';
import { allOrPositiveInteger, list, nonNegativeNumber, positiveInteger, seedInteger } from '../parse.ts';

export function clusterCommand(context: CliContext): Command {
  return new Command('cluster')
    .description('group rows around k centers: exact k-means, in memory or out of core')
    .argument('<table>', 'Parquet, CSV, JSONL or Arrow with vectors; or a matrix in .npy or .safetensors')
    .optionsGroup('Input:')
    .option('--column <name>', 'column that holds the vector as a list, or tensor (default: the only one)')
    .option('--columns <names>', 'number columns that make up the vector, comma-separated', list)
    .option('--id <name>', 'column that names the rows in the output (default: row numbers from 0)')
    .option('--weights <column>', 'column with the weight of each row, ≥ 0')
    .optionsGroup('Clustering:')
    .option('-k, --k <count>', 'clusters (required)', positiveInteger)
    .addOption(
      new Option('--algorithm <name>', 'all but mini-batch give the same clusters; they differ in time')
        .choices(['auto', 'lloyd', 'hamerly', 'yinyang', 'elkan', 'mini-batch'])
        .default('auto'),
    )
    .addOption(
      new Option(
        '--init <method>',
        'how the first centers are chosen (default: greedy; k-means|| with --train-rows all)',
      )
        .choices(['greedy', 'k-means++', 'afk-mc2', 'k-means||', 'random'])
        .conflicts('initCenters'),
    )
    .option('--init-centers <file>', 'start from these centers: .npy, .safetensors or a table')
    .option('--max-iterations <count>', 'passes at most (default: 100)', positiveInteger)
    .option(
      '--tolerance <number>',
      'stop when centers move less, relative to the variance (default: 1e-4)',
      nonNegativeNumber,
    )
    .addOption(
      new Option('--power <power>', 'what is summed: 2 squared distances (means), 1 distances (medians)')
        .choices(['1', '2'])
        .default('2'),
    )
    .option('--restarts <count>', 'starts, of which the best is kept (default: 1)', positiveInteger)
    .option(
      '--train-rows <count>',
      'rows per center to learn from, drawn at random, or all (default: 256, or what fits in 512 MiB)',
      allOrPositiveInteger,
    )
    .option('--bound-memory <MiB>', 'memory that yinyang and elkan may take (default: 1024)', positiveInteger)
    .option('--spherical', 'cosine: divide rows by their norms, and centers too', false)
    .option('--seed <integer>', 'seed of everything random', seedInteger, 0)
    .optionsGroup('Output:')
    .option('-o, --out <file>', `cluster and squared distance of every row: ${tableExtensions.join(', ')}`)
    .option('--centers <file>', 'the centers: .npy, or a table with one row each')
    .option('--json', 'print one JSON object instead of text', false)
    .addHelpText(
      'after',
      '\nExample:\n  $ provably cluster vectors.npy --k 100 --out labels.parquet --centers centers.npy',
    )
    .action(async (path: string, flags: Partial<ClusterFlags>) => {
      checkFlags(flags);
      // Loaded when needed: --help and mistakes should not wait for it.
      const { runCluster } = await import('../clustering/run.ts');
      await runCluster(path, flags, context);
    });
}
