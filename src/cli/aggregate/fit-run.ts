// What `provably aggregate fit` does: read, join, fit, write, tell.

import {
  type AggregateData,
  bagCount,
  fitGlm,
  fitLinear,
  type GlmFit,
  type LinearFit,
} from '../../aggregate/index.ts';
import { type Certified, shortNumber } from '../../core/certificate.ts';
import { columnStandardization, type Standardization, standardize } from '../../core/standardize.ts';
import type { Interval } from '../../core/statistics/index.ts';
import type { Station } from '../../report/index.ts';
import { commandLine } from '../command-line.ts';
import { type CliContext, colorsFor } from '../context.ts';
import { UsageError } from '../failure.ts';
import { given } from '../given.ts';
import { printCertificate, printFields, printJson, printTable } from '../output.ts';
import { showProgress } from '../progress.ts';
import { readAnswers } from './answer-file.ts';
import { readBags } from './bag-file.ts';
import { type FitFlags, fitDefaults } from './fit.ts';
import { writeModel, writePredictions } from './model-file.ts';
import { openAnalystTable } from './table.ts';
import { writeStationReport } from './write.ts';

/** One line of the printed model. */
interface CoefficientRow {
  name: string;
  /** In units of the link by units of the column. */
  value: number;
  interval: Interval;
  /** By standard deviations of the column: what can be compared. */
  perDeviation: number;
}

interface FitOutcome {
  path: string;
  rows: number;
  data: AggregateData;
  columns: string[];
  fitted: Certified<LinearFit | GlmFit>;
  coefficients: CoefficientRow[];
  notes: string[];
  flags: FitFlags;
  seconds: number;
}

export async function runFit(path: string, flags: FitFlags, context: CliContext): Promise<void> {
  const start = performance.now();
  const { signal } = context;
  const { id, bags: bagPath, answers: answerPath, out, predict, report, json } = flags;
  await using table = await openAnalystTable(path, id, signal);
  const { columns, matrix } = await table.features(flags);
  const named = await readBags(bagPath, table, signal);
  const { bags, means, noiseVariance, notes } = await readAnswers(answerPath, named, flags, signal);
  const scaling = columnStandardization(matrix);
  const features = standardize(matrix, scaling);
  const data: AggregateData = { features, bags, means, noiseVariance };
  const left = table.rows - bags.members.length;
  if (left > 0) notes.push(`${left} of ${table.rows} rows are in no answered bag and are left out`);

  const fitted = await fit(data, flags, context);
  const { model } = fitted.value;
  if (out !== undefined) await writeModel(out, { columns, ...scaling, model }, signal);
  if (predict !== undefined) await writePredictions(predict, table, model.predict(features), signal);
  if ('clipped' in fitted.value && fitted.value.clipped > 0) {
    notes.push(`${fitted.value.clipped} noisy means were brought into the range of the family`);
  }
  if (fitted.value.rho > 0) {
    notes.push('with ρ > 0 coefficients are shrunk towards 0, and intervals are about the shrunken ones');
  }
  const outcome: FitOutcome = {
    ...{ path, rows: table.rows, data, columns, fitted, notes, flags },
    coefficients: coefficientRows(columns, fitted.value, scaling),
    seconds: (performance.now() - start) / 1000,
  };
  const record = recordOf(outcome);
  if (report !== undefined) await writeStationReport(report, record, stationOf(outcome), context);
  if (json) printJson(context, record);
  else printFit(outcome, context);
}

async function fit(
  data: AggregateData,
  { family, rho, ridge, weighting, confidence, seed, json }: FitFlags,
  context: CliContext,
): Promise<Certified<LinearFit | GlmFit>> {
  const { signal, stderr } = context;
  using progress = showProgress(context, { quiet: json && stderr.isTTY !== true });
  const options = {
    ...{ weighting, confidence, seed, unassigned: 'ignore' as const },
    ...given({ ridge }),
    signal,
    onProgress: progress.report,
  };
  if (family === 'linear') return await fitLinear(data, { ...options, rho });
  if (rho === 'theory') {
    throw new UsageError(
      `--rho theory is for linear models; expected cv or a number with --family ${family}.`,
    );
  }
  return await fitGlm(data, { ...options, rho, family });
}

