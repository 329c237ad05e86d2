// `provably autobid`, as processes where a process matters: on a log written from the generator.

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { optimalWelfare, provablyGenerator } from '../src/autobidding/index.ts';
import { openTable } from '../src/data/index.ts';
import { parseCsv } from './cli-fixtures.ts';
import { interruptAtWork, runCli, runInProcess } from './run-cli.ts';

// One thread: workers take longer to start than these markets to solve.
process.env.PROVABLY_THREADS = '1';
const cwd = mkdtempSync(join(tmpdir(), 'provably-autobid-'));
after(() => rmSync(cwd, { recursive: true }));
const at = (file: string): string => join(cwd, file);
const read = (file: string): string => readFileSync(at(file), 'utf8');

const { market, topicOf } = provablyGenerator({ advertisers: 6, auctions: 250, participants: 4, seed: 3 });
const optimum = optimalWelfare(market);

/** A row an entry: bids 0.8 of values, and none in every tenth row. */
function logRows(): string[] {
  const rows: string[] = [];
  for (let j = 0; j < market.auctions; j++) {
    for (let e = market.offsets[j]; e < market.offsets[j + 1]; e++) {
      const bid = rows.length % 10 === 0 ? '' : 0.8 * market.values[e];
      rows.push(`q-${j},adv-${market.advertiserOf[e]},${market.values[e]},${bid},t${topicOf[j]},d${j % 9}`);
    }
  }
  return rows;
}

/** Value of entry e where everybody bids its value and nobody below a reserve. */
function sold(e: number, reserve: number): number {
  const value = market.values[e];
  if (value < reserve) return 0;
  const j = market.offsets.findLastIndex((offset) => offset <= e);
  const better = market.values.subarray(market.offsets[j], market.offsets[j + 1]).filter((v) => v > value);
  return value * (market.discounts[better.length] ?? 0);
}

const head = 'auction_id,advertiser_id,value,bid,topic,day';
writeFileSync(at('auctions.csv'), `${head}\n${logRows().join('\n')}\n`);

interface Printed {
  input: Record<string, unknown>;
  value: Record<string, never> & {
    advertisers: { name: string; verdict: string; value: { before: number } }[];
    from: { origin: string };
    to: { origin: string; gap: { meanRegretBound: number } };
    bootstrap: object;
    reused: number;
    verdict: string;
  };
  certificate: { bound: { value: number } };
  figures: Record<string, number>;
  recipe: { command: string };
  out: { files: string[] };
}

