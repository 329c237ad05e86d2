// The flags of an aggregator, and those of any server.

import { type Command, Option } from 'commander';
import { bounds, positiveInteger, positiveNumber } from '../parse.ts';

/** Flags of everything that listens. */
export interface NetworkFlags {
  host: string;
  port: number;
  apiKeysFile?: string;
  corsOrigin?: string[];
  maxBody: number;
  requestTimeout?: number;
  shutdownTimeout: number;
  quiet: boolean;
  json: boolean;
}

/** Flags of an aggregator alone. */
export interface AggregatorFlags {
  labels: string;
  id?: string;
  label?: string;
  person?: string;
  bounds?: [number, number];
  minBag?: number;
  epsilon?: number;
  epsilonPerRelease?: number;
  grid?: number;
  maxBags?: number;
  onRepeat?: 'replay' | 'refuse';
  ledger?: string;
}

export function addAggregatorFlags(command: Command): Command {
  return command
    .optionsGroup('Labels (an aggregator):')
    .option('--labels <table>', 'the labels to guard: Parquet, CSV, JSON lines or Arrow')
    .option('--id <column>', 'that names the samples; the same names as in the analysts’ tables')
    .option('--label <column>', 'of the labels')
    .option('--person <column>', 'whose budget a sample spends (default: each sample is a person)')
    .option('--bounds <L,U>', 'public: labels are clipped to them; never taken from the labels', bounds)
    .option('--min-bag <count>', 'fewest samples of a bag', positiveInteger)
    .option('--epsilon <number>', 'ε that a person may spend in all', positiveNumber)
    .option('--epsilon-per-release <number>', 'ε of one answer, at most (default: --epsilon)', positiveNumber)
    .option('--grid <step>', 'of labels and answers (default: (U − L) / 1024)', positiveNumber)
    .option('--max-bags <count>', 'bags in one query', positiveInteger)
    .addOption(
      new Option(
        '--on-repeat <kind>',
        'a bag that was answered before: repeat the answer, or refuse',
      ).choices(['replay', 'refuse']),
    )
    .option('--ledger <file>', 'what was spent and answered: made if it is not there, and needed ever after');
}
