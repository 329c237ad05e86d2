// What `provably autobid best-response --layout bat` does: bids of one campaign out of hourly statistics.

import {
  type BatCampaigns,
  type BatLandscape,
  type BatStatistics,
  type Bidder,
  batCampaign,
  batLandscape,
  bestResponse,
  outcomeAt,
  type Response,
} from '../../autobidding/index.ts';
import { shortNumber } from '../../core/certificate.ts';
import { openTable } from '../../data/index.ts';
import type { Chart, Station } from '../../report/index.ts';
import { type CliContext, colorsFor } from '../context.ts';
import { UsageError } from '../failure.ts';
import { printFields, printJson, printTable } from '../output.ts';
import { type CommonFlags, repeatCommand } from './flags.ts';
import { readNamedColumns } from './log-table.ts';
import { writeFolder } from './out-folder.ts';
import { configText } from './settings.ts';
import type { BestResponseSettings } from './settings-types.ts';
import { percent, signedPercent } from './words.ts';

interface BatAnswer {
  settings: BestResponseSettings;
  campaign: string;
  valuePerContact: number;
  budget: number | undefined;
  statistics: BatLandscape;
  /** One bid for the whole campaign, and one for each bucket of hours. */
  one: Response;
  best: Response;
  command: string;
  seconds: number;
}

const statisticsColumns = [
  ...['campaign_id', 'period', 'contact_price_bin'],
  ...['AuctionContactsSurplus', 'AuctionWinBidSurplus'],
];
const campaignColumns = ['campaign_id', 'auction_budget', 'campaign_start', 'campaign_end'];

export async function runBat(
  settings: BestResponseSettings,
  flags: CommonFlags & { log?: string | undefined },
  context: CliContext,
): Promise<void> {
  const start = performance.now();
  const { json, out } = flags;
  const { signal } = context;
  const { campaign, path, format, valuePerContact } = requireBat(settings);
  const { campaigns, hours } = settings.bat;
  const statistics = await readColumns<BatStatistics>(path, statisticsColumns, signal);
  const life =
    campaigns === undefined
      ? undefined
      : batCampaign(await readColumns<BatCampaigns>(campaigns, campaignColumns, signal), campaign);
  const bidder = bidderOf(settings, campaign, life?.budget);
  const landscape = (buckets: typeof hours): BatLandscape =>
    batLandscape(statistics, {
      ...{ campaign, format, valuePerContact, buckets, maxMultiplier: settings.maxMultiplier },
      ...{ from: life?.start, to: life?.end },
    });
  const found = landscape(hours);
  const answer: BatAnswer = {
    ...{ settings, campaign, valuePerContact, statistics: found },
    budget: 'budget' in bidder ? bidder.budget : undefined,
    one: bestResponse(landscape('campaign').landscape, bidder, { format }),
    best: bestResponse(found.landscape, bidder, { format }),
    command: repeatCommand('best-response', flags, flags.log),
    seconds: (performance.now() - start) / 1000,
  };
  const record = recordOf(answer);
  const files = out === undefined ? [] : await write(answer, record, { ...flags, out }, context);
  if (json) printJson(context, out === undefined ? record : { ...record, out: { folder: out, files } });
  else print(answer, { out, files }, context);
}

/** @throws {UsageError} what statistics cannot be read without is not said */
function requireBat({ market, advertiser, format, bat, learnSegments }: BestResponseSettings) {
  const { log } = market;
  if (log === undefined) throw new UsageError('--layout bat: which statistics? Give their file.');
  if (advertiser === undefined) {
    throw new UsageError('--layout bat: which campaign? Give its campaign_id with --advertiser.');
  }
  if (format === 'gsp') {
    throw new UsageError(
      '--layout bat: statistics of BAT are of first price or of VCG, as the file says. Give --format fpa or --format vcg.',
    );
  }
  if (bat.valuePerContact === undefined) {
    throw new UsageError('--layout bat: what may a contact cost on average? Give --value-per-contact.');
  }
  if (learnSegments !== undefined) {
    throw new UsageError('--learn-segments needs entries of auctions; expected none with --layout bat.');
  }
  return { path: log, campaign: advertiser, format, valuePerContact: bat.valuePerContact };
}

async function readColumns<Columns>(
  path: string,
  names: readonly string[],
  signal: AbortSignal,
): Promise<Columns> {
  await using table = await openTable(path, { signal, textColumns: ['campaign_id'] });
  return (await readNamedColumns(table, names, 'BAT')) as Columns;
}

function bidderOf({ bidders }: BestResponseSettings, campaign: string, budget: number | undefined): Bidder {
  const named = bidders.find(({ advertiser }) => advertiser === campaign);
  if (named === undefined) return { kind: 'value', budget };
  const { advertiser: _, ...bidder } = named;
  return bidder.kind === 'value' || bidder.kind === 'utility' ? { budget, ...bidder } : bidder;
}

function recordOf({
  settings,
  campaign,
  budget,
  statistics,
  one,
  best,
  command,
  seconds,
  ...more
}: BatAnswer) {
  const { labels, hours, rows, dropped } = statistics;
  const { valuePerContact } = more;
  return {
    system: 'autobid best-response',
    input: { source: settings.market.log, layout: 'bat', campaign, hours, rows, dropped },
    value: {
      ...{ advertiser: campaign, budget: budget ?? null, labels, one, best },
      bids: best.multipliers.map((multiplier) => multiplier * valuePerContact),
    },
    seconds,
    figures: {
      ...{ valueOne: one.value, spendOne: one.spend, valueBest: best.value, spendBest: best.spend },
      ...{ contactsOne: one.value / valuePerContact, contactsBest: best.value / valuePerContact },
      ...{ upperBound: best.upperBound, gain: best.value / one.value - 1 },
    },
    recipe: { command, seed: settings.seed, settings },
  };
}

