// What `provably autobid verify` does: read the profile, bring its market again, recompute, judge.

import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import {
  parseSavedProfile,
  restoreProfile,
  type SavedProfile,
  type Verification,
  verifyProfile,
} from '../../autobidding/index.ts';
import { type Certified, shortNumber } from '../../core/certificate.ts';
import { AuditError, DataError } from '../../core/errors.ts';
import { parseJson } from '../aggregate/parse-json.ts';
import { checkConfig } from '../config-file.ts';
import { type CliContext, colorsFor } from '../context.ts';
import { UsageError } from '../failure.ts';
import { printCertificate, printFields, printJson } from '../output.ts';
import { showProgress } from '../progress.ts';
import { type OpenedMarket, openMarket } from './open-market.ts';
import { simulateSchema } from './schema.ts';
import type { VerifyFlags } from './verify.ts';
import { percent } from './words.ts';

/** What profiles of this command line say of their market. */
const recipeSchema = z.object({
  market: z.record(z.string(), z.unknown()),
  segments: z.int().min(1),
  seed: z.int().min(0),
});

export async function runVerify(
  path: string,
  log: string | undefined,
  flags: VerifyFlags,
  context: CliContext,
): Promise<void> {
  const start = performance.now();
  const saved = await readProfile(path);
  const { opened, segments } = await marketOf(path, saved, log, context.signal);
  const { market } = opened;
  const restored = await restoreProfile(saved, { market, buckets: opened.segments(segments) });
  const { setting, profile, claims } = restored;
  const claimed = saved.claims.maxRegret;
  const result = await verify(flags.json, context, (run) =>
    verifyProfile(setting, profile, {
      ...run,
      // What was claimed may differ by rounding from what is recomputed in another order.
      maxRegret: flags.maxRegret ?? (claimed === undefined ? undefined : claimed * (1 + 1e-9) + 1e-9),
      maxOverspend: flags.maxOverspend,
      claims,
    }),
  );
  const seconds = (performance.now() - start) / 1000;
  tell(path, saved, opened, result, seconds, flags, context);
  const { verdict } = result.value;
  if (verdict !== 'accepted') {
    const why =
      verdict === 'rejected'
        ? `${result.value.objections.length} objections; the first: ${result.value.objections[0].message}`
        : 'nothing refutes it, but its claims are not proved either. Allow more with --max-regret';
    throw new AuditError(`${path} is ${verdict}: ${why}`);
  }
}

async function readProfile(path: string): Promise<SavedProfile> {
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new DataError(
      `${path} cannot be read (${cause.code}); expected a profile that simulate or replay saved.`,
      {
        cause,
      },
    );
  });
  return parseSavedProfile(parseJson(path, text));
}

async function marketOf(
  path: string,
  { source }: SavedProfile,
  log: string | undefined,
  signal: AbortSignal,
): Promise<{ opened: OpenedMarket; segments: number }> {
  const options =
    source.kind === 'file' ? source.options : source.kind === 'generator' ? source.bucketing : undefined;
  const recipe = recipeSchema.safeParse(options);
  if (!recipe.success) {
    throw new UsageError(
      `${path} does not say how its market is made again; expected a profile that provably autobid saved. Verify it in a program: restoreProfile, verifyProfile.`,
    );
  }
  const { market, segments, seed } = recipe.data;
  const settings = checkConfig(simulateSchema, {
    market: log === undefined ? market : { ...market, log },
    ...{ segments, seed },
  });
  return { opened: await openMarket(settings, signal), segments };
}

async function verify<T>(
  json: boolean,
  context: CliContext,
  work: (run: Parameters<typeof verifyProfile>[2]) => Promise<T>,
): Promise<T> {
  using progress = showProgress(context, { quiet: json && context.stderr.isTTY !== true });
  return await work({ signal: context.signal, onProgress: progress.report });
}

function tell(
  path: string,
  saved: SavedProfile,
  { source, market }: OpenedMarket,
  { value, certificate }: Certified<Verification>,
  seconds: number,
  { json }: VerifyFlags,
  context: CliContext,
): void {
  const { verdict, objections, gap, outcome, deviationsRun } = value;
  if (json) {
    const { advertisers: _, ...regrets } = gap;
    printJson(context, {
      system: 'autobid verify',
      input: { profile: path, source, auctions: market.auctions, advertisers: market.advertisers },
      value: { verdict, objections, gap: regrets, outcome, deviationsRun },
      certificate,
      seconds,
      figures: {
        ...{ accepted: Number(verdict === 'accepted'), objections: objections.length },
        ...{ meanRegretBound: gap.meanRegretBound, maxRegretBound: gap.maxRegretBound },
      },
    });
    return;
  }
  const { bold, green, red, yellow } = colorsFor(context.stdout, context.env);
  const color = verdict === 'accepted' ? green : verdict === 'rejected' ? red : yellow;
  context.stdout.write(`${bold(path)}: ${color(verdict)}, on ${source}, ${saved.rules.format}\n\n`);
  printFields(context, [
    [
      'welfare',
      `${shortNumber(outcome.welfare)}, ${percent(outcome.welfare / outcome.optimum)} of the optimum`,
    ],
    ['profit', outcome.profit],
    ['regret', `≤ ${percent(gap.meanRegretBound)} of all value, any one ≤ ${percent(gap.maxRegretBound)}`],
    ['overspend', `≤ ${percent(gap.maxOverspend)}`],
    ['better replies run', deviationsRun],
  ]);
  context.stdout.write('\n');
  printCertificate(context, certificate);
}
