// A finished run of boost as text, JSON record and section of a report.

import { bagCount, type PriorBoostResult, type StageDiagnostics } from '../../aggregate/index.ts';
import { type Certified, shortNumber } from '../../core/certificate.ts';
import type { Station } from '../../report/index.ts';
import { commandLine } from '../command-line.ts';
import { type CliContext, colorsFor } from '../context.ts';
import { given } from '../given.ts';
import { printCertificate, printFields, printTable } from '../output.ts';
import type { BoostFlags } from './boost.ts';

export interface FinishedBoost {
  path: string;
  rows: number;
  columns: string[];
  family: string;
  finished: Certified<PriorBoostResult>;
  notes: string[];
  /** ε of the person who spent most over all runs, with a ledger. */
  spent?: number;
  flags: BoostFlags;
  seconds: number;
}

/** Bags per column from which plain bag-level loss on random bags is hard to beat with a linear model. */
const MANY = 10;

export function boostRecord(finished: FinishedBoost): Readonly<Record<string, unknown>> {
  const { path, rows, columns, family, finished: result, spent, flags, seconds } = finished;
  const { value, certificate } = result;
  const { settings } = value.state;
  return {
    system: 'aggregate boost',
    input: { table: path, rows, columns },
    value: given({
      ...{ family, settings, stages: value.diagnostics, privacy: value.privacy },
      ...{ model: value.model.toJSON(), out: flags.out, predict: flags.predict },
      notes: notesOf(finished),
    }),
    certificate,
    seconds,
    figures: given({
      ...{ rho: value.rho, bags: bagTotal(value), spent },
      epsilon: Number.isFinite(value.privacy.epsilon) ? value.privacy.epsilon : undefined,
      rhoChoice: value.rhoChoice,
    }),
    recipe: { command: repeat(finished), seed: settings.seed },
  };
}

export function printBoost(finished: FinishedBoost, context: CliContext): void {
  const { rows, family, finished: result, spent, flags } = finished;
  const { value, certificate } = result;
  const { bold, yellow } = colorsFor(context.stdout, context.env);
  context.stdout.write(
    `${bold(`${family} model`)} from ${bagTotal(value)} bags in ${value.stages.length} stages of ${rows} rows${flags.out ? ` → ${flags.out}` : ''}\n\n`,
  );
  printTable(
    context,
    ['stage', 'bags cut by', 'bags', 'spread within', 'calibration', 'validation loss'].map((title, j) => ({
      title,
      align: j < 2 ? ('left' as const) : ('right' as const),
    })),
    value.diagnostics.map(stageCells),
  );
  context.stdout.write('\n');
  printFields(context, [
    ['ρ of the last fit', value.rhoChoice ? `${shortNumber(value.rho)}, by validation bags` : value.rho],
    ['privacy', value.privacy.statement],
    ...(spent === undefined
      ? []
      : ([['spent', `at most ε = ${shortNumber(spent)} by one person, over all runs`]] as const)),
    ...(flags.predict === undefined ? [] : ([['predictions', flags.predict]] as const)),
  ]);
  for (const note of notesOf(finished)) context.stdout.write(`${yellow('note')} ${note}\n`);
  context.stdout.write('\n');
  printCertificate(context, certificate);
}

export function boostStation(finished: FinishedBoost): Station {
  const { path, rows, family, finished: result, seconds } = finished;
  const { value, certificate } = result;
  const { privacy, diagnostics, state } = value;
  const cut = diagnostics.filter(({ within }) => within !== undefined);
  return {
    id: 'boost',
    title: 'A model from bags chosen stage by stage',
    question: `What do mean responses of ${bagTotal(value)} bags teach, when each stage sorts its rows by the model so far?`,
    answer: [privacy.statement, ...notesOf(finished)].join(' '),
    input: `${path}, ${rows} rows in bags of ${state.settings.bagSize} or more`,
    figures: [
      { label: 'Bags', value: String(bagTotal(value)), note: `${value.stages.length} stages` },
      { label: 'ρ', value: shortNumber(value.rho), note: value.rhoChoice ? 'by validation bags' : 'as set' },
      {
        label: 'ε',
        value: Number.isFinite(privacy.epsilon) ? shortNumber(privacy.epsilon) : 'none',
        note: 'of each label, for the whole run',
      },
    ],
    charts:
      cut.length === 0
        ? []
        : [
            {
              kind: 'bars',
              title: 'Spread within bags',
              description:
                'Squares of the predictions within bags as a share of all, by stage. Random bags of k keep about 1 − 1/k.',
              value: { label: 'share of squares within bags (%)' },
              bars: cut.map(({ stage, within }) => ({ label: stage, value: 100 * (within?.share ?? 0) })),
            },
          ],
    tables: [
      {
        caption: 'Stages',
        table: {
          columns: ['stage', 'bags cut by', 'bags', 'spread within', 'calibration', 'validation loss'],
          rows: diagnostics.map(stageCells),
        },
      },
    ],
    certificates: [
      { title: 'The last model', value: `${family}, ρ = ${shortNumber(value.rho)}`, certificate },
    ],
    repeat: { command: repeat(finished), seed: state.settings.seed },
    seconds,
  };
}

function notesOf({ columns, family, finished, notes: read, flags }: FinishedBoost): string[] {
  const uncounted =
    flags.label !== undefined && flags.epsilon !== undefined && !flags.simulate && !flags.ledger;
  const notes = uncounted
    ? [...read, 'Nothing counts what other runs over these people spend: give --ledger.']
    : read;
  const { settings } = finished.value.state;
  const bags = bagTotal(finished.value);
  const plain =
    family === 'linear' &&
    settings.finalRho === 1 &&
    bags >= MANY * columns.length &&
    !finished.value.state.prior;
  if (!plain) return notes;
  return [
    ...notes,
    `A linear model with many more bags than columns (${bags} for ${columns.length}): plain bag-level loss on random bags (bag, then fit --rho 0) is unbiased and tends to beat this preset; so does --preset best. See plan.`,
  ];
}

function stageCells({
  stage,
  origin,
  bags,
  within,
  calibration,
  validationLoss,
}: StageDiagnostics): string[] {
  return [
    stage,
    origin,
    String(bags),
    within ? `${shortNumber(100 * within.share)} %` : '–',
    calibration ? shortNumber(calibration.slope) : '–',
    validationLoss === undefined ? '–' : shortNumber(validationLoss),
  ];
}

function bagTotal({ stages }: PriorBoostResult): number {
  return stages.reduce((sum, { bags }) => sum + bagCount(bags), 0);
}

function repeat({ path, flags }: FinishedBoost): string {
  return commandLine('aggregate boost', flags, {
    operands: [path],
    leaveOut: ['json', 'report'],
    defaults: { format: 'table', counts: 'match' },
  });
}
