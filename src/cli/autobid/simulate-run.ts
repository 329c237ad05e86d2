// What `provably autobid simulate` does: open, solve, write, tell.

import type { Setting } from '../../autobidding/index.ts';
import { isMixed } from '../../autobidding/replay/mixed-draws.ts';
import { shortNumber } from '../../core/certificate.ts';
import type { Chart, Station } from '../../report/index.ts';
import { type CliContext, colorsFor } from '../context.ts';
import { printCertificate, printFields, printJson, printTable } from '../output.ts';
import { showProgress } from '../progress.ts';
import { type CommonFlags, repeatCommand } from './flags.ts';
import { namesOf, type OpenedMarket, openMarket } from './open-market.ts';
import { writeFolder } from './out-folder.ts';
import { writePerAuction } from './per-auction.ts';
import { simulateSchema } from './schema.ts';
import { configText, loadSettings, printConfig } from './settings.ts';
import type { SimulateSettings } from './settings-types.ts';
import { type SimulateFlags, simulatePlaces } from './simulate.ts';
import { type SolvedBids, solveBids } from './solve-bids.ts';
import { savedProfileOf, settingOf } from './sources.ts';
import { percent, roasText, worldText } from './words.ts';

interface Simulated {
  settings: SimulateSettings;
  opened: OpenedMarket;
  setting: Setting;
  solved: SolvedBids;
  command: string;
  seconds: number;
}

export async function runSimulate(flags: SimulateFlags, context: CliContext): Promise<void> {
  const start = performance.now();
  const { config, json, out } = flags;
  const settings = await loadSettings(simulateSchema, { config, flags, places: simulatePlaces });
  if (flags.printConfig) return printConfig(context, settings, json);
  const opened = await openMarket(settings, context.signal);
  const setting = settingOf(opened, settings, settings);
  const solved = await compute(setting, opened, settings, flags, context);
  const seconds = (performance.now() - start) / 1000;
  const command = repeatCommand('simulate', flags, flags.log);
  const simulated = { settings, opened, setting, solved, command, seconds };
  const record = recordOf(simulated);
  const files = out === undefined ? [] : await write(simulated, record, { ...flags, out }, context);
  const { perAuction } = flags;
  if (json) {
    printJson(context, {
      ...record,
      ...(perAuction === undefined ? {} : { perAuction }),
      ...(out === undefined ? {} : { out: { folder: out, files } }),
    });
  } else print(simulated, { out, files, perAuction }, context);
}

async function compute(
  setting: Setting,
  opened: OpenedMarket,
  settings: SimulateSettings,
  { json, perAuction }: SimulateFlags,
  context: CliContext,
): Promise<SolvedBids> {
  using progress = showProgress(context, { quiet: json && context.stderr.isTTY !== true });
  const run = { signal: context.signal, onProgress: progress.report };
  const solved = await solveBids(setting, settings.bids, opened, settings, run);
  if (perAuction !== undefined) {
    await writePerAuction(perAuction, setting, solved, opened, { ...run, seed: settings.seed });
  }
  return solved;
}

function recordOf({ settings, opened, solved, command, seconds }: Simulated) {
  const { market, source, report, record } = opened;
  const { outcome, gap, certificate, profile, how } = solved;
  return {
    system: 'autobid simulate',
    input: {
      ...{
        source,
        auctions: market.auctions,
        advertisers: market.advertisers,
        entries: market.values.length,
      },
      ...{ dropped: report?.dropped ?? [], generator: record ?? null },
    },
    value: { how, ...outcome, profile, gap },
    certificate,
    seconds,
    figures: {
      ...{ welfare: outcome.welfare, profit: outcome.profit, optimum: outcome.optimum },
      efficiency: outcome.welfare / outcome.optimum,
      ...(gap ? { meanRegretBound: gap.meanRegretBound, maxRegretBound: gap.maxRegretBound } : {}),
    },
    recipe: { command, seed: settings.seed, settings },
  };
}

async function write(
  simulated: Simulated,
  record: object,
  { out, tables, pictures }: CommonFlags & { out: string },
  context: CliContext,
): Promise<string[]> {
  const { settings, opened, setting, solved } = simulated;
  const { profile, outcome, wins, gap } = solved;
  return await writeFolder(out, { tables, pictures }, context, async (folder) => {
    await folder.json('result', record);
    await folder.text('settings.yaml', configText(settings));
    const { value, spend } = outcome.totals;
    await folder.table('advertisers', {
      ...{ advertiser: namesOf(opened), value, spend, ...(wins ? { wins } : {}) },
      ...(gap
        ? {
            regret: Float64Array.from(gap.advertisers, ({ regret }) => regret),
            regret_bound: Float64Array.from(gap.advertisers, ({ regretBound }) => regretBound),
          }
        : {}),
    });
    if (gap) {
      const { market, seed } = settings;
      const recipe = { market, segments: settings.segments, seed };
      await folder.json('profile', await savedProfileOf(setting, profile, { outcome, gap }, opened, recipe));
    }
    const station = stationOf(simulated);
    for (const chart of station.charts) await folder.picture('advertisers', chart);
    await folder.report(station);
  });
}

