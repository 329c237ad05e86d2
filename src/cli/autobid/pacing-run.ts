// What `provably autobid pacing` does: gather budgets, solve the programme, write, tell.

import {
  type Bidder,
  equilibriumGap,
  type FirstPricePacing,
  firstPricePacing,
  profileBids,
  runAuctions,
  type Setting,
} from '../../autobidding/index.ts';
import { type Certified, shortNumber } from '../../core/certificate.ts';
import { compensatedSum } from '../../core/sums.ts';
import type { Chart, Station } from '../../report/index.ts';
import { type CliContext, colorsFor } from '../context.ts';
import { UsageError } from '../failure.ts';
import { printCertificate, printFields, printJson, printTable } from '../output.ts';
import { showProgress } from '../progress.ts';
import { type CommonFlags, repeatCommand } from './flags.ts';
import { advertiserNamed, namesOf, type OpenedMarket, openMarket } from './open-market.ts';
import { writeFolder } from './out-folder.ts';
import { pacingPlaces } from './pacing.ts';
import { pacingSchema } from './schema.ts';
import { configText, loadSettings, printConfig } from './settings.ts';
import type { PacingSettings } from './settings-types.ts';
import { savedProfileOf } from './sources.ts';
import { percent } from './words.ts';

interface Paced {
  settings: PacingSettings;
  opened: OpenedMarket;
  /** Infinity where there is none. */
  budgets: Float64Array;
  result: Certified<FirstPricePacing>;
  /** Whether each advertiser bids less than its value because of its budget. */
  limited: readonly boolean[];
  /** Auctions whose slot is shared. */
  shared: number;
  warnings: readonly string[];
  command: string;
  seconds: number;
}

/** Multipliers are told from 1, and shares from 0 and 1, by more than this. */
const TOLERANCE = 1e-7;

export async function runPacing(
  flags: CommonFlags & { log?: string | undefined },
  context: CliContext,
): Promise<void> {
  const start = performance.now();
  const { config, json, out } = flags;
  const settings = await loadSettings(pacingSchema, { config, flags, places: pacingPlaces });
  settings.market.discounts ??= [1];
  if (flags.printConfig) return printConfig(context, settings, json);
  const opened = await openMarket(settings, context.signal);
  const budgets = budgetsOf(opened, settings);
  const result = await compute(opened, budgets, json, context);
  const paced: Paced = {
    ...{ settings, opened, budgets, result, warnings: warningsOf(opened, budgets) },
    limited: Array.from(result.value.multipliers, (multiplier) => multiplier < 1 - TOLERANCE),
    shared: sharedAuctions(opened, result.value),
    command: repeatCommand('pacing', listed(flags), flags.log),
    seconds: (performance.now() - start) / 1000,
  };
  const record = recordOf(paced);
  const files = out === undefined ? [] : await write(paced, record, { ...flags, out }, context);
  if (json) printJson(context, out === undefined ? record : { ...record, out: { folder: out, files } });
  else print(paced, { out, files }, context);
}

/** Budgets as they are written on the command line. */
function listed<Flags extends object>(flags: Flags): Flags {
  const { budget } = flags as { budget?: Record<string, number> };
  return { ...flags, budget: budget && Object.entries(budget).map((pair) => pair.join('=')) };
}

/** Those of settings by name, else of the log and `bidders`, else of all; Infinity for none. */
function budgetsOf({ market, bidders }: OpenedMarket, { budgets: asked }: PacingSettings): Float64Array {
  const { all = Number.POSITIVE_INFINITY, ...named } = asked;
  const names = namesOf({ market });
  const budgets = Float64Array.from(names, (name, i) => {
    const bidder: Bidder = bidders?.[i] ?? { kind: 'value' };
    if (bidder.kind === 'fixed' || bidder.kind === 'manual') {
      throw new UsageError(
        `advertiser "${name}" is a ${bidder.kind} bidder; expected bidders that pace: value or utility.`,
      );
    }
    return bidder.budget ?? all;
  });
  for (const [name, money] of Object.entries(named)) budgets[advertiserNamed(market, name)] = money;
  const without = budgets.findIndex((budget) => !(budget > 0));
  if (without >= 0) {
    throw new UsageError(
      `advertiser "${names[without]}" has a budget of ${budgets[without]}; expected more than 0. Leave its rows out of the log, or give it one: --budget ${names[without]}=….`,
    );
  }
  return budgets;
}