/** Runs a subcommand here and parses what it prints. */
async function autobid(...words: string[]): Promise<Printed> {
  const { code, stdout, stderr } = await runInProcess(['autobid', ...words, '--json']);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

const slots = ['--discounts', '1,0.7,0.5,0.35'];
const quick = ['--iterations', '10', '--rounds', '5'];

describe('provably autobid', () => {
  it('shows an example for each subcommand', async () => {
    for (const name of [
      'replay',
      'import',
      'simulate',
      'best-response',
      'frontier',
      'pacing',
      'sweep',
      'verify',
    ]) {
      const { code, stdout } = await runInProcess(['autobid', name, '--help']);
      assert.equal(code, 0);
      assert.match(stdout, new RegExp(`Examples?:\\n {2}\\$ provably autobid ${name} `));
      assert.match(stdout, /--json/);
    }
  });
});

describe('provably autobid replay', () => {
  const whatIf = ['replay', 'auctions.csv', '--from', 'gsp', '--to', 'fpa', '--segments', '8'];

  it('answers the whole question in one command, and verify accepts what it saved', async () => {
    const words = [...whatIf, '--segment-by', 'topic', ...slots, ...quick, '--baseline', 'equilibrium'];
    const { code, stdout, stderr } = await runCli(['autobid', ...words, '--out', 'what-if'], { cwd });
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^GSP, 1 segment → first price, 8 segments$/m);
    assert.match(stdout, /^welfare +[\d.]+ +[\d.]+ +[+−][\d.]+ % .*(separated|within)/m);
    assert.match(stdout, /^profit /m);
    assert.match(stdout, /^\d+ winners$/m);
    assert.match(stdout, /^\d+ losers$/m);
    assert.match(stdout, /before: equilibrium; .*≤ [\d.]+ % of their value/);
    assert.match(stdout, /certificate the change of welfare/);
    for (const file of [
      'result.json',
      'settings.yaml',
      'advertisers.parquet',
      'changes.svg',
      'report.html',
    ]) {
      assert.ok(existsSync(at(`what-if/${file}`)), file);
    }
    assert.match(read('what-if/report.html'), /<svg /);
    await using table = await openTable(at('what-if/advertisers.parquet'));
    const result: Printed = JSON.parse(read('what-if/result.json'));
    const before = await table.readNumbers('value_before');
    assert.deepEqual(
      [...before],
      result.value.advertisers.map(({ value }) => value.before),
    );
    const sum = before.reduce((total, value) => total + value, 0);
    assert.ok(Math.abs(sum / result.figures.welfareBefore - 1) < 1e-9);
    assert.ok(result.figures.welfareBefore < optimum);
    assert.match(result.recipe.command, /^provably autobid replay auctions\.csv .*--segments 8/);
    assert.deepEqual(
      readdirSync(cwd).filter((name) => name.includes('partial')),
      [],
    );
    const checked = await runCli(['autobid', 'verify', 'what-if/before.profile.json'], { cwd });
    assert.equal(checked.code, 0, checked.stderr);
    assert.match(checked.stdout, /accepted, on auctions\.csv, gsp/);
  });

  it('starts from recorded bids if there are any, draws clusters, and repeats itself', async () => {
    const words = ['replay', at('auctions.csv'), ...slots, '--from', 'gsp', '--to', 'fpa', ...quick];
    const first = await autobid(...words, '--cluster-by', 'day', '--resamples', '100');
    assert.equal(first.value.from.origin, 'recorded');
    assert.deepEqual(first.value.bootstrap, {
      ...{ groups: 9, groupName: 'clusters', resamples: 100, multipliers: 'held' },
    });
    // First price with one multiplier: everybody bids its value, and the best takes every slot.
    assert.ok(Math.abs(first.figures.welfareAfter / optimum - 1) < 1e-9);
    assert.ok(Math.abs(first.figures.profitAfter / optimum - 1) < 1e-9);
    const again = await autobid(...words, '--cluster-by', 'day', '--resamples', '100');
    assert.deepEqual(again.value, first.value);
  });

  it('takes settings from a file, with flags above them, and prints those in effect', async () => {
    writeFileSync(
      at('study.yaml'),
      `market: { log: ${at('auctions.csv')}, discounts: [1, 0.5] }\nfrom: { format: vcg }\nto:\n  format: gsp\n  segments: 2\nseed: 4\n`,
    );
    const { code, stdout, stderr } = await runInProcess([
      'autobid',
      'replay',
      '--config',
      at('study.yaml'),
      '--to',
      'fpa',
      '--resolve',
      '6',
      '--print-config',
    ]);
    assert.equal(code, 0, stderr);
    writeFileSync(at('effective.yaml'), stdout);
    assert.match(stdout, /to:\n {2}format: fpa\n {2}ties: index\n {2}segments: 2/);
    assert.match(stdout, /resolve: 6/);
    const again = await runInProcess([
      'autobid',
      'replay',
      '--config',
      at('effective.yaml'),
      '--print-config',
    ]);
    assert.equal(again.stdout, stdout);
  });

  it('says what is wrong with settings, and where', async () => {
    const wrong: [text: string, message: RegExp][] = [
      [
        'from: { format: gsp }\nto:\n  formt: fpa\n',
        /bad\.yaml, line 3: "to\.formt" is not known; expected one of .*Did you mean "format"\?/,
      ],
      [
        'from: { format: gps }\nto: { format: fpa }\n',
        /line 1: "from\.format" is "gps"; expected one of fpa, gsp, vcg\. Did you mean "gsp"\?/,
      ],
      ['from: { format: gsp }\n', /"to" is missing/],
      [
        'from: { format: gsp }\nto: { format: fpa }\nbootstrap: { resolve: 3 }\n',
        /line 3: "bootstrap\.resolve" is 3; expected an integer ≥ 5, or 0/,
      ],
    ];
    for (const [text, message] of wrong) {
      writeFileSync(at('bad.yaml'), text);
      const { code, stderr } = await runInProcess(['autobid', 'replay', '--config', at('bad.yaml')]);
      assert.equal(code, 2, stderr);
      assert.match(stderr, message);
    }
  });

  it('exits with 2 for bad usage and 1 for what is not there', async () => {
    const log = at('auctions.csv');
    const calls: [code: number, words: string[], message: RegExp][] = [
      [2, ['replay', log, '--from', 'gsp', '--to', 'second'], /--to/],
      [2, ['replay', log, '--from', 'gsp', ...slots], /"to" is missing|--to/],
      [2, ['replay', '--from', 'gsp', '--to', 'fpa'], /which auctions\?/],
      [2, ['replay', log, '--from', 'gsp', '--to', 'fpa'], /--discounts/],
      [
        2,
        [
          'replay',
          log,
          '--from',
          'gsp',
          '--to',
          'fpa',
          ...slots,
          '--segments',
          '40',
          '--segment-by',
          'topic',
        ],
        /40 segments of 16 labels/,
      ],
      [2, ['replay', log, '--generate', 'provably', '--from', 'gsp', '--to', 'fpa'], /a log and a generator/],
      [1, ['replay', at('none.csv'), '--from', 'gsp', '--to', 'fpa', ...slots], /none\.csv/],
      [
        1,
        ['replay', log, '--from', 'gsp', '--to', 'fpa', ...slots, '--columns', 'value=wert'],
        /no column "wert".*--columns value=/,
      ],
      [1, ['replay', '--config', at('none.yaml')], /none\.yaml cannot be read/],
      [2, ['simulate', log, ...slots, '--bids', 'often'], /equilibrium, recorded or a number/],
      [
        2,
        ['best-response', log, ...slots, '--advertiser', 'adv-99'],
        /no advertiser "adv-99".*Did you mean "adv-/,
      ],
      [2, ['sweep', '--segments', '0'], /--segments/],
      [2, ['simulate', log, ...slots, '--mixed', 'often'], /--mixed/],
      [1, ['verify', at('none.json')], /none\.json cannot be read/],
      [2, ['import', log, '--out', 'market.xls', ...slots], /--out market\.xls/],
    ];
    for (const [expected, words, message] of calls) {
      const { code, stderr } = await runInProcess(['autobid', ...words]);
      assert.equal(code, expected, `${words.join(' ')}\n${stderr}`);
      assert.match(stderr, message);
    }
  });

  it('leaves nothing behind on Ctrl-C', async () => {
    const words = ['replay', '--generate', 'provably', '--auctions', '30000', '--from', 'gsp', '--to', 'vcg'];
    const { code, stdout, stderr } = await runCli(
      ['autobid', ...words, '--resolve', '50', '--out', 'stopped'],
      {
        cwd,
        during: interruptAtWork,
      },
    );
    assert.equal(code, 130, stderr);
    assert.equal(stdout, '');
    assert.deepEqual(
      readdirSync(cwd).filter((name) => /stopped|partial/.test(name)),
      [],
    );
  });
});

