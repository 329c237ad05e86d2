// What `provably autobid best-response --learn-segments` does: merge segments for one advertiser, and say what that is worth.

import {
  type BucketExternality,
  bucketExternality,
  type HoldOut,
  holdOutBuckets,
  type LearnedBuckets,
  learnBuckets,
  type Outcome,
  profileBids,
  type Setting,
} from '../../autobidding/index.ts';
import { isMixed } from '../../autobidding/replay/mixed-draws.ts';
import { type Certified, shortNumber } from '../../core/certificate.ts';
import type { Progress } from '../../core/progress.ts';
import type { Chart, Station } from '../../report/index.ts';
import { type CliContext, colorsFor } from '../context.ts';
import { UsageError } from '../failure.ts';
import { printCertificate, printFields, printJson, printTable } from '../output.ts';
import { showProgress } from '../progress.ts';
import { type CommonFlags, repeatCommand } from './flags.ts';
import { advertiserNamed, namesOf, type OpenedMarket, openMarket } from './open-market.ts';
import { writeFolder } from './out-folder.ts';
import { configText } from './settings.ts';
import type { BestResponseSettings } from './settings-types.ts';
import { filledProfile, solveBids } from './solve-bids.ts';
import { settingOf } from './sources.ts';
import { percent, signedPercent, worldText } from './words.ts';

interface Learned {
  settings: BestResponseSettings;
  opened: OpenedMarket;
  name: string;
  /** What a bidder of this kind is after, of value and spend. */
  objective: (outcome: Outcome) => number;
  /** What the others bid. */
  how: string;
  learned: Certified<LearnedBuckets>;
  heldOut: HoldOut;
  others: BucketExternality;
  command: string;
  seconds: number;
}

export async function runLearnSegments(
  settings: BestResponseSettings & { learnSegments: number },
  flags: CommonFlags & { log?: string | undefined },
  context: CliContext,
): Promise<void> {
  const start = performance.now();
  const { learnSegments: count, segments, seed } = settings;
  if (count > segments) {
    throw new UsageError(
      `--learn-segments ${count} of ${segments} segments; expected at most as many as there are: learning merges them. Raise --segments.`,
    );
  }
  const { json, out } = flags;
  const opened = await openMarket(settings, context.signal);
  const name = settings.advertiser ?? namesOf(opened)[0];
  const advertiser = advertiserNamed(opened.market, name);
  // Without segments of its own: what is learned is compared with one multiplier, as all others have.
  const setting = settingOf(opened, { ...settings, segments: 1 }, settings);
  using progress = showProgress(context, { quiet: json && context.stderr.isTTY !== true });
  const run = { signal: context.signal, onProgress: (now: Progress) => progress.report(now) };
  const { how, bids } = await othersBids(setting, opened, settings, run);
  const groups = opened.segments(segments);
  const options = { count, groups, ...run };
  const learned = await learnBuckets(setting, bids, advertiser, options);
  const heldOut = await holdOutBuckets(setting, bids, advertiser, { ...options, seed });
  const others = await bucketExternality(setting, bids, advertiser, learned.value.buckets, run);
  progress.clear();
  const utility = opened.bidders?.[advertiser].kind === 'utility';
  const all: Learned = {
    ...{ settings, opened, name, how, learned, heldOut, others },
    objective: ({ value, spend }) => (utility ? value - spend : value),
    command: repeatCommand('best-response', flags, flags.log),
    seconds: (performance.now() - start) / 1000,
  };
  const record = recordOf(all);
  const files = out === undefined ? [] : await write(all, record, { ...flags, out }, context);
  if (json) printJson(context, out === undefined ? record : { ...record, out: { folder: out, files } });
  else print(all, { out, files }, context);
}

/** Bids of pure strategies: learning looks at one bid of each rival. */
async function othersBids(
  setting: Setting,
  opened: OpenedMarket,
  settings: BestResponseSettings,
  run: Parameters<typeof solveBids>[4],
): Promise<{ how: string; bids: Float64Array }> {
  const { how, profile, bids } = await solveBids(
    setting,
    settings.others,
    opened,
    { ...settings, mixed: 'never' },
    run,
  );
  if (bids) return { how, bids };
  if (isMixed(profile)) throw new TypeError('mixed strategies were not asked for');
  return { how, bids: profileBids(setting, filledProfile(profile, setting)) };
}

/** Learned against one multiplier: fitted, on the other auctions with the same multipliers, and there with the best ones. */
function gainsOf({ heldOut, objective }: Learned) {
  const gain = (of: 'fitted' | 'held' | 'refitted') =>
    objective(heldOut.learned[of]) / objective(heldOut.uniform[of]) - 1;
  return { fittedGain: gain('fitted'), heldOutGain: gain('held'), refittedGain: gain('refitted') };
}

function recordOf(all: Learned) {
  const { settings, opened, name, how, learned, heldOut, others, command, seconds } = all;
  const { market, source, segmentedBy, report, record } = opened;
  const { levels, bound, used, bucketOfGroup, response } = learned.value;
  return {
    system: 'autobid best-response',
    input: {
      ...{ source, auctions: market.auctions, advertisers: market.advertisers, segmentedBy },
      ...{ dropped: report?.dropped ?? [], generator: record ?? null },
    },
    value: {
      ...{ advertiser: name, others: how, levels, bound, used, segmentOf: bucketOfGroup, response },
      ...{ heldOut, effect: others },
    },
    certificate: learned.certificate,
    seconds,
    figures: {
      ...{ objectiveOne: levels[0], objectiveLearned: levels[levels.length - 1], upperBound: bound },
      ...gainsOf(all),
      ...{ othersValue: others.othersValue, othersSpend: others.othersSpend },
      ...{ welfareChange: others.welfare, profitChange: others.profit },
    },
    recipe: { command, seed: settings.seed, settings },
  };
}

