// A selection in the three forms it is told in: JSON record, figures for the terminal, section of a report.

import { type Certified, shortNumber } from '../../core/certificate.ts';
import type { Chart, Station } from '../../report/index.ts';
import type { Estimate, Selection } from '../../selection/index.ts';
import { commandLine } from '../command-line.ts';
import type { InputTable } from '../input.ts';
import { type SelectFlags, selectDefaults } from './flags.ts';

export interface SelectionOutcome {
  result: Certified<Selection>;
  /** Estimate of the mean loss of all rows, when the losses of the picked rows are known. */
  estimate: Estimate | undefined;
  table: InputTable;
  flags: SelectFlags;
  /** Wall-clock seconds. */
  seconds: number;
}

export interface DescribedSelection extends SelectionOutcome {
  /** What `--json` and `--report x.json` hold. */
  record: Readonly<Record<string, unknown>>;
  /** Command line that repeats it. */
  command: string;
}

export function describeSelection(outcome: SelectionOutcome): DescribedSelection {
  const { result, estimate, table, flags, seconds } = outcome;
  const { value, certificate } = result;
  const { ids, weights, counts, k, total, phi, phiLambda, epsilon, queries, cacheHits, modelId } = value;
  const { effectiveSize, maxWeight, predicted, dropped, scheme, elbow } = value;
  const command = repeatCommand(table.path, flags);
  const record = {
    system: 'selection',
    input: { table: table.path, rows: table.rows },
    value: {
      rows: ids.length,
      // With a file of them the ids would only be said twice.
      ...(flags.out === undefined ? { ids, weights, counts } : { out: flags.out }),
      ...{ scheme, clusters: k, modelId, dropped },
      ...(estimate ? { estimate } : {}),
      ...(elbow ? { elbow } : {}),
    },
    certificate,
    seconds,
    figures: {
      ...{ lossQueries: queries, lossesFromJournal: cacheHits, scoreTotal: total, phi, phiLambda, epsilon },
      ...{ effectiveSize, maxWeight },
      predictedRelativeError: predicted.relativeError,
      predictedRelativeErrorUniform: predicted.uniformRelativeError,
    },
    recipe: { command, seed: flags.seed },
  };
  return { ...outcome, record, command };
}

/** The selection as a section of an HTML report. */
export function selectionSection({
  result,
  estimate,
  table,
  flags,
  seconds,
  command,
}: DescribedSelection): Station {
  const { value, certificate } = result;
  const { ids, k, queries, cacheHits, predicted, effectiveSize } = value;
  const error = `${shortNumber(100 * predicted.relativeError)} %`;
  return {
    id: 'selection',
    title: 'Selected rows',
    question: `Which ${ids.length} of ${table.rows} rows stand for all of them, when each loss has its price?`,
    answer: `${ids.length} rows with weights, found with ${queries} loss evaluations; the weighted total is expected to be off by ${error}.`,
    input: `${table.path}, ${table.rows} rows`,
    figures: [
      { label: 'Rows picked', value: String(ids.length), note: `of ${table.rows}` },
      {
        label: 'Losses asked',
        value: String(queries),
        note: cacheHits > 0 ? `${cacheHits} more from the journal` : 'to find the rows',
      },
      {
        label: 'Expected error',
        value: error,
        note: `uniform sampling: ${shortNumber(100 * predicted.uniformRelativeError)} %`,
      },
      estimate
        ? { label: 'Mean loss', value: shortNumber(estimate.value), note: intervalText(estimate) }
        : { label: 'Effective size', value: shortNumber(effectiveSize), note: 'rows of equal weight' },
    ],
    charts: selectionCharts(value),
    tables: [],
    certificates: [
      { title: 'Total loss from the picked rows', value: `${ids.length} rows, ${k} clusters`, certificate },
    ],
    repeat: { command, seed: flags.seed },
    seconds,
  };
}

/** "0.39 … 0.43 (90 %)" */
export function intervalText({ interval: { low, high, confidence } }: Estimate): string {
  return `${shortNumber(low)} … ${shortNumber(high)} (${shortNumber(100 * confidence)} %)`;
}

function selectionCharts({ weights, clusters, model, k }: Selection): Chart[] {
  const picked = new Float64Array(k);
  for (const cluster of clusters) picked[cluster]++;
  const shown: Chart[] = [
    {
      kind: 'histogram',
      title: 'Weights of the picked rows',
      description:
        'How many rows each picked row stands for. Rare large weights mean that few rows decide the estimate.',
      x: { label: 'weight (rows)', include: [0] },
      values: Array.from(weights),
    },
  ];
  if (k > 1) {
    shown.unshift({
      kind: 'scatter',
      title: 'Where the rows came from',
      description:
        'Each dot is a cluster: rows it has, and rows picked from it. Above the trend are clusters with large losses or wide spread.',
      x: { label: 'rows in the cluster', include: [0] },
      y: { label: 'rows picked', include: [0] },
      points: Array.from(picked, (y, i) => ({ x: model.clusterSizes[i], y })),
    });
  }
  return shown;
}

/** Its size as it was said: rows, or a share of them. */
function repeatCommand(path: string, { size, ...flags }: SelectFlags): string {
  const said =
    size && ('rows' in size ? String(size.rows) : `${Number((100 * size.share).toPrecision(12))}%`);
  const { seed: _seed, ...defaults } = selectDefaults;
  return commandLine(
    'select',
    { size: said, ...flags },
    { operands: [path], leaveOut: ['json', 'report', 'audit', 'estimate'], defaults },
  );
}