describe('provably autobid import', () => {
  it('reports rows that it drops, and writes a table that needs no more flags', async () => {
    const rows = logRows();
    rows.splice(5, 0, 'q-0,,1,,t1,d0', 'q-1,adv-1x,-2,,t1,d1');
    writeFileSync(at('dirty.csv'), `${head}\n${rows.join('\n')}\n`);
    const strict = await runInProcess([
      'autobid',
      'import',
      at('dirty.csv'),
      ...slots,
      '--out',
      at('m.parquet'),
    ]);
    assert.equal(strict.code, 1);
    assert.match(strict.stderr, /row 5 has advertiser_id empty/);
    assert.equal(existsSync(at('m.parquet')), false);
    const words = ['import', at('dirty.csv'), ...slots, '--segment-by', 'topic', '--on-invalid', 'drop'];
    const { figures } = await autobid(...words, '--out', at('m.parquet'));
    assert.equal(figures.dropped, 2);
    assert.equal(figures.entries, market.values.length);
    // The advertiser of a dropped row has no entry left; the rest is the market of the log.
    const imported = await autobid('simulate', at('m.parquet'), '--bids', '1', '--segments', '2');
    const direct = await autobid('simulate', at('auctions.csv'), ...slots, '--bids', '1');
    assert.equal(imported.figures.welfare, direct.figures.welfare);
  });
});