function print(
  { settings, opened, solved, seconds }: Simulated,
  {
    out,
    files,
    perAuction,
  }: { out: string | undefined; files: readonly string[]; perAuction: string | undefined },
  context: CliContext,
): void {
  const { stdout, env } = context;
  const { bold, dim, yellow } = colorsFor(stdout, env);
  const { outcome, wins, gap, certificate, how, warnings } = solved;
  const { market, source } = opened;
  stdout.write(`${bold(`${worldText(settings)}, ${how}`)}\n`);
  stdout.write(
    `${dim(`${source}: ${market.auctions} auctions, ${market.advertisers} advertisers · ${seconds.toFixed(1)} s`)}\n\n`,
  );
  printFields(context, [
    [
      'welfare',
      `${shortNumber(outcome.welfare)}, ${percent(outcome.welfare / outcome.optimum)} of the optimum`,
    ],
    ['profit', `${shortNumber(outcome.profit)}, ${percent(outcome.profit / outcome.welfare)} of welfare`],
    ...(gap
      ? ([
          [
            'regret',
            `≤ ${percent(gap.meanRegretBound)} of all value, any one ≤ ${percent(gap.maxRegretBound)}`,
          ],
          ['overspend', `≤ ${percent(gap.maxOverspend)}`],
        ] as const)
      : []),
  ]);
  stdout.write('\n');
  const right = { align: 'right' as const };
  const { value, spend } = outcome.totals;
  printTable(
    context,
    [
      { title: 'advertiser' },
      ...['value', 'spend', 'ROAS', 'slots', 'regret ≤'].map((title) => ({ title, ...right })),
    ],
    namesOf(opened).map((name, i) => [
      ...[name, value[i], spend[i]],
      ...[roasText(((market.targets?.[i] ?? 1) * value[i]) / spend[i]), wins?.[i] ?? '–'],
      gap ? percent(gap.advertisers[i].regretBound) : '–',
    ]),
  );
  for (const warning of warnings) stdout.write(`${yellow('warning')} ${warning}\n`);
  stdout.write('\n');
  if (certificate) printCertificate(context, certificate);
  else
    stdout.write('welfare and profit are exact for these bids; they are not claimed to be an equilibrium\n');
  if (perAuction !== undefined) {
    const draw = isMixed(solved.profile) ? ', of one draw of the strategies' : '';
    stdout.write(`\n→ ${perAuction}: ${market.values.length} entries${draw}\n`);
  }
  if (out !== undefined) stdout.write(`\n→ ${out}: ${files.join(', ')}\n`);
}

function stationOf({ settings, opened, solved, command, seconds }: Simulated): Station {
  const { outcome, certificate, how } = solved;
  const { value, spend } = outcome.totals;
  const names = namesOf(opened);
  const most = names
    .map((name, i) => ({ name, value: value[i], spend: spend[i] }))
    .toSorted((a, b) => b.value - a.value)
    .slice(0, 30);
  const chart: Chart = {
    kind: 'bars',
    title: 'Value of each advertiser',
    description: `What it wins by its own estimate, ÷ its target; the whiskers' inner end is what it pays. The ${most.length} largest of ${names.length}.`,
    value: { label: 'value (money)', include: [0] },
    bars: most.map((one) => ({
      label: one.name,
      value: one.value,
      ...{ low: Math.min(one.spend, one.value), high: Math.max(one.spend, one.value) },
    })),
  };
  return {
    id: 'simulate',
    title: `${worldText(settings)}, ${how}`,
    question: 'What do these rules do to welfare, profit and every advertiser?',
    answer: `Welfare is ${percent(outcome.welfare / outcome.optimum)} of the optimum, profit ${percent(outcome.profit / outcome.welfare)} of welfare.`,
    input: `${opened.source}: ${opened.market.auctions} auctions, ${opened.market.advertisers} advertisers`,
    figures: [
      { label: 'Welfare', value: shortNumber(outcome.welfare) },
      { label: 'Profit', value: shortNumber(outcome.profit) },
    ],
    charts: [chart],
    tables: [],
    certificates: certificate ? [{ title: 'The equilibrium', value: how, certificate }] : [],
    repeat: { command, seed: settings.seed },
    seconds,
  };
}