/** Of standardised features back to those of the table: θ/s for each column, and the level at 0. */
function coefficientRows(
  columns: readonly string[],
  { coefficients, intercept, inference }: LinearFit | GlmFit,
  { means, scales }: Standardization,
): CoefficientRow[] {
  const slopes = columns.map((name, j) => ({
    name,
    value: coefficients[j] / scales[j],
    interval: scaled(inference!.intervals[j], scales[j]),
    perDeviation: coefficients[j],
  }));
  // Var(level at 0) needs the covariances too: aᵀ Σ a with a = (1, −mean/scale).
  const { data, cols } = inference!.covariance;
  const direction = [1, ...columns.map((_, j) => -means[j] / scales[j])];
  let variance = 0;
  for (let i = 0; i < cols; i++) {
    for (let j = 0; j < cols; j++) variance += direction[i] * data[i * cols + j] * direction[j];
  }
  const value = slopes.reduce((sum, slope, j) => sum - slope.value * means[j], intercept);
  const { low, high, confidence } = inference!.interceptInterval;
  const quantile = (high - low) / 2 / inference!.interceptStandardError;
  const half = quantile * Math.sqrt(Math.max(0, variance));
  return [
    {
      name: '(intercept)',
      value,
      interval: { low: value - half, high: value + half, confidence },
      perDeviation: intercept,
    },
    ...slopes,
  ];
}

function scaled({ low, high, confidence }: Interval, scale: number): Interval {
  return { low: low / scale, high: high / scale, confidence };
}

function sourceOfRho({ rho }: FitFlags): string {
  if (rho === 'cv') return 'by cross-validation over bags';
  return rho === 'theory' ? 'by theory, from estimated signal and noise' : 'as given';
}

function recordOf(outcome: FitOutcome): Readonly<Record<string, unknown>> {
  const { path, rows, data, fitted, coefficients, notes, flags, seconds } = outcome;
  const { value, certificate } = fitted;
  const { rho, ridge, crossValidation } = value;
  return {
    system: 'aggregate fit',
    input: { table: path, rows, bags: bagCount(data.bags), inBags: data.bags.members.length },
    value: given({ family: flags.family, coefficients, out: flags.out, predict: flags.predict, notes }),
    certificate,
    seconds,
    figures: given({
      ...{ rho, ridge },
      ...('family' in value
        ? { loss: value.loss, iterations: value.iterations, clipped: value.clipped }
        : { residualVariance: value.residualVariance }),
      crossValidation: crossValidation && {
        ...{ grid: crossValidation.grid, scores: crossValidation.scores },
        standardErrors: crossValidation.standardErrors,
      },
    }),
    recipe: { command: repeat(path, flags), seed: flags.seed },
  };
}

function repeat(path: string, flags: FitFlags): string {
  const leaveOut = ['json', 'report'];
  return commandLine('aggregate fit', flags, { operands: [path], leaveOut, defaults: fitDefaults });
}