describe('provably autobid import --layout auctionnet', () => {
  it('reads the columns of AuctionNet, budgets among them', async () => {
    const columns =
      'deliveryPeriodIndex,advertiserNumber,advertiserCategoryIndex,budget,CPAConstraint,timeStepIndex,remainingBudget,pvIndex,pValue,pValueSigma,bid,xi,adSlot,cost,isExposed,conversionAction,leastWinningCost,isEnd';
    const rows = [
      '7,0,1,100,10,0,100,1,0.02,0.001,0.2,1,1,0.12,1,0,0.12,0',
      '7,1,1,0.3,12,0,50,1,0.01,0.001,0.12,1,2,0.08,1,0,0.08,0',
      '7,1,1,0.3,12,0,50,2,0.03,0.001,0.36,1,1,0.16,1,0,0.1,0',
      '7,0,1,100,10,0,70,2,0.02,0.001,0.16,1,2,0.1,1,0,0.1,0',
    ];
    writeFileSync(at('net.csv'), `${columns}\n${rows.join('\n')}\n`);
    const { figures } = await autobid(
      'import',
      at('net.csv'),
      '--layout',
      'auctionnet',
      '--out',
      at('net.parquet'),
    );
    assert.deepEqual([figures.entries, figures.auctions, figures.dropped], [4, 2, 0]);
    const words = [at('net.csv'), '--layout', 'auctionnet', '--bids', 'recorded'];
    const simulated = await autobid('simulate', ...words);
    // v = pValue · CPA: 0.2, 0.12 | 0.36, 0.2 at discounts 1, 0.8. Advertiser 1 wins 0.456, of which its budget of 0.3 counts.
    assert.ok(Math.abs(simulated.figures.welfare - (0.2 + 0.8 * 0.2 + 0.3)) < 1e-12);
    // GSP: 0.12 for the first slot, then 0.8 times the reserve; 0.16 and the same.
    assert.ok(Math.abs(simulated.figures.profit - (0.12 + 0.16 + 2 * 0.008)) < 1e-12);
    // The imported table keeps budgets and, beside it, discounts and the reserve.
    const again = await autobid('simulate', at('net.parquet'), '--bids', 'recorded');
    assert.deepEqual(again.figures, simulated.figures);
    const free = await autobid('simulate', at('net.parquet'), '--bids', 'recorded', '--reserve', '0');
    assert.ok(Math.abs(free.figures.profit - (0.12 + 0.16)) < 1e-12);
    const { code, stdout } = await runInProcess([
      ...['autobid', 'import', at('net.csv'), '--layout', 'auctionnet', '--out', at('net.csv.parquet')],
    ]);
    assert.equal(code, 0);
    assert.match(stdout, /bidders +2 after value, 0 after utility, 2 under budgets\nreserve +0\.01/);
  });
});

describe('provably autobid simulate', () => {
  it('gives the exact outcome at given bids, in the tables asked for', async () => {
    const words = ['simulate', at('auctions.csv'), ...slots, '--format', 'fpa', '--bids', '1'];
    const { figures, out } = await autobid(
      ...words,
      '--out',
      at('sim'),
      '--tables',
      'csv',
      '--pictures',
      'png',
    );
    assert.ok(Math.abs(figures.welfare / optimum - 1) < 1e-9);
    assert.ok(Math.abs(figures.profit / figures.welfare - 1) < 1e-9);
    assert.ok(out.files.includes('advertisers.csv') && out.files.includes('advertisers.png'));
    const rows = parseCsv(read('sim/advertisers.csv'));
    assert.deepEqual(
      rows.map(({ advertiser }) => advertiser),
      ['adv-0', 'adv-1', 'adv-2', 'adv-3', 'adv-4', 'adv-5'],
    );
    const saved = JSON.parse(read('sim/profile.json'));
    saved.strategies[0].multipliers[0] = 1.5;
    writeFileSync(at('sim/tampered.json'), JSON.stringify(saved));
    const { code, stdout, stderr } = await runInProcess([
      'autobid',
      'verify',
      at('sim/tampered.json'),
      '--json',
    ]);
    assert.equal(code, 1);
    assert.equal(JSON.parse(stdout).value.verdict, 'rejected');
    assert.match(stderr, /is rejected/);
  });
});

