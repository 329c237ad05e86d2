// What `provably aggregate boost` does: plan a stage, have it answered, go on; at the end fit, write, tell.

import {
  finishPriorBoost,
  glmLearner,
  ingestStage,
  type Learner,
  linearLearner,
  type PriorBoostResult,
  planStage,
  type StageFitting,
  type StagePlan,
  startPriorBoost,
} from '../../aggregate/index.ts';
import type { Certified } from '../../core/certificate.ts';
import { DataError } from '../../core/errors.ts';
import type { Matrix64 } from '../../core/matrix.ts';
import { columnStandardization, type Standardization, standardize } from '../../core/standardize.ts';
import { type CliContext, colorsFor } from '../context.ts';
import { InterruptedError, UsageError } from '../failure.ts';
import { given } from '../given.ts';
import { printJson } from '../output.ts';
import { showProgress } from '../progress.ts';
import { readAnswers } from './answer-file.ts';
import { writeBags } from './bag-file.ts';
import type { BoostFlags, StartFlags } from './boost.ts';
import { type Labels, openLabels } from './boost-labels.ts';
import { boostRecord, boostStation, type FinishedBoost, printBoost } from './boost-print.ts';
import { type KeptRun, readRun, writeRun } from './boost-state.ts';
import { readModel, writeModel, writePredictions } from './model-file.ts';
import { rescaledModel, restoreAnyModel } from './rescaled-model.ts';
import { type AnalystTable, openAnalystTable } from './table.ts';
import { writeStationReport } from './write.ts';

export async function runBoost(path: string, flags: BoostFlags, context: CliContext): Promise<void> {
  const start = performance.now();
  const { signal } = context;
  await using table = await openAnalystTable(path, flags.id, signal);
  const kept = await readRun(flags.state);
  if (kept) refuseStartFlags(flags);
  const except = flags.label === undefined ? [] : [flags.label];
  const { columns, matrix } = await table.features(kept ? { features: kept.columns } : flags, except);
  const scaling = columnStandardization(matrix);
  const features = standardize(matrix, scaling);
  const run = kept ?? (await startRun(table, { columns, features, scaling }, flags));
  const labels = await openLabels(table, run.family, flags, signal);
  const outcome = await proceed(table, features, run, labels, flags, context);
  if ('asked' in outcome) {
    tellAsked(outcome.asked, flags, context);
    return;
  }

  const { model } = outcome.finished.value;
  const { out, predict, report, json } = flags;
  if (out !== undefined) await writeModel(out, { columns, ...scaling, model }, signal);
  if (predict !== undefined) await writePredictions(predict, table, model.predict(features), signal);
  const seconds = (performance.now() - start) / 1000;
  const { family } = run;
  const finished: FinishedBoost = { path, rows: table.rows, columns, family, seconds, flags, ...outcome };
  if (report !== undefined) {
    await writeStationReport(report, boostRecord(finished), boostStation(finished), context);
  }
  if (json) printJson(context, boostRecord(finished));
  else printBoost(finished, context);
}

async function startRun(
  table: AnalystTable,
  { columns, features, scaling }: { columns: string[]; features: Matrix64; scaling: Standardization },
  flags: BoostFlags,
): Promise<KeptRun> {
  const { k, prior: priorPath, times, family = 'linear', ridge, answers } = flags;
  if (k === undefined) throw new UsageError('boost needs the least size of a bag: give --k.');
  if (answers !== undefined) {
    throw new UsageError(
      `--answers go with a run that has asked, and ${flags.state} is not there. Begin with --ask.`,
    );
  }
  const { stages, preset, priorRho, finalRho, pool, bagger, validation, stopEarly, run, seed } = flags;
  const state = startPriorBoost(features, {
    bagSize: k,
    ...given({ stages, preset, priorRho, finalRho, pool, bagger, validation, stopEarly, run, seed }),
    ...(times === undefined ? {} : { split: 'temporal' as const, times: await table.numbers(times) }),
    ...(priorPath === undefined ? {} : { prior: await readPrior(priorPath, columns, scaling) }),
  });
  return { columns, family, ridge: ridge ?? null, state };
}

async function readPrior(path: string, columns: readonly string[], scaling: Standardization) {
  const prior = await readModel(path);
  if (prior.columns.join('\n') !== columns.join('\n')) {
    throw new DataError(
      `${path} takes the columns ${prior.columns.join(', ')}; expected those of this run, ${columns.join(', ')}. Name them in --features.`,
    );
  }
  return rescaledModel(prior.model, prior, scaling);
}