async function write(
  all: Learned,
  record: object,
  { out, tables, pictures }: CommonFlags & { out: string },
  context: CliContext,
): Promise<string[]> {
  const { settings, learned, opened, others } = all;
  const { bucketOfGroup, response } = learned.value;
  const station = stationOf(all);
  return await writeFolder(out, { tables, pictures }, context, async (folder) => {
    await folder.json('result', record);
    await folder.text('settings.yaml', configText(settings));
    await folder.table('segments', {
      segment: Uint32Array.from(bucketOfGroup.keys()),
      learned: bucketOfGroup,
      multiplier: Float64Array.from(bucketOfGroup, (bucket) => response.multipliers[bucket]),
    });
    await folder.table('advertisers', {
      advertiser: namesOf(opened),
      ...{ value_before: others.before.value, value_after: others.after.value },
      ...{ spend_before: others.before.spend, spend_after: others.after.spend },
    });
    for (const chart of station.charts) await folder.picture('levels', chart);
    await folder.report(station);
  });
}

function print(
  all: Learned,
  { out, files }: { out: string | undefined; files: readonly string[] },
  context: CliContext,
): void {
  const { settings, opened, name, how, learned, heldOut, others, objective, seconds } = all;
  const { stdout, env } = context;
  const { bold, dim } = colorsFor(stdout, env);
  const { levels, bucketOfGroup, response, bound, used } = learned.value;
  stdout.write(`${bold(`${name}: ${worldText(settings)} merged into ${used}, others frozen at ${how}`)}\n`);
  stdout.write(`${dim(`${opened.source} · segments: ${opened.segmentedBy} · ${seconds.toFixed(1)} s`)}\n\n`);
  const right = { align: 'right' as const };
  printTable(
    context,
    [{ title: 'learned', ...right }, { title: 'multiplier', ...right }, { title: 'segments' }],
    Array.from({ length: used }, (_, bucket) => [
      ...[bucket, Number.isNaN(response.multipliers[bucket]) ? '–' : response.multipliers[bucket]],
      [...bucketOfGroup.keys()].filter((group) => bucketOfGroup[group] === bucket).join(', '),
    ]),
  );
  stdout.write('\n');
  const row = (title: string, of: 'fitted' | 'held' | 'refitted') => {
    const [before, after] = [heldOut.uniform[of], heldOut.learned[of]];
    const gain = signedPercent(objective(after) / objective(before) - 1);
    return [title, before.value, before.spend, after.value, after.spend, gain];
  };
  const [fittedOn, rest] = heldOut.auctions;
  printTable(
    context,
    [
      { title: '' },
      ...['value, one multiplier', 'spend', 'value, learned', 'spend', 'gain'].map((title) => ({
        title,
        ...right,
      })),
    ],
    [
      row(`fitted on ${fittedOn} auctions`, 'fitted'),
      row(`the same on ${rest} others`, 'held'),
      row('fitted there anew', 'refitted'),
    ],
  );
  stdout.write('\n');
  printFields(context, [
    [
      'on all auctions',
      `${shortNumber(levels[0])} with one, ${shortNumber(levels[levels.length - 1])} with ${used}, no merging more than ${shortNumber(bound)}`,
    ],
    ['target, held out', targetText(heldOut.learned.held)],
    ['the others', `value ${signed(others.othersValue)}, spend ${signed(others.othersSpend)}`],
    ['everybody', `welfare ${signed(others.welfare)}, profit ${signed(others.profit)}`],
  ]);
  stdout.write('\n');
  printCertificate(context, learned.certificate);
  if (out !== undefined) stdout.write(`\n→ ${out}: ${files.join(', ')}\n`);
}

/** Whether value still pays for what is spent. */
function targetText({ value, spend }: Outcome): string {
  return spend <= value ? 'kept' : `missed by ${percent(spend / value - 1)}: multipliers fitted elsewhere`;
}

function signed(money: number): string {
  return `${money < 0 ? '−' : '+'}${shortNumber(Math.abs(money))}`;
}

function stationOf(all: Learned): Station {
  const { settings, opened, name, how, learned, others, command, seconds } = all;
  const { levels, bound } = learned.value;
  const { fittedGain, heldOutGain } = gainsOf(all);
  const last = levels.length;
  const chart: Chart = {
    kind: 'line',
    title: `What ${name} gets with more segments`,
    description: `Best response with 1 … ${last} learned segments, the others frozen; no merging of the ${settings.segments} segments gives more than the bound.`,
    x: { label: 'learned segments' },
    y: { label: 'objective (money)' },
    series: [
      { name: 'learned', points: Array.from(levels, (y, k) => ({ x: k + 1, y })) },
      {
        name: 'bound',
        role: 'bound',
        points: [
          { x: 1, y: bound },
          { x: last, y: bound },
        ],
      },
    ],
  };
  return {
    id: 'learn-segments',
    title: `${name}: segments learned for it`,
    question: `Which ${settings.learnSegments} segments serve ${name} best, and what do they do to the others?`,
    answer: `They gain ${signedPercent(fittedGain)} where they were fitted and ${signedPercent(heldOutGain)} on other auctions; the others' value changes by ${signed(others.othersValue)}.`,
    input: `${opened.source}, others frozen at ${how}`,
    figures: [
      { label: 'Held-out gain', value: signedPercent(heldOutGain) },
      { label: "Others' value", value: signed(others.othersValue) },
    ],
    charts: [chart],
    tables: [],
    certificates: [{ title: 'The learned segments', value: name, certificate: learned.certificate }],
    repeat: { command, seed: settings.seed },
    seconds,
  };
}