describe('provably autobid simulate --per-auction and --mixed', () => {
  it('writes who won what, and which bid would have won', async () => {
    const words = ['simulate', at('auctions.csv'), ...slots, '--bids', 'recorded'];
    const { figures } = await autobid(...words, '--per-auction', at('entries.csv'));
    const rows = parseCsv(read('entries.csv'));
    assert.equal(rows.length, market.values.length);
    assert.deepEqual([rows[0].auction, rows[0].advertiser], ['q-0', `adv-${market.advertiserOf[0]}`]);
    const paid = rows.reduce((sum, row) => sum + Number(row.payment), 0);
    assert.ok(Math.abs(paid / figures.profit - 1) < 1e-9);
    // A bid that reaches the least for any slot has one; one above the least for the best slot has that.
    for (const { bid, slot, payment, minimum_bid: any, minimum_bid_best_slot: best } of rows) {
      assert.ok(Number(bid) >= Number(any) ? Number(slot) > 0 || Number(bid) === 0 : slot === '0');
      assert.equal(Number(bid) > Number(best), slot === '1');
      assert.ok(slot !== '0' || Number(payment) === 0);
    }
    const wrong = await runInProcess(['autobid', ...words, '--per-auction', at('entries.xls')]);
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /--per-auction .*entries\.xls; expected a name that ends in \.parquet/);
  });

  it('mixes strategies where pure ones find no rest, for a saved profile that verify accepts', async () => {
    const generated = ['--generate', 'provably', '--auctions', '120', '--advertisers', '5', ...quick];
    const words = [...generated, '--format', 'fpa', '--segments', '4'];
    const mixed = await autobid(
      'simulate',
      ...words,
      '--out',
      at('mixed'),
      '--per-auction',
      at('draw.parquet'),
    );
    const pure = await autobid('simulate', ...words, '--mixed', 'never');
    assert.equal(mixed.value.how, 'mixed equilibrium');
    assert.equal(pure.value.how, 'equilibrium');
    assert.ok(mixed.certificate.bound.value < pure.certificate.bound.value);
    assert.match(mixed.recipe.command, /^provably autobid simulate --generate provably/);
    const checked = await runInProcess(['autobid', 'verify', at('mixed/profile.json')]);
    assert.equal(checked.code, 0, checked.stderr);
    // The best response to mixed strategies gains what the certificate leaves open, at most.
    const response = await autobid('best-response', ...words, '--advertiser', '1');
    assert.equal(response.value.others, 'mixed equilibrium');
    const { gain } = response.figures;
    assert.ok(gain >= -1e-9 && gain <= mixed.figures.maxRegretBound + 1e-9, String(gain));
  });
});

describe('provably autobid best-response', () => {
  it('never does worse than what is bid now', async () => {
    const words = ['best-response', at('auctions.csv'), ...slots, '--others', '1', '--advertiser', 'adv-2'];
    const { figures } = await autobid(...words, '--segments', '4', '--format', 'vcg', '--out', at('br'));
    assert.ok(figures.valueBest >= figures.valueNow * (1 - 1e-12));
    assert.ok(figures.upperBound >= figures.valueBest && figures.spendBest <= figures.valueBest * (1 + 1e-9));
    assert.match(read('br/landscape.svg'), /^<svg /);
  });
});

