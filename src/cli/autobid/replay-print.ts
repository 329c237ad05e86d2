// A replay as text for the terminal.

import type { AdvertiserChange, AdvertiserVerdict, Change, ReplayedWorld } from '../../autobidding/index.ts';
import { shortNumber } from '../../core/certificate.ts';
import { type CliContext, type Colors, colorsFor } from '../context.ts';
import { printCertificate, printTable } from '../output.ts';
import type { ReplayOutcome } from './replay-run.ts';
import { changeText, percent, roasText, worldText } from './words.ts';

/** Advertisers of a kind that are listed; the folder has them all. */
const MOST_LISTED = 12;

export function printReplay(
  { settings, opened, result, seconds }: ReplayOutcome,
  { folder, files }: { folder: string | undefined; files: readonly string[] },
  context: CliContext,
): void {
  const { stdout, env } = context;
  const { bold, dim } = colorsFor(stdout, env);
  const { value, certificate } = result;
  const { market, report } = opened;
  stdout.write(`${bold(`${worldText(settings.from)} → ${worldText(settings.to)}`)}\n`);
  const dropped = report?.dropped.reduce((sum, { count }) => sum + count, 0) ?? 0;
  const segmented =
    settings.from.segments > 1 || settings.to.segments > 1 ? ` · segments: ${opened.segmentedBy}` : '';
  stdout.write(
    dim(
      `${opened.source}: ${market.auctions} auctions, ${market.advertisers} advertisers, ${market.values.length} entries` +
        `${dropped > 0 ? `, ${dropped} rows dropped` : ''}${segmented} · ${seconds.toFixed(1)} s`,
    ),
  );
  stdout.write('\n\n');
  printChanges(value, context);
  printAdvertisers(value.advertisers, context);
  stdout.write('\n');
  for (const [name, world] of [
    ['before', value.from],
    ['after', value.to],
  ] as const) {
    printWorld(name, world, context);
  }
  stdout.write(`\n${bold('the change of welfare')}\n`);
  printCertificate(context, certificate);
  if (folder !== undefined) stdout.write(`\n→ ${folder}: ${files.join(', ')}\n`);
}

function printChanges(
  { welfare, profit, efficiency }: ReplayOutcome['result']['value'],
  context: CliContext,
): void {
  const colors = colorsFor(context.stdout, context.env);
  const row = (name: string, change: Change, text: (x: number) => string) => [
    name,
    ...[text(change.before), text(change.after), ...changeText(change)],
    change.before === 0 ? '–' : percent(change.regret / change.before),
    verdictText(change, colors),
  ];
  const confidence = `${shortNumber(100 * welfare.interval.confidence)} % interval`;
  const right = { align: 'right' as const };
  printTable(
    context,
    [
      { title: '' },
      ...['before', 'after', 'change', confidence, 'regret'].map((title) => ({ title, ...right })),
      { title: 'verdict' },
    ],
    [
      row('welfare', welfare, shortNumber),
      row('profit', profit, shortNumber),
      row('welfare ÷ optimum', efficiency, percent),
    ],
  );
}

function verdictText({ verdict }: Change, { green, yellow }: Colors): string {
  return verdict === 'separated' ? green(verdict) : yellow(`not separated, ${verdict}`);
}

function printAdvertisers(advertisers: readonly AdvertiserChange[], context: CliContext): void {
  const { bold, dim } = colorsFor(context.stdout, context.env);
  const { stdout } = context;
  const of = (verdict: AdvertiserVerdict) =>
    advertisers
      .filter((one) => one.verdict === verdict)
      .toSorted((a, b) => Math.abs(b.gain) - Math.abs(a.gain));
  for (const [title, group] of [
    ['winners', of('wins')],
    ['losers', of('loses')],
  ] as const) {
    stdout.write(`\n${bold(`${group.length} ${title}`)}${group.length === 0 ? '\n' : ''}`);
    if (group.length === 0) continue;
    stdout.write('\n');
    printTable(
      context,
      [
        { title: 'advertiser' },
        ...['value before', 'after', 'change', 'interval', 'spend change', 'ROAS before', 'after'].map(
          (heading) => ({ title: heading, align: 'right' as const }),
        ),
      ],
      group
        .slice(0, MOST_LISTED)
        .map(({ name, value, spend, roas }) => [
          name,
          ...[shortNumber(value.before), shortNumber(value.after), ...changeText(value)],
          ...[changeText(spend)[0], roasText(roas[0]), roasText(roas[1])],
        ]),
    );
    if (group.length > MOST_LISTED) stdout.write(dim(`… and ${group.length - MOST_LISTED} more\n`));
  }
  const rest = of('not separated').length;
  if (rest > 0)
    stdout.write(
      dim(`\n${rest} ${rest === 1 ? 'advertiser' : 'advertisers'} not separated: no clear gain or loss\n`),
    );
}

function printWorld(name: string, { origin, certificate, gap }: ReplayedWorld, context: CliContext): void {
  const { bold } = colorsFor(context.stdout, context.env);
  const how = origin === 'recorded' ? 'bids as recorded' : origin;
  context.stdout.write(
    `${bold(name)}: ${how}; all advertisers together could gain ≤ ${percent(gap.meanRegretBound)} of their value by deviating, ` +
      `any one ≤ ${percent(gap.maxRegretBound)}; spend above value ≤ ${percent(gap.maxOverspend)}\n`,
  );
  if (certificate) printCertificate(context, certificate);
}
