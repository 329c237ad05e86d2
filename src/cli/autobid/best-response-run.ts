// What `provably autobid best-response` does: freeze the others, look at every multiplier, choose.

import { mixedWhatIf, type Setting, type WhatIf, whatIf } from '../../autobidding/index.ts';
import { isMixed } from '../../autobidding/replay/mixed-draws.ts';
import { shortNumber } from '../../core/certificate.ts';
import type { Chart, Station } from '../../report/index.ts';
import { type CliContext, colorsFor } from '../context.ts';
import { printFields, printJson, printTable } from '../output.ts';
import { showProgress } from '../progress.ts';
import { bestResponsePlaces } from './best-response.ts';
import { type CommonFlags, repeatCommand } from './flags.ts';
import { advertiserNamed, type OpenedMarket, openMarket } from './open-market.ts';
import { writeFolder } from './out-folder.ts';
import { bestResponseSchema } from './schema.ts';
import { configText, loadSettings, printConfig } from './settings.ts';
import type { BestResponseSettings } from './settings-types.ts';
import { filledProfile, type SolvedBids, solveBids } from './solve-bids.ts';
import { settingOf } from './sources.ts';
import { percent, roasText, signedPercent, worldText } from './words.ts';

interface Answer {
  settings: BestResponseSettings;
  opened: OpenedMarket;
  advertiser: number;
  name: string;
  solved: SolvedBids;
  answer: WhatIf;
  command: string;
  seconds: number;
}

export async function runBestResponse(
  flags: CommonFlags & { log?: string | undefined },
  context: CliContext,
): Promise<void> {
  const start = performance.now();
  const { config, json, out } = flags;
  const settings = await loadSettings(bestResponseSchema, { config, flags, places: bestResponsePlaces });
  if (flags.printConfig) return printConfig(context, settings, json);
  if (settings.market.layout === 'bat') {
    const { runBat } = await import('./bat-run.ts');
    return runBat(settings, flags, context);
  }
  const { learnSegments } = settings;
  if (learnSegments !== undefined) {
    const { runLearnSegments } = await import('./learn-segments-run.ts');
    return runLearnSegments({ ...settings, learnSegments }, flags, context);
  }
  const opened = await openMarket(settings, context.signal);
  const { market } = opened;
  const name = settings.advertiser ?? market.names?.[0] ?? '0';
  const advertiser = advertiserNamed(market, name);
  const setting = settingOf(opened, settings, settings);
  const solved = await solveOthers(setting, opened, settings, json, context);
  const { profile } = solved;
  const answer = isMixed(profile)
    ? mixedWhatIf(setting, profile, advertiser)
    : whatIf(setting, filledProfile(profile, setting), advertiser);
  const seconds = (performance.now() - start) / 1000;
  const command = repeatCommand('best-response', flags, flags.log);
  const all = { settings, opened, advertiser, name, solved, answer, command, seconds };
  const record = recordOf(all);
  const files = out === undefined ? [] : await write(all, record, { ...flags, out }, context);
  if (json) printJson(context, out === undefined ? record : { ...record, out: { folder: out, files } });
  else print(all, { out, files }, context);
}

async function solveOthers(
  setting: Setting,
  opened: OpenedMarket,
  settings: BestResponseSettings,
  json: boolean,
  context: CliContext,
): Promise<SolvedBids> {
  using progress = showProgress(context, { quiet: json && context.stderr.isTTY !== true });
  const run = { signal: context.signal, onProgress: progress.report };
  return await solveBids(setting, settings.others, opened, settings, run);
}

function recordOf({ settings, opened, name, solved, answer, command, seconds }: Answer) {
  const { market, source, segmentedBy, report, record } = opened;
  const { now, best, curve } = answer;
  return {
    system: 'autobid best-response',
    input: {
      ...{ source, auctions: market.auctions, advertisers: market.advertisers, segmentedBy },
      ...{ dropped: report?.dropped ?? [], generator: record ?? null },
    },
    value: { advertiser: name, others: solved.how, now, best, curve },
    certificate: solved.certificate,
    seconds,
    figures: {
      ...{ valueNow: now.value, spendNow: now.spend, valueBest: best.value, spendBest: best.spend },
      ...{ upperBound: best.upperBound, gain: best.value / now.value - 1 },
    },
    recipe: { command, seed: settings.seed, settings },
  };
}