describe('provably autobid best-response --learn-segments', () => {
  const words = ['best-response', at('auctions.csv'), ...slots, '--segment-by', 'topic', '--others', '1'];

  it('says what merged segments gain, also on auctions held out, and what they do to the others', async () => {
    const learning = [
      '--segments',
      '12',
      '--learn-segments',
      '3',
      '--format',
      'fpa',
      '--advertiser',
      'adv-1',
    ];
    const { figures, value, certificate, out } = await autobid(
      ...words,
      ...learning,
      ...['--out', at('learned'), '--tables', 'csv'],
    );
    const { levels, used } = value as unknown as { levels: number[]; used: number };
    assert.equal(levels.length, 3);
    assert.ok(used <= 3 && levels[2] >= levels[0] && figures.upperBound >= levels[2]);
    assert.ok(Math.abs(figures.upperBound - levels[2] - certificate.bound.value) < 1e-9);
    assert.ok(figures.fittedGain >= -1e-12 && Number.isFinite(figures.heldOutGain));
    // What all lose or gain is what it and the others do.
    const rows = parseCsv(read('learned/advertisers.csv'));
    const change = (column: string, mine: boolean) =>
      rows.reduce((sum, row) => {
        const own = row.advertiser === 'adv-1';
        return own === mine ? sum + Number(row[`${column}_after`]) - Number(row[`${column}_before`]) : sum;
      }, 0);
    assert.ok(Math.abs(change('value', false) - figures.othersValue) < 1e-9);
    assert.ok(Math.abs(change('value', true) + figures.othersValue - figures.welfareChange) < 1e-9);
    assert.ok(Math.abs(change('value', true) - (levels[2] - levels[0])) < 1e-6);
    assert.equal(parseCsv(read('learned/segments.csv')).length, 12);
    assert.ok(out.files.includes('levels.svg'));
    const { stdout } = await runInProcess(['autobid', ...words, ...learning]);
    assert.match(stdout, /^adv-1: first price, 12 segments merged into \d/);
    assert.match(stdout, /^the same on 125 others .* %$/m);
  });

  it('refuses to learn more segments than there are', async () => {
    const { code, stderr } = await runInProcess([
      'autobid',
      ...words,
      '--segments',
      '2',
      '--learn-segments',
      '3',
    ]);
    assert.equal(code, 2);
    assert.match(stderr, /--learn-segments 3 of 2 segments/);
  });
});

describe('provably autobid best-response --layout bat', () => {
  // Campaign 17: in hour 0 of two days a contact at level 5 for 2 and 3, in hour 1 four at level 3 for 6.
  const rows = ['17,0,5,1,2', '17,86400,5,1,3', '17,3600,3,4,6', '99,0,1,7,9', '17,3600,,1,1'];
  const names = 'campaign_id,period,contact_price_bin,AuctionContactsSurplus,AuctionWinBidSurplus';
  writeFileSync(at('statistics.csv'), `${names}\n${rows.join('\n')}\n`);
  writeFileSync(
    at('campaigns.csv'),
    'campaign_id,auction_budget,campaign_start,campaign_end\n17,9,0,90000\n99,1,0,90000\n',
  );
  const words = ['best-response', at('statistics.csv'), '--layout', 'bat', '--format', 'vcg'];
  const campaign = [...words, '--advertiser', '17', '--value-per-contact', '2'];

  it('finds bids by the hour within the target and the budget', async () => {
    // All six contacts cost 11, within 12; the budget of 9 leaves hour 1 alone: four for 6.
    const free = await autobid(...campaign);
    assert.deepEqual([free.figures.contactsBest, free.figures.spendBest], [6, 11]);
    const within = await autobid(
      ...campaign,
      ...['--campaigns', at('campaigns.csv'), '--out', at('bat'), '--tables', 'csv'],
    );
    assert.deepEqual([within.figures.contactsBest, within.figures.spendBest], [4, 6]);
    const bids = parseCsv(read('bat/bids.csv'));
    assert.deepEqual(
      bids.map(({ hours, bid }) => [hours, Number(Number(bid).toFixed(9))]),
      [
        ['00:00', 0],
        ['01:00', Number((1.2 ** 3).toFixed(9))],
      ],
    );
    // By single hours the cheaper day fits too: five for 8.
    const hourly = await autobid(...campaign, '--campaigns', at('campaigns.csv'), '--hours', 'hour');
    assert.deepEqual([hourly.figures.contactsBest, hourly.figures.spendBest], [5, 8]);
    const { stdout } = await runInProcess(['autobid', ...campaign, '--hours', 'hour']);
    assert.match(stdout, /^campaign 17, vcg, others frozen$/m);
    assert.match(stdout, /^1970-01-02T00:00Z +2\.488 /m);
    assert.match(stdout, /1 × no contact_price_bin/);
  });

  it('says what is missing', async () => {
    const statistics = at('statistics.csv');
    const bat = ['--layout', 'bat'];
    const calls: [code: number, words: string[], message: RegExp][] = [
      [2, ['best-response', statistics, ...bat], /which campaign/],
      [2, ['best-response', statistics, ...bat, '--advertiser', '17'], /first price or of VCG/],
      [2, [...words, '--advertiser', '17'], /Give --value-per-contact/],
      [1, [...words, '--advertiser', '18', '--value-per-contact', '2'], /campaign "18" has no usable rows/],
      [
        1,
        ['best-response', at('auctions.csv'), ...bat, ...campaign.slice(4)],
        /no column "campaign_id".*BAT/,
      ],
      [2, ['simulate', statistics, ...bat], /Only best-response reads them/],
    ];
    for (const [expected, wrong, message] of calls) {
      const { code, stderr } = await runInProcess(['autobid', ...wrong]);
      assert.equal(code, expected, stderr);
      assert.match(stderr, message);
    }
  });
});

