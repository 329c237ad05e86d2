// What `provably autobid replay` does: read, replay, write, tell.

import { type Replay, type ReplayedWorld, replay } from '../../autobidding/index.ts';
import type { Certified } from '../../core/certificate.ts';
import type { CliContext } from '../context.ts';
import { UsageError } from '../failure.ts';
import { printJson } from '../output.ts';
import { showProgress } from '../progress.ts';
import { type CommonFlags, repeatCommand } from './flags.ts';
import { type OpenedMarket, openMarket } from './open-market.ts';
import { writeFolder } from './out-folder.ts';
import { replayPlaces } from './replay.ts';
import { printReplay } from './replay-print.ts';
import { replayStation } from './replay-station.ts';
import { replaySchema } from './schema.ts';
import { configText, loadSettings, printConfig } from './settings.ts';
import type { ReplaySettings } from './settings-types.ts';
import { rulesOf, savedProfileOf, searchOf, settingOf } from './sources.ts';

/** Everything that is told of a replay. */
export interface ReplayOutcome {
  settings: ReplaySettings;
  opened: OpenedMarket;
  result: Certified<Replay>;
  command: string;
  seconds: number;
}

export async function runReplay(
  flags: CommonFlags & { log?: string | undefined },
  context: CliContext,
): Promise<void> {
  const start = performance.now();
  const { config, json, out } = flags;
  const places = { ...flags, toReserve: toReserveOf(flags) };
  const settings = await loadSettings(replaySchema, { config, flags: places, places: replayPlaces });
  if (settings.market.log === undefined && settings.market.generator === undefined) {
    throw new UsageError('which auctions? Give a log, or --generate provably for a generated one.');
  }
  if (flags.printConfig) return printConfig(context, settings, json);
  const opened = await openMarket(settings, context.signal);
  const result = await compute(opened, settings, flags, context);
  const seconds = (performance.now() - start) / 1000;
  const command = repeatCommand('replay', flags, flags.log);
  const outcome: ReplayOutcome = { settings, opened, result, command, seconds };
  const record = recordOf(outcome);
  const files = out === undefined ? [] : await write(outcome, record, { ...flags, out }, context);
  if (json) printJson(context, out === undefined ? record : { ...record, out: { folder: out, files } });
  else printReplay(outcome, { folder: out, files }, context);
}

/** --reserve is for both worlds unless --to-reserve says otherwise; in files each world has its own. */
function toReserveOf(flags: object): unknown {
  const { toReserve, reserve } = flags as { toReserve?: number; reserve?: number };
  return toReserve ?? reserve;
}

async function compute(
  opened: OpenedMarket,
  settings: ReplaySettings,
  { json }: CommonFlags,
  context: CliContext,
): Promise<Certified<Replay>> {
  const { from, to, bootstrap, seed, maxMultiplier, search, mixed } = settings;
  const { market, recordedBids, clusters, bidders } = opened;
  if (from.bids === 'recorded' && recordedBids === undefined) {
    throw new UsageError(
      `--baseline recorded: ${opened.source} has no column of bids. Name it with --columns bid=…, or leave --baseline out.`,
    );
  }
  using progress = showProgress(context, { quiet: json && context.stderr.isTTY !== true });
  const buckets = opened.segments(from.segments);
  return await replay(market, {
    from: {
      rules: rulesOf(from, opened),
      buckets,
      bids: from.bids === 'equilibrium' ? undefined : recordedBids?.(buckets),
    },
    to: { rules: rulesOf(to, opened), buckets: opened.segments(to.segments) },
    ...{ bidders, maxMultiplier, clusters, seed, mixed, ...bootstrap },
    search: searchOf(search),
    signal: context.signal,
    onProgress: progress.report,
  });
}

