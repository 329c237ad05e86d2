// Flags that several subcommands of `provably autobid` share, and where they belong in the settings.

import { type Command, InvalidArgumentError, Option } from 'commander';
import { LOG_COLUMN_NAMES, type LogColumns } from '../../autobidding/index.ts';
import { commandLine } from '../command-line.ts';
import { count, list, nonNegativeNumber, positiveInteger, seedInteger } from '../parse.ts';
import type { FlagPlaces } from './settings.ts';

/** What every subcommand on a market is given beside its own flags. */
export interface CommonFlags {
  config?: string;
  printConfig: boolean;
  out?: string;
  tables: 'parquet' | 'csv' | 'jsonl';
  pictures: 'svg' | 'png';
  json: boolean;
}

export const formats = ['fpa', 'gsp', 'vcg'] as const;

/** What a column is for, by the name it has by default. */
const roleOf = new Map(Object.entries(LOG_COLUMN_NAMES).map(([role, name]) => [name, role]));

/** Flags of the log; `log` is the argument. */
export const marketPlaces: FlagPlaces = {
  log: ['market', 'log'],
  layout: ['market', 'layout'],
  columns: ['market', 'columns'],
  discounts: ['market', 'discounts'],
  onInvalid: ['market', 'onInvalid'],
  multiEntry: ['market', 'multiEntry'],
  segmentBy: ['market', 'segmentBy'],
  clusterBy: ['market', 'clusterBy'],
  generate: ['market', 'generator', 'name'],
  advertisers: ['market', 'generator', 'advertisers'],
  auctions: ['market', 'generator', 'auctions'],
};

export const searchPlaces: FlagPlaces = {
  iterations: ['search', 'iterations'],
  rounds: ['search', 'rounds'],
  maxMultiplier: ['maxMultiplier'],
  seed: ['seed'],
};

export function addLogFlags(command: Command): Command {
  return command
    .optionsGroup('Log:')
    .option(
      '--columns <names>',
      `names of its columns where they differ, as value=worth,bid=cpc; read are ${Object.values(LOG_COLUMN_NAMES).join(', ')}`,
      columnNames,
    )
    .option(
      '--discounts <numbers>',
      'worth of each slot, best first, e.g. 1,0.7,0.5 (default: of position_weight)',
      numbers,
    )
    .addOption(
      new Option(
        '--layout <layout>',
        'AuctionNet and BAT (best-response only) have columns of their own',
      ).choices(['rows', 'auctionnet', 'bat']),
    )
    .addOption(new Option('--on-invalid <action>', 'rows that are wrong').choices(['throw', 'drop']))
    .option('--multi-entry', 'an advertiser may have several entries in one auction')
    .option(
      '--segment-by <column>',
      'column that tells segments apart; value: quantiles of each advertiser’s values (default: bucket, else value)',
    );
}

export function addGeneratorFlags(command: Command): Command {
  return command
    .optionsGroup('Generated market, instead of a log:')
    .addOption(
      new Option('--generate <name>', 'generator (default: provably)').choices(['provably', 'gamma-topic']),
    )
    .option('--advertisers <count>', 'advertisers (default: the generator’s)', positiveInteger)
    .option('--auctions <count>', 'auctions (default: the generator’s)', positiveInteger);
}

export function addSearchFlags(command: Command): Command {
  return command
    .optionsGroup('Search of equilibria:')
    .option('--iterations <count>', 'iterations of the dynamic at most (default: 30)', count)
    .option('--rounds <count>', 'rounds of the endgame at most (default: 20)', count)
    .option('--max-multiplier <number>', 'cap of multipliers, ≥ 1 (default: 10)', nonNegativeNumber)
    .option('--seed <integer>', 'seed of everything random (default: 0)', seedInteger);
}

/** For searches that may mix; the place is `mixed` in the settings. */
export function addMixedFlag(command: Command): Command {
  return command.addOption(
    new Option(
      '--mixed <when>',
      'mixed strategies where pure ones find no rest (default: when-needed)',
    ).choices(['when-needed', 'never']),
  );
}

export function addOutputFlags(command: Command): Command {
  return command
    .optionsGroup('Output:')
    .option('-o, --out <folder>', 'folder of results: tables, JSON, pictures, saved profiles, report.html')
    .addOption(
      new Option('--tables <format>', 'of tables in the folder')
        .choices(['parquet', 'csv', 'jsonl'])
        .default('parquet'),
    )
    .addOption(
      new Option('--pictures <format>', 'of pictures in the folder').choices(['svg', 'png']).default('svg'),
    )
    .option('--config <file>', 'settings in YAML or JSON; flags go first')
    .option('--print-config', 'print the settings in effect and stop', false)
    .option('--json', 'print one JSON object instead of text', false);
}

/** The command line that gives the same result again. */
export function repeatCommand(subcommand: string, flags: CommonFlags, operand: string | undefined): string {
  const { columns } = flags as { columns?: Record<string, string> };
  const pairs =
    columns &&
    Object.entries(columns).map(([role, name]) => `${LOG_COLUMN_NAMES[role as keyof LogColumns]}=${name}`);
  return commandLine(
    `autobid ${subcommand}`,
    { ...flags, columns: pairs?.join(',') },
    {
      operands: operand === undefined ? [] : [operand],
      leaveOut: ['log', 'out', 'perAuction', 'tables', 'pictures', 'printConfig', 'json'],
    },
  );
}

/** `1,0.7` is [1, 0.7]. */
export function numbers(text: string): number[] {
  return list(text).map(nonNegativeNumber);
}

function columnNames(text: string): Record<string, string> {
  return Object.fromEntries(
    list(text).map((pair) => {
      const [usual, name, ...rest] = pair.split('=');
      const role = roleOf.get(usual);
      if (role === undefined || !name || rest.length > 0) {
        throw new InvalidArgumentError(
          `Expected pairs such as value=worth, of ${[...roleOf.keys()].join(', ')}.`,
        );
      }
      return [role, name];
    }),
  );
}
