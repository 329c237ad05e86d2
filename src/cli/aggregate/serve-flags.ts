// The flags of an aggregator.

import { type Command, Option } from 'commander';
import { UsageError } from '../failure.ts';
import { bounds, positiveInteger, positiveNumber } from '../parse.ts';

export interface AggregatorFlags {
  labels?: string;
  id?: string;
  label?: string;
  person?: string;
  table?: string;
  bounds?: [number, number];
  grid?: number;
  minBag?: number;
  epsilon?: number;
  epsilonPerRelease?: number;
  minEpsilon?: number;
  maxBags?: number;
  onRepeat?: 'answer' | 'refuse';
  cadence?: number;
  ledger?: string;
  head?: string;
}

/** Without these nothing can be guarded. */
const required = ['labels', 'id', 'label', 'bounds', 'minBag', 'epsilon', 'ledger'] as const;

/** Flags that are all there. */
export type AggregatorChoice = AggregatorFlags & Required<Pick<AggregatorFlags, (typeof required)[number]>>;

export function addAggregatorFlags(command: Command): Command {
  return command
    .optionsGroup('Labels to guard:')
    .option('--labels <table>', 'Parquet, CSV, JSON lines or Arrow')
    .option('--id <column>', 'that names the samples, as the analysts’ tables do')
    .option('--label <column>', 'of the labels')
    .option('--person <column>', 'whose budget a sample spends (default: every sample is a person)')
    .option('--table <name>', 'public name and version; new labels need a new one and a new ledger')
    .optionsGroup('Privacy:')
    .option('--bounds <L,U>', 'public: labels are clipped to them; never taken from the labels', bounds)
    .option(
      '--grid <step>',
      'of labels and sums (default: (U − L) / 1000; take 1 for labels 0 and 1)',
      positiveNumber,
    )
    .option('--min-bag <count>', 'fewest samples of a bag', positiveInteger)
    .option('--epsilon <number>', 'ε that a person may spend in all', positiveNumber)
    .option('--epsilon-per-release <number>', 'ε of one answer, at most (default: --epsilon)', positiveNumber)
    .option(
      '--min-epsilon <number>',
      'ε of one answer, at least (default: a thousandth of the most)',
      positiveNumber,
    )
    .option('--max-bags <count>', 'bags in one query (default: 10000)', positiveInteger)
    .addOption(
      new Option('--on-repeat <kind>', 'a bag asked again: the answer as before, or a refusal')
        .choices(['answer', 'refuse'])
        .default('answer'),
    )
    .option(
      '--cadence <milliseconds>',
      'between the moments at which answers leave (default: 5)',
      positiveNumber,
    )
    .option('--ledger <file>', 'what was asked and spent: made when it is not there, needed ever after')
    .option('--head <hash>', 'of an entry that must be in the ledger: an older copy of it is not served');
}

/** @throws {UsageError} one is missing */
export function requireAggregatorFlags(flags: AggregatorFlags): AggregatorChoice {
  const missing = required.filter((name) => flags[name] === undefined);
  if (missing.length === 0) return flags as AggregatorChoice;
  const names = missing.map((name) => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`);
  throw new UsageError(`an aggregator needs ${names.join(', ')} too: none of them can be guessed.`);
}
