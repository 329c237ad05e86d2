// What `provably autobid frontier` does: an equilibrium for each policy and level, the bound beside it.

import {
  type FrontierCurve,
  type FrontierPoint,
  findEquilibrium,
  frontier,
  type Setting,
} from '../../autobidding/index.ts';
import type { Certificate } from '../../core/certificate.ts';
import type { CliContext } from '../context.ts';
import { colorsFor } from '../context.ts';
import { UsageError } from '../failure.ts';
import { printCertificate, printJson, printTable } from '../output.ts';
import { showProgress } from '../progress.ts';
import { type CommonFlags, repeatCommand } from './flags.ts';
import { frontierPlaces } from './frontier.ts';
import { baseName, frontierStation, pointName, shareText } from './frontier-station.ts';
import { type OpenedMarket, openMarket } from './open-market.ts';
import { writeFolder } from './out-folder.ts';
import { frontierSchema } from './schema.ts';
import { configText, loadSettings, printConfig } from './settings.ts';
import type { FrontierSettings } from './settings-types.ts';
import { searchOf, settingOf } from './sources.ts';
import { percent, worldText } from './words.ts';

/** Everything that is told of a frontier. */
export interface FrontierOutcome {
  settings: FrontierSettings;
  opened: OpenedMarket;
  /** The first is without any policy. */
  points: readonly FrontierPoint[];
  /** Of the point that is furthest from rest. */
  certificate: Certificate;
  command: string;
  seconds: number;
}

export async function runFrontier(
  flags: CommonFlags & { log?: string | undefined },
  context: CliContext,
): Promise<void> {
  const start = performance.now();
  const { config, json, out } = flags;
  const settings = await loadSettings(frontierSchema, { config, flags, places: frontierPlaces });
  if (flags.printConfig) return printConfig(context, settings, json);
  const opened = await openMarket(settings, context.signal);
  const setting = settingOf(opened, settings, settings);
  const curves = curvesOf(settings, settings.reserve ?? opened.reserve ?? 0);
  const points = await compute(setting, curves, settings, json, context);
  const outcome: FrontierOutcome = {
    ...{ settings, opened, points, certificate: worstCertificate(points) },
    command: repeatCommand('frontier', flags, flags.log),
    seconds: (performance.now() - start) / 1000,
  };
  const record = recordOf(outcome);
  const files = out === undefined ? [] : await write(outcome, record, { ...flags, out }, context);
  if (json) printJson(context, out === undefined ? record : { ...record, out: { folder: out, files } });
  else print(outcome, { out, files }, context);
}

/** No policy at all, then each policy at its levels: level 0 is what is there already, unless a reserve is. */
function curvesOf({ policies, levels, reserves }: FrontierSettings, reserve: number): FrontierCurve[] {
  const asked = policies ?? [
    ...(reserves ? (['reserve'] as const) : []),
    ...(['relative-reserve', 'additive-boost', 'multiplicative-boost'] as const),
  ];
  if (asked.includes('reserve') && reserves === undefined) {
    throw new UsageError('the policy reserve needs --reserves, in money, e.g. --reserves 0.1,0.2.');
  }
  return [
    { policy: 'additive-boost', levels: [0] },
    ...asked.map((policy) => ({
      policy,
      levels: (policy === 'reserve' ? (reserves ?? []) : levels).filter(
        (level) => level > 0 || (reserve > 0 && policy.endsWith('reserve')),
      ),
    })),
  ];
}

async function compute(
  setting: Setting,
  curves: readonly FrontierCurve[],
  { search, seed }: FrontierSettings,
  json: boolean,
  context: CliContext,
): Promise<FrontierPoint[]> {
  using progress = showProgress(context, { quiet: json && context.stderr.isTTY !== true });
  const { signal } = context;
  const total = curves.reduce((sum, { levels }) => sum + levels.length, 0);
  let found = 0;
  return await frontier(setting, {
    ...{ curves, signal },
    async find(changed, run) {
      const point = await findEquilibrium(changed, {
        ...{ ...searchOf(search), seed, ...run },
        onProgress: (now) =>
          progress.report({ phase: 'points', done: found + now.done / Math.max(1, now.total), total }),
      });
      found++;
      return point;
    },
  });
}

function worstCertificate(points: readonly FrontierPoint[]): Certificate {
  const all = points.map(({ equilibrium }) => equilibrium.certificate);
  return all.reduce((a, b) => (b.bound.value > a.bound.value ? b : a));
}