/** What `--json` prints and result.json holds. */
function recordOf({ settings, opened, result, command, seconds }: ReplayOutcome) {
  const { value, certificate } = result;
  const { market, source, segmentedBy, report, record } = opened;
  const { welfare, profit, efficiency, advertisers, bootstrap } = value;
  const count = (verdict: string): number => advertisers.filter((one) => one.verdict === verdict).length;
  return {
    system: 'autobid replay',
    input: {
      ...{ source, auctions: market.auctions, advertisers: market.advertisers, segmentedBy },
      ...{ entries: market.values.length, dropped: report?.dropped ?? [], generator: record ?? null },
    },
    value: {
      ...{ welfare, profit, efficiency, advertisers, bootstrap },
      from: worldRecord(value.from),
      to: worldRecord(value.to),
    },
    certificate,
    seconds,
    figures: {
      ...{ welfareChange: welfare.relative, profitChange: profit.relative },
      ...{ welfareBefore: welfare.before, welfareAfter: welfare.after },
      ...{ profitBefore: profit.before, profitAfter: profit.after },
      ...{ efficiencyBefore: efficiency.before, efficiencyAfter: efficiency.after },
      ...{ winners: count('wins'), losers: count('loses') },
      ...{ regretBefore: value.from.gap.meanRegretBound, regretAfter: value.to.gap.meanRegretBound },
    },
    recipe: { command, seed: settings.seed, settings },
  };
}

function worldRecord({ origin, outcome, profile, gap, certificate }: ReplayedWorld) {
  const { advertisers: _, ...regrets } = gap;
  return { origin, ...outcome, profile, gap: regrets, certificate };
}

/** The folder: result.json, advertisers, saved profiles that `verify` reads, pictures, report.html and the settings. */
async function write(
  outcome: ReplayOutcome,
  record: object,
  { out, tables, pictures }: CommonFlags & { out: string },
  context: CliContext,
): Promise<string[]> {
  const { settings, opened, result } = outcome;
  const { value } = result;
  const station = replayStation(outcome);
  const { market, seed } = settings;
  return await writeFolder(out, { tables, pictures }, context, async (folder) => {
    await folder.json('result', record);
    await folder.text('settings.yaml', configText(settings));
    await folder.table('advertisers', advertiserColumns(value));
    for (const [name, world, rules] of [
      ['before', value.from, settings.from],
      ['after', value.to, settings.to],
    ] as const) {
      if (world.profile === undefined) continue;
      const setting = settingOf(opened, rules, settings);
      const recipe = { market, segments: rules.segments, seed };
      await folder.json(
        `${name}.profile`,
        await savedProfileOf(setting, world.profile, world, opened, recipe),
      );
    }
    for (const [i, chart] of station.charts.entries()) {
      await folder.picture(i === 0 ? 'changes' : 'advertisers', chart);
    }
    await folder.report(station);
  });
}

function advertiserColumns({ advertisers, from, to }: Replay) {
  const numbers = (of: (one: Replay['advertisers'][number]) => number) => Float64Array.from(advertisers, of);
  return {
    advertiser: advertisers.map(({ name }) => name),
    verdict: advertisers.map(({ verdict }) => verdict),
    value_before: numbers(({ value }) => value.before),
    value_after: numbers(({ value }) => value.after),
    value_change: numbers(({ value }) => value.difference),
    value_low: numbers(({ value }) => value.interval.low),
    value_high: numbers(({ value }) => value.interval.high),
    spend_before: numbers(({ spend }) => spend.before),
    spend_after: numbers(({ spend }) => spend.after),
    spend_change: numbers(({ spend }) => spend.difference),
    spend_low: numbers(({ spend }) => spend.interval.low),
    spend_high: numbers(({ spend }) => spend.interval.high),
    roas_before: numbers(({ roas }) => roas[0]),
    roas_after: numbers(({ roas }) => roas[1]),
    gain: numbers(({ gain }) => gain),
    gain_half_width: numbers(({ gainHalfWidth }) => gainHalfWidth),
    regret_before: numbers(({ advertiser }) => from.gap.advertisers[advertiser].regretBound),
    regret_after: numbers(({ advertiser }) => to.gap.advertisers[advertiser].regretBound),
  };
}