async function write(
  answer: BatAnswer,
  record: object,
  { out, tables, pictures }: CommonFlags & { out: string },
  context: CliContext,
): Promise<string[]> {
  const { settings, statistics, best, valuePerContact } = answer;
  const station = stationOf(answer);
  return await writeFolder(out, { tables, pictures }, context, async (folder) => {
    await folder.json('result', record);
    await folder.text('settings.yaml', configText(settings));
    await folder.table('bids', {
      hours: statistics.labels.map((label) => hoursText(label, settings)),
      multiplier: best.multipliers,
      bid: best.multipliers.map((multiplier) => multiplier * valuePerContact),
    });
    for (const chart of station.charts) await folder.picture('landscape', chart);
    await folder.report(station);
  });
}

/** "campaign", "07:00" of every day, or an hour of one, UTC. */
function hoursText(label: string | number, { bat }: BestResponseSettings): string {
  if (typeof label === 'string') return label;
  if (bat.hours === 'hour-of-day') return `${String(label).padStart(2, '0')}:00`;
  return new Date(1000 * label).toISOString().replace(':00.000Z', 'Z');
}

/** Buckets printed; the rest is in the folder. */
const MOST_PRINTED = 24;

function print(
  { settings, campaign, valuePerContact, budget, statistics, one, best, seconds }: BatAnswer,
  { out, files }: { out: string | undefined; files: readonly string[] },
  context: CliContext,
): void {
  const { stdout, env } = context;
  const { bold, dim } = colorsFor(stdout, env);
  const { labels, hours, dropped } = statistics;
  stdout.write(`${bold(`campaign ${campaign}, ${settings.format}, others frozen`)}\n`);
  stdout.write(`${dim(`${settings.market.log}: ${hours} hours · ${seconds.toFixed(1)} s`)}\n\n`);
  const right = { align: 'right' as const };
  const row = (title: string, { value, spend }: Response) => {
    const contacts = value / valuePerContact;
    return [title, contacts, spend, contacts > 0 ? spend / contacts : '–'];
  };
  printTable(
    context,
    [{ title: '' }, ...['contacts', 'spend', 'cost a contact'].map((title) => ({ title, ...right }))],
    [row('one bid', one), row(`by ${settings.bat.hours}`, best)],
  );
  stdout.write('\n');
  printTable(
    context,
    [{ title: settings.bat.hours }, ...['bid', 'multiplier'].map((title) => ({ title, ...right }))],
    labels
      .slice(0, MOST_PRINTED)
      .map((label, k) => [
        hoursText(label, settings),
        best.multipliers[k] * valuePerContact,
        best.multipliers[k],
      ]),
  );
  if (labels.length > MOST_PRINTED) {
    stdout.write(`… and ${labels.length - MOST_PRINTED} more: --out has all of them\n`);
  }
  stdout.write('\n');
  printFields(context, [
    ['gain', signedPercent(best.value / one.value - 1)],
    [
      'no bids give more than',
      `${shortNumber(best.upperBound / valuePerContact)} contacts: this is within ${percent(best.upperBound / best.value - 1)} of the best`,
    ],
    [
      'budget',
      budget === undefined ? 'none' : `${shortNumber(budget)}, ${percent(best.spend / budget)} spent`,
    ],
    [
      'rows left out',
      dropped.length === 0 ? 'none' : dropped.map(({ count, reason }) => `${count} × ${reason}`).join(', '),
    ],
  ]);
  if (out !== undefined) stdout.write(`\n→ ${out}: ${files.join(', ')}\n`);
}

function stationOf({
  settings,
  campaign,
  valuePerContact,
  statistics,
  one,
  best,
  command,
  seconds,
}: BatAnswer): Station {
  const { landscape, hours } = statistics;
  const format = settings.format;
  const points = Array.from({ length: 41 }, (_, x) => {
    const factor = 2 ** ((x - 20) / 20);
    return {
      factor,
      ...outcomeAt(
        landscape,
        best.multipliers.map((one) => factor * one),
        format,
      ),
    };
  });
  const line = (of: 'value' | 'spend') => points.map((point) => ({ x: point.factor, y: point[of] }));
  const chart: Chart = {
    kind: 'line',
    title: `What campaign ${campaign} gets as it scales its best bids`,
    description: `Others frozen. Value is contacts · ${shortNumber(valuePerContact)}; the target is met where spend is below it.`,
    x: { label: 'factor on all bids', scale: 'log' },
    y: { label: 'money', include: [0] },
    series: [
      { name: 'value', points: line('value') },
      { name: 'spend', points: line('spend') },
    ],
  };
  const gain = signedPercent(best.value / one.value - 1);
  return {
    id: 'best-response',
    title: `Campaign ${campaign}, ${format}`,
    question: `What should campaign ${campaign} bid in which hours?`,
    answer: `Bids by ${settings.bat.hours} have ${shortNumber(best.value / valuePerContact)} contacts for ${shortNumber(best.spend)}: ${gain} against one bid throughout.`,
    input: `${settings.market.log}: ${hours} hours of statistics`,
    figures: [
      { label: 'Gain', value: gain },
      { label: 'Contacts', value: shortNumber(best.value / valuePerContact) },
    ],
    charts: [chart],
    tables: [],
    certificates: [],
    repeat: { command, seed: settings.seed },
    seconds,
  };
}