describe('provably autobid frontier', () => {
  const words = ['frontier', at('auctions.csv'), ...slots];

  it('knows first price: boosts change nothing, a reserve costs what is below it', async () => {
    const policies = ['--policies', 'reserve,additive-boost', '--levels', '1', '--reserves', '0.4'];
    const { figures, value, out, recipe } = await autobid(
      ...words,
      ...['--format', 'fpa', ...policies, '--out', at('frontier'), '--tables', 'csv'],
    );
    const { points } = value as unknown as { points: { policy: string; welfare: number; profit: number }[] };
    assert.deepEqual(
      points.map(({ policy }) => policy),
      ['none', 'reserve', 'additive-boost'],
    );
    const kept = market.values.reduce((sum, _, e) => sum + sold(e, 0.4), 0);
    for (const [at, welfare] of [optimum, kept, optimum].entries()) {
      assert.ok(Math.abs(points[at].welfare / welfare - 1) < 1e-9, `${at}`);
      assert.ok(Math.abs(points[at].profit / welfare - 1) < 1e-9, `${at}`);
    }
    assert.equal(figures.efficient, 2);
    const rows = parseCsv(read('frontier/points.csv'));
    assert.deepEqual(
      rows.map(({ guaranteed_share_undominated: share }) => Number(Number(share).toFixed(6))),
      [0.5, 0, 0.666667],
    );
    assert.ok(out.files.includes('frontier.svg') && out.files.includes('guarantee.svg'));
    assert.match(recipe.command, /--policies reserve,additive-boost --levels 1 --reserves 0\.4/);
  });

  it('prints a table with the bound beside, and says what is wrong', async () => {
    const { code, stdout, stderr } = await runInProcess([
      ...['autobid', ...words, '--format', 'vcg', '--policies', 'additive-boost', '--levels', '0,2'],
    ]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^none .*50 % .*\nadditive-boost 2 .* 75 % /m);
    assert.match(stdout, /point furthest from rest:\ncertificate .*≤ /);
    const calls: [words: string[], message: RegExp][] = [
      [['--policies', 'boost'], /--policies.*Expected some of reserve, relative-reserve/s],
      [['--policies', 'reserve'], /needs --reserves/],
      [['--levels', '1,-1'], /--levels.*a number ≥ 0/s],
    ];
    for (const [wrong, message] of calls) {
      const run = await runInProcess(['autobid', ...words, ...wrong]);
      assert.equal(run.code, 2);
      assert.match(run.stderr, message);
    }
  });
});