/** Stage by stage until the model is there, or others are to answer. */
async function proceed(
  table: AnalystTable,
  features: Matrix64,
  run: KeptRun,
  labels: Labels | undefined,
  flags: BoostFlags,
  context: CliContext,
): Promise<
  { asked: StagePlan } | { finished: Certified<PriorBoostResult>; notes: string[]; spent?: number }
> {
  const { signal, stderr } = context;
  using progress = showProgress(context, { quiet: flags.json && stderr.isTTY !== true });
  const fitting: StageFitting = {
    learner: learnerOf(run),
    restore: restoreAnyModel,
    signal,
    onProgress: progress.report,
  };
  const notes: string[] = [];
  let { state } = run;
  let { answers: answerPath } = flags;
  try {
    for (;;) {
      const planned = await planStage(state, features, fitting);
      state = planned.state;
      const { plan } = planned;
      if (plan === null) break;
      if (labels) {
        const answers = await labels.query(plan.bags, plan.stage, { signal, onProgress: progress.report });
        state = ingestStage(state, { ...answers, epsilon: labels.epsilon });
      } else if (answerPath !== undefined) {
        const named = {
          bags: plan.bags,
          keys: Array.from({ length: plan.bags.offsets.length - 1 }, (_, a) => String(a)),
        };
        const read = await readAnswers(answerPath, named, flags, signal);
        notes.push(...read.notes);
        state = ingestStage(state, { ...read, epsilon: flags.epsilon });
        answerPath = undefined;
      } else {
        if (flags.ask === undefined) {
          throw new UsageError(`stage ${plan.stage} is to be answered: give --ask, where its bags go.`);
        }
        await writeBags(flags.ask, plan.bags, { table, signal });
        await writeRun(flags.state, { ...run, state });
        return { asked: plan };
      }
      await writeRun(flags.state, { ...run, state });
    }
    if (answerPath !== undefined) throw new UsageError('no stage waits for --answers: the run is complete.');
    const finished = await finishPriorBoost(state, features, fitting);
    await writeRun(flags.state, { ...run, state: finished.value.state });
    return { finished, notes, ...(labels?.spent ? { spent: labels.spent() } : {}) };
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new InterruptedError(interruptedText(flags));
  }
}

function learnerOf({ family, ridge }: KeptRun): Learner {
  const options = given({ ridge: ridge ?? undefined });
  return family === 'linear' ? linearLearner(options) : glmLearner(family, options);
}

function interruptedText({ state, ledger }: BoostFlags): string {
  const kept = [
    ...(state === undefined ? [] : [`${state} keeps the stages answered so far; call again to go on`]),
    ...(ledger === undefined ? [] : [`${ledger} keeps what was spent`]),
  ];
  return `interrupted; ${kept.length > 0 ? kept.join('; ') : 'no partial file is left'}.`;
}

/** @throws {UsageError} naming a flag that a run under way does not take any more */
function refuseStartFlags(flags: BoostFlags): void {
  const names: Record<keyof StartFlags, true> = {
    ...{ features: true, allBut: true, k: true, stages: true, preset: true, family: true, ridge: true },
    ...{ prior: true, priorRho: true, finalRho: true, pool: true, bagger: true, times: true },
    ...{ validation: true, stopEarly: true, run: true, seed: true },
  };
  const name = (Object.keys(names) as (keyof StartFlags)[]).find((flag) => flags[flag] !== undefined);
  if (name === undefined) return;
  const word = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  throw new UsageError(
    `${flags.state} holds a run under way, which keeps its settings; leave --${word} out, or name another --state to start anew.`,
  );
}

function tellAsked(
  { stage, bags, origin }: StagePlan,
  { state, ask, json }: BoostFlags,
  context: CliContext,
): void {
  const count = bags.offsets.length - 1;
  if (json) {
    printJson(context, {
      system: 'aggregate boost',
      value: { asked: { stage, bags: count, origin, ask, state } },
    });
    return;
  }
  const { bold } = colorsFor(context.stdout, context.env);
  context.stdout.write(
    `${bold(`${count} bags`)} of stage ${stage} → ${ask}\n\nHave the mean of each bag answered (columns bag and mean, noiseVariance where noise was added), then go on with --state ${state} --answers <file>.\n`,
  );
}
