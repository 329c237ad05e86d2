import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { parseHTML } from 'linkedom';
import { audit, type Certificate } from '../core/certificate.ts';
import { html } from './html.ts';
import type { Report, Station } from './report.ts';
import { renderReport } from './report-html.ts';
import { writeFileAtomically } from './write-file.ts';

const certificate: Certificate = {
  statement: '|estimate − exact| is within the bound',
  source: 'arXiv 2402.17327',
  assumptions: [
    { statement: 'ℓ ≥ 0', status: 'checked', measured: 0, measure: 'rows below 0' },
    { statement: 'ℓ ≤ σ', status: 'assumed' },
  ],
  bound: { value: 0.08, unit: 'nats', failureProbability: 0.05, scale: 0.4 },
  seed: 7,
  backend: 'ts scalar',
  warnings: ['mind <this>'],
};

const station: Station = {
  id: 'selection',
  title: 'Data <selection>',
  question: 'Which rows?',
  answer: 'These.',
  input: 'rows & columns',
  figures: [{ label: 'accuracy', value: '70 %', note: 'uniform 60 %' }],
  charts: [
    {
      kind: 'bars',
      title: 'Accuracy',
      description: 'Higher is better.',
      value: { label: '%' },
      bars: [{ label: 'ours', value: 70 }],
    },
  ],
  tables: [{ caption: 'All', table: { columns: ['method', '%'], rows: [['ours', 70.25]] } }],
  certificates: [
    {
      title: 'mean loss',
      value: '0.41 nats',
      certificate: audit({ value: 0, certificate }, 0.02, 'all rows').certificate,
    },
  ],
  repeat: { command: 'provably reproduce selection --seed 7', seed: 7 },
  seconds: 1.5,
};

const report: Report = { title: 'Tour', lead: 'Lead.', stations: [station], madeWith: ['provably 0'] };

async function page(changed: Partial<Station> = {}): Promise<Document> {
  return parseHTML(await renderReport({ ...report, stations: [{ ...station, ...changed }] })).document;
}

function withCertificate(changed: Partial<Certificate>, error?: number): Partial<Station> {
  const bare = { value: 0, certificate: { ...certificate, ...changed } };
  const result = error === undefined ? bare : audit(bare, error, 'all rows');
  return { certificates: [{ title: 't', value: 'v', certificate: result.certificate }] };
}

