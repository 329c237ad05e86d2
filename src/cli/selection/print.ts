// A selection as text for the terminal.

import { shortNumber } from '../../core/certificate.ts';
import { type CliContext, colorsFor } from '../context.ts';
import { printCertificate, printFields } from '../output.ts';
import { type DescribedSelection, intervalText } from './describe.ts';

/** @param journal - file that keeps a loss command's answers, to be named */
export function printSelection(
  { result, estimate, table, flags }: DescribedSelection,
  journal: string | undefined,
  context: CliContext,
): void {
  const { value, certificate } = result;
  const { ids, k, queries, cacheHits, predicted, effectiveSize, maxWeight, total, dropped } = value;
  const { bold } = colorsFor(context.stdout, context.env);
  const share = shortNumber((100 * ids.length) / table.rows);
  context.stdout.write(`${bold(`${ids.length} of ${table.rows} rows`)} (${share} %) → ${flags.out}\n\n`);
  const percent = (ratio: number): string => `${shortNumber(100 * ratio)} %`;
  printFields(context, [
    ['clusters', k],
    ['losses asked', cacheHits > 0 ? `${queries}, and ${cacheHits} from the journal` : queries],
    ['score total T', total],
    ['effective size', `${shortNumber(effectiveSize)} rows, largest weight ${shortNumber(maxWeight)}`],
    [
      'expected error',
      `${percent(predicted.relativeError)} (uniform: ${percent(predicted.uniformRelativeError)})`,
    ],
    ...(estimate
      ? ([['mean loss', `${shortNumber(estimate.value)}, ${intervalText(estimate)}`]] as const)
      : []),
    ...(dropped.length > 0 ? ([['dropped', `${dropped.length} rows that are not finite`]] as const) : []),
    ...(journal ? ([['journal', `${journal} keeps the answers for the next run`]] as const) : []),
  ]);
  context.stdout.write('\n');
  printCertificate(context, certificate);
}