function printFit({ rows, data, fitted, coefficients, notes, flags }: FitOutcome, context: CliContext): void {
  const { value, certificate } = fitted;
  const { bold, yellow } = colorsFor(context.stdout, context.env);
  const bags = bagCount(data.bags);
  context.stdout.write(
    `${bold(`${flags.family} model`)} from ${bags} bags of ${rows} rows${flags.out ? ` → ${flags.out}` : ''}\n\n`,
  );
  printTable(
    context,
    [
      { title: 'column' },
      { title: 'coefficient', align: 'right' },
      { title: `${shortNumber(100 * flags.confidence)} % interval`, align: 'right' },
      { title: 'per deviation', align: 'right' },
    ],
    coefficients.map((row) => [
      row.name,
      shortNumber(row.value),
      intervalText(row),
      shortNumber(row.perDeviation),
    ]),
  );
  context.stdout.write('\n');
  printFields(context, [
    ['ρ', `${shortNumber(value.rho)}, ${sourceOfRho(flags)}`],
    ...('family' in value
      ? ([['loss', `${shortNumber(value.loss)} nats a row, in ${value.iterations} steps`]] as const)
      : value.residualVariance === undefined
        ? []
        : ([['variance of a response', value.residualVariance]] as const)),
    ...(flags.predict === undefined ? [] : ([['predictions', flags.predict]] as const)),
  ]);
  for (const note of notes) context.stdout.write(`${yellow('note')} ${note}\n`);
  context.stdout.write('\n');
  printCertificate(context, certificate);
}

function intervalText({ interval: { low, high } }: CoefficientRow): string {
  return `${shortNumber(low)} … ${shortNumber(high)}`;
}

function stationOf(outcome: FitOutcome): Station {
  const { path, rows, data, fitted, coefficients, notes, flags, seconds } = outcome;
  const { value, certificate } = fitted;
  const { crossValidation } = value;
  const bags = bagCount(data.bags);
  const slopes = coefficients.slice(1).filter(({ interval }) => Number.isFinite(interval.high));
  const deviation = ({ value: v, perDeviation }: CoefficientRow): number => (v === 0 ? 0 : perDeviation / v);
  return {
    id: 'fit',
    title: 'A model from bag means',
    question: `What do mean responses of ${bags} bags say about the single rows in them?`,
    answer: [
      `A ${flags.family} model of ${coefficients.length - 1} columns, ρ = ${shortNumber(value.rho)}.`,
      ...notes,
    ].join(' '),
    input: `${path}, ${rows} rows; ${flags.bags}; ${flags.answers}`,
    figures: [
      { label: 'Bags', value: String(bags), note: `${data.bags.members.length} of ${rows} rows` },
      {
        label: 'ρ',
        value: shortNumber(value.rho),
        note: sourceOfRho(flags),
      },
    ],
    charts: [
      ...(slopes.length === 0
        ? []
        : [
            {
              kind: 'intervals' as const,
              title: 'Coefficients per standard deviation',
              description:
                'Change of the mean response, on the scale of the link, when a column grows by its standard deviation, with its interval.',
              value: { label: 'change of the response', include: [0] },
              rows: slopes.map((row) => ({
                label: row.name,
                value: row.perDeviation,
                low: row.interval.low * deviation(row),
                high: row.interval.high * deviation(row),
              })),
            },
          ]),
      ...(crossValidation === undefined
        ? []
        : [
            {
              kind: 'line' as const,
              title: 'Held-out error by ρ',
              description:
                'Squared error of held-out bag means for each ρ of the grid (0 is left out of the logarithmic axis).',
              x: { label: 'ρ', scale: 'log' as const },
              y: { label: 'squared error of bag means' },
              series: [
                {
                  name: 'cross-validation',
                  points: Array.from(crossValidation.grid, (x, i) => ({
                    x,
                    y: crossValidation.scores[i],
                    low: crossValidation.scores[i] - crossValidation.standardErrors[i],
                    high: crossValidation.scores[i] + crossValidation.standardErrors[i],
                  })).filter(({ x }) => x > 0),
                },
              ],
            },
          ]),
    ],
    tables: [
      {
        caption: 'Coefficients',
        table: {
          columns: ['column', 'coefficient', 'interval', 'per deviation'],
          rows: coefficients.map((row) => [
            row.name,
            shortNumber(row.value),
            intervalText(row),
            shortNumber(row.perDeviation),
          ]),
        },
      },
    ],
    certificates: [{ title: 'The coefficients', value: `${bags} bags`, certificate }],
    repeat: { command: repeat(path, flags), seed: flags.seed },
    seconds,
  };
}