function recordOf({ settings, opened, points, certificate, command, seconds }: FrontierOutcome) {
  const { market, source, report, record } = opened;
  const [base] = points;
  const most = points.reduce((a, b) => (b.profitShare > a.profitShare ? b : a));
  return {
    system: 'autobid frontier',
    input: {
      ...{ source, auctions: market.auctions, advertisers: market.advertisers },
      ...{ dropped: report?.dropped ?? [], generator: record ?? null },
    },
    value: {
      points: points.map(({ equilibrium, ...point }, at) => {
        const { outcome, gap, converged, profile } = equilibrium.value;
        const { meanRegretBound, maxRegretBound, maxOverspend } = gap;
        const { welfare, profit } = outcome;
        return {
          ...{ ...point, policy: at === 0 ? baseName : point.policy, welfare, profit },
          ...{ meanRegretBound, maxRegretBound, maxOverspend, converged, profile },
        };
      }),
    },
    certificate,
    seconds,
    figures: {
      ...{ points: points.length, efficient: points.filter(({ efficient }) => efficient).length },
      ...{ welfareShare: base.welfareShare, profitShare: base.profitShare },
      ...{
        mostWelfare: Math.max(...points.map((point) => point.welfareShare)),
        mostProfit: most.profitShare,
      },
      worstRegretBound: certificate.bound.value,
    },
    recipe: { command, seed: settings.seed, settings },
  };
}

async function write(
  outcome: FrontierOutcome,
  record: object,
  { out, tables, pictures }: CommonFlags & { out: string },
  context: CliContext,
): Promise<string[]> {
  const { settings, points } = outcome;
  const numbers = (of: (point: FrontierPoint) => number) => Float64Array.from(points, of);
  const station = frontierStation(outcome);
  return await writeFolder(out, { tables, pictures }, context, async (folder) => {
    await folder.json('result', record);
    await folder.text('settings.yaml', configText(settings));
    await folder.table('points', {
      policy: points.map(({ policy }, at) => (at === 0 ? baseName : policy)),
      level: numbers(({ level }) => level),
      welfare_share: numbers(({ welfareShare }) => welfareShare),
      profit_share: numbers(({ profitShare }) => profitShare),
      efficient: points.map(({ efficient }) => efficient),
      guaranteed_share: numbers(({ guarantee }) => guarantee.share),
      guaranteed_share_undominated: numbers(({ guarantee }) => guarantee.undominatedShare),
      regret_bound: numbers(({ equilibrium }) => equilibrium.value.gap.meanRegretBound),
    });
    for (const [i, chart] of station.charts.entries()) {
      await folder.picture(i === 0 ? 'frontier' : 'guarantee', chart);
    }
    await folder.report(station);
  });
}

function print(
  { settings, opened, points, certificate, seconds }: FrontierOutcome,
  { out, files }: { out: string | undefined; files: readonly string[] },
  context: CliContext,
): void {
  const { stdout, env } = context;
  const { bold, dim, yellow } = colorsFor(stdout, env);
  const { market, source } = opened;
  stdout.write(`${bold(`${worldText(settings)}: profit against welfare`)}\n`);
  stdout.write(
    `${dim(`${source}: ${market.auctions} auctions, ${market.advertisers} advertisers · ${seconds.toFixed(1)} s`)}\n\n`,
  );
  const right = { align: 'right' as const };
  const columns = ['welfare', 'profit', 'guaranteed', 'if undominated', 'regret ≤'];
  printTable(
    context,
    [{ title: 'policy' }, { title: 'efficient' }, ...columns.map((title) => ({ title, ...right }))],
    points.map((point, at) => [
      ...[pointName(point, at), point.efficient ? 'yes' : ''],
      ...[percent(point.welfareShare), percent(point.profitShare)],
      ...[shareText(point.guarantee.share), shareText(point.guarantee.undominatedShare)],
      percent(point.equilibrium.value.gap.meanRegretBound),
    ]),
  );
  stdout.write(
    '\nshares of the optimal welfare; guaranteed: no less welfare than this, from the bids as they are; if undominated: were nobody to bid below its value\n',
  );
  const short = points.filter(({ equilibrium }) => !equilibrium.value.converged).length;
  if (short > 0) {
    stdout.write(
      `${yellow('warning')} ${short} of ${points.length} points did not come within the tolerance of regret: smaller differences may be those of the search\n`,
    );
  }
  stdout.write('\nof the point furthest from rest:\n');
  printCertificate(context, certificate);
  if (out !== undefined) stdout.write(`\n→ ${out}: ${files.join(', ')}\n`);
}