function warningsOf({ reserve = 0, owners }: OpenedMarket, budgets: Float64Array): string[] {
  return [
    ...(budgets.some((budget) => budget < Infinity)
      ? []
      : ['nobody has a budget, so everybody bids its value: give some with --budget']),
    ...(reserve > 0 ? [`the log's reserve of ${reserve} is not counted: pacing equilibria know none`] : []),
    ...(owners ? ['owners are not counted: pacing equilibria know none'] : []),
  ];
}

async function compute(
  { market }: OpenedMarket,
  budgets: Float64Array,
  json: boolean,
  context: CliContext,
): Promise<Certified<FirstPricePacing>> {
  using progress = showProgress(context, { quiet: json && context.stderr.isTTY !== true });
  return await firstPricePacing(market, budgets, { signal: context.signal, onProgress: progress.report });
}

function sharedAuctions({ market }: OpenedMarket, { shares }: FirstPricePacing): number {
  let shared = 0;
  for (let j = 0; j < market.auctions; j++) {
    const own = shares.subarray(market.offsets[j], market.offsets[j + 1]);
    if (own.some((share) => share > TOLERANCE && share < 1 - TOLERANCE)) shared++;
  }
  return shared;
}

function recordOf({ settings, opened, budgets, result, limited, shared, warnings, command, seconds }: Paced) {
  const { market, source, report, record } = opened;
  const { value, certificate } = result;
  const { multipliers, prices, spend, profit, gap, iterations } = value;
  return {
    system: 'autobid pacing',
    input: {
      ...{ source, auctions: market.auctions, advertisers: market.advertisers },
      ...{ dropped: report?.dropped ?? [], generator: record ?? null },
    },
    value: {
      advertisers: namesOf(opened).map((name, i) => ({
        ...{ name, multiplier: multipliers[i], value: value.value[i], spend: spend[i] },
        ...{ budget: budgets[i] < Infinity ? budgets[i] : null, limited: limited[i] },
      })),
      ...{ prices, profit, gap, iterations, warnings },
    },
    certificate,
    seconds,
    figures: {
      ...{ profit, value: compensatedSum(value.value), limited: limited.filter(Boolean).length, shared },
      ...{ gap, multiplierError: certificate.bound.value },
    },
    recipe: { command, seed: settings.seed, settings },
  };
}

async function write(
  paced: Paced,
  record: object,
  { out, tables, pictures }: CommonFlags & { out: string },
  context: CliContext,
): Promise<string[]> {
  const { settings, opened, budgets, result, limited, shared } = paced;
  const { market, auctionIds } = opened;
  const { multipliers, prices, shares, spend, value } = result.value;
  const names = namesOf(opened);
  const auctionOf = new Uint32Array(shares.length);
  for (let j = 0; j < market.auctions; j++) auctionOf.fill(j, market.offsets[j], market.offsets[j + 1]);
  const idOf = (j: number): string => String(auctionIds?.[j] ?? j);
  const winners = Uint32Array.from(shares.keys()).filter((e) => shares[e] > 0);
  const station = stationOf(paced);
  return await writeFolder(out, { tables, pictures }, context, async (folder) => {
    await folder.json('result', record);
    await folder.text('settings.yaml', configText(settings));
    await folder.table('advertisers', {
      ...{ advertiser: names, multiplier: multipliers, value, spend, budget: budgets, limited },
    });
    await folder.table('prices', { auction: Array.from(prices, (_, j) => idOf(j)), price: prices });
    await folder.table('winners', {
      auction: Array.from(winners, (e) => idOf(auctionOf[e])),
      advertiser: Array.from(winners, (e) => names[market.advertiserOf[e]]),
      share: Float64Array.from(winners, (e) => shares[e]),
      payment: Float64Array.from(winners, (e) => shares[e] * prices[auctionOf[e]]),
    });
    // A profile of multipliers cannot say how ties are shared.
    if (shared === 0) await folder.json('profile', await profileOf(paced, context.signal));
    for (const chart of station.charts) await folder.picture('multipliers', chart);
    await folder.report(station);
  });
}