describe('renderReport', () => {
  it('shades a text by share, with its words whole', async () => {
    const document = await page({
      texts: [
        {
          ...{ title: 'What was kept', description: 'By heads.', legend: ['all heads', 'none'] },
          pieces: [
            { text: 'Call ', share: 1 },
            { text: 'me ', share: 1 },
            { text: '<b>', share: 0 },
            { text: 'Ish', share: 0.5 },
          ],
        },
      ],
    });
    const text = document.querySelector('.shaded-text');
    assert.equal(text?.textContent, 'Call me <b>Ish');
    assert.deepEqual(
      [...(text?.querySelectorAll('span') ?? [])].map(({ className }) => className),
      ['shade shade-3', 'shade shade-0', 'shade shade-2'],
    );
  });

  it('loads nothing: no script, no link, no address that is fetched', async () => {
    const text = await renderReport(report);
    const { document } = parseHTML(text);
    assert.equal(document.querySelectorAll('script, link, img, iframe, object, embed').length, 0);
    assert.equal(document.querySelectorAll('[src], [srcset], [onclick], [onload]').length, 0);
    for (const link of document.querySelectorAll('[href]'))
      assert.match(link.getAttribute('href') ?? '', /^#/);
    const addresses = text.replaceAll('xmlns="http://www.w3.org/2000/svg"', '');
    assert.doesNotMatch(addresses, /https?:|url\(|@import/);
  });

  it('has one main part, ordered headings, and every link leads to an element', async () => {
    const document = await page();
    assert.equal(document.querySelectorAll('main').length, 1);
    assert.equal(document.querySelectorAll('h1').length, 1);
    assert.equal(document.documentElement.getAttribute('lang'), 'en');
    const levels = [...document.querySelectorAll('h1, h2, h3, h4, h5')].map((h) => Number(h.tagName[1]));
    levels.reduce((before, level) => {
      assert.ok(level <= before + 1, `h${level} follows h${before}`);
      return level;
    });
    for (const link of document.querySelectorAll('a[href]')) {
      assert.ok(document.getElementById((link.getAttribute('href') ?? '').slice(1)), link.outerHTML);
    }
    const ids = [...document.querySelectorAll('[id]')].map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length);
  });

  it('names every picture and shows the numbers of every chart as a table', async () => {
    const document = await page();
    const pictures = document.querySelectorAll('svg');
    assert.ok(pictures.length >= 3); // two widths of the chart, and the slack bar
    for (const svg of pictures) assert.ok(svg.getAttribute('aria-label'));
    for (const figure of document.querySelectorAll('figure.chart')) {
      assert.equal(figure.querySelector('details summary')?.textContent, 'Show as table');
      assert.ok(figure.querySelector('details table td'));
    }
  });

  it('shows the certificate: promise, bound, chance, measurement, slack, assumptions, warnings', async () => {
    const card = (await page()).querySelector('.certificate')?.textContent ?? '';
    for (const part of [
      'within the bound',
      'arXiv 2402.17327',
      '0.08',
      'nats',
      '20 % of the value',
      '0.05',
      '0.02',
      'all rows',
      '4 ×',
      'checked',
      'rows below 0: 0',
      'assumed',
      'mind <this>',
      'seed 7',
      'Kept',
    ]) {
      assert.ok(card.includes(part), `${part} not in: ${card}`);
    }
  });

  it('says so when a bound is broken, vacuous, violated or not audited', async () => {
    const verdict = async (changed: Partial<Station>) =>
      (await page(changed)).querySelector('.verdict')?.textContent ?? '';
    assert.match(await verdict(withCertificate({}, 0.1)), /Bound broken/);
    assert.match(await verdict(withCertificate({ bound: { ...certificate.bound, value: 0.5 } })), /Vacuous/);
    assert.match(
      await verdict(withCertificate({ bound: { ...certificate.bound, value: Infinity } }, 0.1)),
      /Vacuous/,
    );
    const violated = [{ statement: 'x', status: 'violated' as const }];
    assert.match(await verdict(withCertificate({ assumptions: violated }, 0.01)), /violated/);
    assert.match(await verdict(withCertificate({})), /Not audited/);
  });

  it('escapes all it is given', async () => {
    const hostile = '<script>alert("x")</script>\'';
    const document = await page({
      title: hostile,
      input: hostile,
      tables: [{ caption: hostile, table: { columns: [hostile], rows: [[hostile]] } }],
    });
    assert.equal(document.querySelectorAll('script').length, 0);
    assert.equal(document.querySelector('h2')?.textContent, hostile);
  });
});

describe('html', () => {
  it('gives back any text through a parser, in elements and attributes', () => {
    const property = fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
      fc.pre(!/[\0\r]/.test(text)); // HTML itself cannot carry these
      const { document } = parseHTML(`<body>${html`<p title="${text}">${text}</p>`.text}</body>`);
      assert.equal(document.querySelector('p')?.textContent, text);
      assert.equal(document.querySelector('p')?.getAttribute('title'), text);
    });
    fc.assert(property, { seed: 1, numRuns: 300 });
  });
});

describe('writeFileAtomically', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'provably-report-'));
  after(() => rm(folder, { recursive: true }));

  it('makes folders, replaces what was there, and leaves nothing else', async () => {
    const path = join(folder, 'a/b.txt');
    await writeFileAtomically(path, 'one');
    await writeFileAtomically(path, 'two');
    assert.equal(await readFile(path, 'utf8'), 'two');
    assert.deepEqual(await readdir(join(folder, 'a')), ['b.txt']);
  });

  it('leaves the old file when it is cancelled', async () => {
    const path = join(folder, 'kept.txt');
    await writeFileAtomically(path, 'old');
    const signal = AbortSignal.abort(new Error('stop'));
    await assert.rejects(writeFileAtomically(path, 'new', { signal }), /stop/);
    assert.equal(await readFile(path, 'utf8'), 'old');
  });

  it('names a place that cannot be written', async () => {
    await writeFileAtomically(join(folder, 'file'), '');
    const path = join(folder, 'file/below.txt');
    await assert.rejects(writeFileAtomically(path, ''), { code: 'DATA', message: /below\.txt/ });
  });
});
