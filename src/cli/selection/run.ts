// What `provably select` does: read, select, write, tell.

import type { Certified } from '../../core/certificate.ts';
import {
  auditSelection,
  type Estimate,
  estimateMean,
  type Selection,
  selectData,
} from '../../selection/index.ts';
import type { CliContext } from '../context.ts';
import { type InputTable, openInput } from '../input.ts';
import { type LossSource, openLosses } from '../losses/sources.ts';
import { printJson } from '../output.ts';
import { sizeInRows } from '../parse.ts';
import { showProgress } from '../progress.ts';
import { describeSelection } from './describe.ts';
import type { SelectFlags } from './flags.ts';
import { printSelection } from './print.ts';
import { writeSelection, writeSelectionReport } from './write.ts';

export async function runSelect(path: string, flags: SelectFlags, context: CliContext): Promise<void> {
  const start = performance.now();
  const { signal } = context;
  await using table = await openInput(path, { ...flags, signal });
  const { out, journal = out === undefined ? undefined : `${out}.losses.jsonl` } = flags;
  await using losses = await openLosses(table, { ...flags, journal }, signal);
  const { result, estimate } = await computeSelection(table, losses, flags, context);
  if (out !== undefined)
    await writeSelection(table, result.value, { out, id: flags.id, copy: flags.copy, signal });
  const seconds = (performance.now() - start) / 1000;
  const described = describeSelection({ result, estimate, table, flags, seconds });
  if (flags.report !== undefined) await writeSelectionReport(described, flags.report, context);
  if (flags.json) printJson(context, described.record);
  else printSelection(described, losses.free ? undefined : journal, context);
}

async function computeSelection(
  table: InputTable,
  losses: LossSource,
  flags: SelectFlags,
  context: CliContext,
): Promise<{ result: Certified<Selection>; estimate: Estimate | undefined }> {
  const { signal, stderr } = context;
  const { k, mode, scheme, alpha, lambda, power, probes, metric, maxLoss, onInvalid, seed, delta, json } =
    flags;
  using progress = showProgress(context, { quiet: json && stderr.isTTY !== true });
  const selected = await selectData(await table.embeddings(), {
    loss: losses.loss,
    cache: losses.cache,
    modelId: losses.modelId,
    // One run of the command for each stage, since loading a model is what costs. Trying again is the user's to decide: the journal makes it cheap.
    ...(losses.free ? {} : { batchSize: 0xffffffff, retries: 0 }),
    ...(flags.size ? { size: sizeInRows(flags.size, table.rows) } : { epsilon: flags.epsilon }),
    ...{ k, mode, scheme, alpha, lambda, power, probes, metric, maxLoss, onInvalid, seed },
    failureProbability: delta,
    signal,
    onProgress: progress.report,
  });
  const { value } = selected;
  const asked = losses.free || flags.estimate || flags.audit;
  const estimate =
    asked && value.draws > 1
      ? estimateMean(value, await losses.loss(value.ids), { confidence: 1 - delta, seed })
      : undefined;
  if (!flags.audit) return { result: selected, estimate };
  const everyRow = Uint32Array.from({ length: table.rows }, (_, row) => row);
  return { result: auditSelection(selected, await losses.loss(everyRow)), estimate };
}