async function profileOf({ settings, opened, budgets, result }: Paced, signal: AbortSignal): Promise<object> {
  const { market, bidders } = opened;
  const setting: Setting = {
    market,
    buckets: opened.segments(1),
    rules: { format: 'fpa' },
    bidders: Array.from(budgets, (budget, i) => ({
      kind: bidders?.[i].kind === 'utility' ? ('utility' as const) : ('value' as const),
      ...(budget < Infinity ? { budget } : {}),
    })),
  };
  const { multipliers } = result.value;
  const outcome = await runAuctions(setting, { bids: profileBids(setting, multipliers) }, { signal });
  const gap = await equilibriumGap(setting, multipliers, { signal });
  const recipe = { market: settings.market, segments: 1, seed: settings.seed };
  return await savedProfileOf(setting, multipliers, { outcome, gap }, opened, recipe);
}

function print(
  { opened, budgets, result, limited, shared, warnings, seconds }: Paced,
  { out, files }: { out: string | undefined; files: readonly string[] },
  context: CliContext,
): void {
  const { stdout, env } = context;
  const { bold, dim, yellow } = colorsFor(stdout, env);
  const { market, source } = opened;
  const { multipliers, prices, spend, value, profit } = result.value;
  const sorted = prices.toSorted();
  const most = mostProfit(opened);
  stdout.write(`${bold('first-price pacing equilibrium')}\n`);
  stdout.write(
    `${dim(`${source}: ${market.auctions} auctions, ${market.advertisers} advertisers · ${seconds.toFixed(1)} s`)}\n\n`,
  );
  printFields(context, [
    ['profit', `${shortNumber(profit)}, ${percent(profit / most)} of what it were without budgets`],
    [
      'prices',
      `${shortNumber(sorted[0])} … ${shortNumber(sorted[sorted.length - 1])}, median ${shortNumber(sorted[sorted.length >> 1])}`,
    ],
    ['limited by budget', `${limited.filter(Boolean).length} of ${market.advertisers}`],
    ['slots shared in ties', shared],
  ]);
  stdout.write('\n');
  const right = { align: 'right' as const };
  printTable(
    context,
    [
      { title: 'advertiser' },
      ...['multiplier', 'value', 'spend', 'budget'].map((title) => ({ title, ...right })),
      { title: 'limited' },
    ],
    namesOf(opened).map((name, i) => [
      ...[name, Number.isNaN(multipliers[i]) ? '–' : multipliers[i], value[i], spend[i]],
      ...[budgets[i] < Infinity ? budgets[i] : '–', limited[i] ? 'yes' : ''],
    ]),
  );
  for (const warning of warnings) stdout.write(`${yellow('warning')} ${warning}\n`);
  stdout.write('\n');
  printCertificate(context, result.certificate);
  if (out !== undefined) stdout.write(`\n→ ${out}: ${files.join(', ')}\n`);
}

/** Σ of the highest values: what first price earns without budgets. */
function mostProfit({ market }: OpenedMarket): number {
  const { offsets, values, discounts } = market;
  return compensatedSum(
    Float64Array.from({ length: market.auctions }, (_, j) =>
      values
        .subarray(offsets[j], offsets[j + 1])
        .reduce((most, value) => Math.max(most, discounts[0] * value), 0),
    ),
  );
}

function stationOf({ settings, opened, result, limited, command, seconds }: Paced): Station {
  const { value, certificate } = result;
  const held = limited.filter(Boolean).length;
  const bars = namesOf(opened)
    .map((label, i) => ({ label, value: value.multipliers[i], emphasis: limited[i] }))
    .filter((bar) => !Number.isNaN(bar.value))
    .toSorted((a, b) => a.value - b.value)
    .slice(0, 30);
  const chart: Chart = {
    kind: 'bars',
    title: 'Multipliers of the pacing equilibrium',
    description: `Bids are multiplier · value; below 1 where a budget binds. The ${bars.length} smallest of ${opened.market.advertisers}.`,
    value: { label: 'multiplier', include: [0, 1] },
    bars,
  };
  return {
    id: 'pacing',
    title: 'First price under budgets',
    question: 'How far do budgets hold bids down?',
    answer: `${held} of ${opened.market.advertisers} advertisers are limited by their budgets; profit is ${shortNumber(value.profit)}.`,
    input: `${opened.source}: ${opened.market.auctions} auctions, ${opened.market.advertisers} advertisers`,
    figures: [
      { label: 'Profit', value: shortNumber(value.profit) },
      { label: 'Limited', value: String(held) },
    ],
    charts: bars.length > 0 ? [chart] : [],
    tables: [],
    certificates: [{ title: 'The equilibrium', value: 'multipliers', certificate }],
    repeat: { command, seed: settings.seed },
    seconds,
  };
}