describe('provably autobid pacing', () => {
  // Ten auctions: A values each at 1 and may spend 4, B values each at ½. A paces to ½, and they share.
  const rows = Array.from({ length: 10 }, (_, j) => `${j},A,1,4\n${j},B,0.5,`);
  writeFileSync(at('paced.csv'), `auction_id,advertiser_id,value,budget\n${rows.join('\n')}\n`);

  it('finds multipliers, prices and shares, with the budget of the log', async () => {
    const words = ['pacing', at('paced.csv')];
    const { value, figures, certificate, out } = await autobid(
      ...words,
      ...['--out', at('paced'), '--tables', 'csv'],
    );
    const near = (a: number, b: number) => assert.ok(Math.abs(a - b) < 1e-6, `${a}, ${b}`);
    const [a, b] = value.advertisers as unknown as { multiplier: number; spend: number; limited: boolean }[];
    near(a.multiplier, 0.5);
    near(a.spend, 4);
    near(b.spend, 1);
    assert.deepEqual([a.limited, b.limited, b.multiplier], [true, false, 1]);
    near(figures.profit, 5);
    assert.ok(certificate.bound.value < 1e-6);
    const prices = parseCsv(read('paced/prices.csv'));
    assert.equal(prices.length, 10);
    for (const { price } of prices) near(Number(price), 0.5);
    const paid = parseCsv(read('paced/winners.csv')).filter(({ advertiser }) => advertiser === 'A');
    near(
      paid.reduce((sum, { payment }) => sum + Number(payment), 0),
      4,
    );
    assert.ok(!out.files.includes('profile.json'), 'shares are no profile');
    // Money enough: everybody bids its value, and the profile can be saved.
    const rich = await autobid(...words, '--budget', 'A=50', '--budget', 'B=7', '--out', at('rich'));
    near(rich.figures.profit, 10);
    assert.match(rich.recipe.command, /--budget A=50,B=7/);
    const checked = await runInProcess(['autobid', 'verify', at('rich/profile.json')]);
    assert.equal(checked.code, 0, checked.stderr);
  });

  it('tells who is limited, and what is wrong', async () => {
    const words = ['autobid', 'pacing', at('paced.csv')];
    const { code, stdout } = await runInProcess(words);
    assert.equal(code, 0);
    assert.match(stdout, /^A +0\.5 .* 4 +yes$/m);
    assert.match(stdout, /certificate every multiplier is that of the pacing equilibrium/);
    const calls: [words: string[], message: RegExp][] = [
      [['--budget', 'C=3'], /no advertiser "C"/],
      [['--budget', 'A=-3'], /--budget.*a number > 0/s],
      [['--budget', '5'], /--budget.*such as adv-7=50/s],
    ];
    for (const [wrong, message] of calls) {
      const run = await runInProcess([...words, ...wrong]);
      assert.equal(run.code, 2);
      assert.match(run.stderr, message);
    }
    const slotted = await runInProcess([...words, '--discounts', '1,0.5']);
    assert.equal(slotted.code, 1);
    assert.match(slotted.stderr, /expected one slot that is sold/);
  });
});

describe('provably autobid sweep', () => {
  it('keeps what is done, and uses it again while the settings are the same', async () => {
    const market = ['--auctions', '60', '--advertisers', '5'];
    const words = [
      'sweep',
      ...market,
      '--segments',
      '1,2',
      '--formats',
      'fpa,vcg',
      '--mixed',
      'never',
      ...quick,
    ];
    const first = await autobid(...words, '--seeds', '2', '--out', at('sweep'));
    assert.equal(first.value.reused, 0);
    assert.equal(first.figures['welfare fpa K=1'].toFixed(9), '1.000000000');
    const more = await autobid(...words, '--seeds', '3', '--out', at('sweep'));
    assert.equal(more.value.reused, 2);
    const fresh = await autobid(...words, '--seeds', '3');
    assert.deepEqual(fresh.figures, more.figures);
    const other = await autobid(...words, '--seeds', '2', '--reserve', '0.5', '--out', at('sweep'));
    assert.equal(other.value.reused, 0);
    assert.ok(existsSync(at('sweep/welfare.svg')));
  });
});