async function write(
  all: Answer,
  record: object,
  { out, tables, pictures }: CommonFlags & { out: string },
  context: CliContext,
): Promise<string[]> {
  const { settings, answer } = all;
  const { curve, best } = answer;
  const station = stationOf(all);
  return await writeFolder(out, { tables, pictures }, context, async (folder) => {
    await folder.json('result', record);
    await folder.text('settings.yaml', configText(settings));
    await folder.table('multipliers', {
      segment: Uint32Array.from(best.multipliers, (_, k) => k),
      multiplier: best.multipliers,
    });
    await folder.table('curve', {
      factor: Float64Array.from(curve, ({ factor }) => factor),
      value: Float64Array.from(curve, ({ value }) => value),
      spend: Float64Array.from(curve, ({ spend }) => spend),
    });
    for (const chart of station.charts) await folder.picture('landscape', chart);
    await folder.report(station);
  });
}

function print(
  { settings, opened, advertiser, name, solved, answer, seconds }: Answer,
  { out, files }: { out: string | undefined; files: readonly string[] },
  context: CliContext,
): void {
  const { stdout, env } = context;
  const { bold, dim } = colorsFor(stdout, env);
  const { now, best } = answer;
  const target = opened.market.targets?.[advertiser] ?? 1;
  stdout.write(`${bold(`${name}: ${worldText(settings)}, others frozen at ${solved.how}`)}\n`);
  stdout.write(`${dim(`${opened.source} · segments: ${opened.segmentedBy} · ${seconds.toFixed(1)} s`)}\n\n`);
  const right = { align: 'right' as const };
  printTable(
    context,
    [{ title: '' }, ...['value', 'spend', 'ROAS'].map((title) => ({ title, ...right }))],
    [
      ['now', now.value, now.spend, roasText((target * now.value) / now.spend)],
      ['best response', best.value, best.spend, roasText((target * best.value) / best.spend)],
    ],
  );
  stdout.write('\n');
  printTable(
    context,
    [
      { title: 'segment', ...right },
      { title: 'multiplier', ...right },
    ],
    Array.from(best.multipliers, (multiplier, k) => [k, Number.isNaN(multiplier) ? '–' : multiplier]),
  );
  stdout.write('\n');
  printFields(context, [
    ['gain', signedPercent(best.value / now.value - 1)],
    [
      'no bids give more than',
      `${shortNumber(best.upperBound)}: this is within ${percent(best.upperBound / best.value - 1)} of the best`,
    ],
    ['target', best.unconstrained ? 'does not bind' : `binds, λ = ${shortNumber(best.multiplierOfTarget)}`],
  ]);
  if (out !== undefined) stdout.write(`\n→ ${out}: ${files.join(', ')}\n`);
}

function stationOf({ settings, opened, name, solved, answer, command, seconds }: Answer): Station {
  const { now, best, curve } = answer;
  const line = (of: 'value' | 'spend') => curve.map((point) => ({ x: point.factor, y: point[of] }));
  const chart: Chart = {
    kind: 'line',
    title: `What ${name} gets as it scales all of its bids`,
    description: `Others frozen. Its target is met where spend is below value. Best response in ${settings.segments} segments: value ${shortNumber(best.value)} for ${shortNumber(best.spend)}.`,
    x: { label: 'factor on all multipliers', scale: 'log' },
    y: { label: 'money', include: [0] },
    series: [
      { name: 'value', points: line('value') },
      { name: 'spend', points: line('spend') },
      {
        name: 'value of the best response',
        role: 'reference',
        points: [curve[0], curve[curve.length - 1]].map(({ factor }) => ({ x: factor, y: best.value })),
      },
    ],
  };
  return {
    id: 'best-response',
    title: `${name}: ${worldText(settings)}`,
    question: `What should ${name} bid, if nobody else moved?`,
    answer: `Its best response has value ${shortNumber(best.value)} for ${shortNumber(best.spend)}; it has ${shortNumber(now.value)} for ${shortNumber(now.spend)} now.`,
    input: `${opened.source}, others frozen at ${solved.how}`,
    figures: [
      { label: 'Gain', value: signedPercent(best.value / now.value - 1) },
      { label: 'At most', value: shortNumber(best.upperBound), note: 'no bids give more' },
    ],
    charts: [chart],
    tables: [
      {
        caption: 'Multipliers of the best response',
        table: {
          columns: ['segment', 'multiplier'],
          rows: Array.from(best.multipliers, (multiplier, k) => [k, shortNumber(multiplier)]),
        },
      },
    ],
    certificates: [],
    repeat: { command, seed: settings.seed },
    seconds,
  };
}
