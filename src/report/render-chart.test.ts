import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseHTML } from 'linkedom';
import type {
  BarChart,
  Chart,
  HeatMap,
  Histogram,
  IntervalChart,
  LineChart,
  ScatterChart,
  ShadeMap,
  TrackChart,
} from './chart.ts';
import { chartTable } from './chart-table.ts';
import { logTicks } from './charts/frame.ts';
import { svgToPng } from './png.ts';
import { renderChart } from './render-chart.ts';

const text = { title: 'A <title> & "more"', description: 'What to see.' };

const line: LineChart = {
  ...text,
  kind: 'line',
  x: { label: 'rows', scale: 'log' },
  y: { label: 'error', scale: 'log' },
  series: [
    { name: 'ours', points: [50, 100, 200].map((x) => ({ x, y: 1 / x, low: 0.8 / x, high: 1.2 / x })) },
    { name: 'bound', role: 'bound', points: [50, 100, 200].map((x) => ({ x, y: 3 / x })) },
    { name: 'slope', role: 'reference', points: [50, 100, 200].map((x) => ({ x, y: 2 / x })) },
  ],
};
const scatter: ScatterChart = {
  ...text,
  kind: 'scatter',
  x: { label: 'a' },
  y: { label: 'b' },
  points: [
    { x: 0, y: 1, category: '<i>one</i>' },
    { x: 2, y: 3, category: 'two' },
    { x: 3, y: 3, category: 'two' },
  ],
};
const bars: BarChart = {
  ...text,
  kind: 'bars',
  value: { label: 'accuracy (%)' },
  bars: [
    { label: 'ours', value: 70, low: 69, high: 71, emphasis: true },
    { label: 'uniform', value: 60 },
    { label: 'promise', value: 65, role: 'bound' },
  ],
};
const intervals: IntervalChart = {
  ...text,
  kind: 'intervals',
  value: { label: 'nats' },
  rows: [
    { label: 'seed 0', value: 0.4, low: 0.3, high: 0.5, exact: 0.45 },
    { label: 'seed 1', value: 0.6, low: 0.5, high: 0.7, exact: 0.45 },
    { label: 'seed 2', value: 0.5, low: 0.4, high: 0.6 },
  ],
};
const histogram: Histogram = {
  ...text,
  kind: 'histogram',
  x: { label: 'estimate' },
  values: Array.from({ length: 100 }, (_, i) => Math.sin(i)),
  marks: [{ value: 0, label: 'exact', role: 'reference' }],
};
const heatMap: HeatMap = {
  ...text,
  kind: 'heat-map',
  value: 'rows',
  rowLabel: 'method',
  columnLabel: 'class',
  rows: ['a', 'b'],
  columns: ['x', 'y', 'z'],
  values: [1, 2, 3, 4, 5, Number.NaN],
};
const shadeMap: ShadeMap = {
  ...text,
  kind: 'shade-map',
  value: 'share of the mass',
  x: { label: 'keys', end: 400 },
  y: { label: 'queries', end: 200 },
  rows: 2,
  columns: 4,
  values: [8, 8, 0, 1, 0, 0, 0.5, 4],
  outlines: { name: 'blocks', rectangles: [{ x: [0, 200], y: [0, 100] }] },
  ticks: { name: 'samples', positions: [10, 390] },
};
const tracks: TrackChart = {
  ...text,
  kind: 'tracks',
  x: { label: 'token' },
  rowLabel: 'heads',
  rows: ['head 0', 'head 1'],
  columns: 4,
  categories: [
    { name: 'kept', height: 1 },
    { name: 'merged', height: 0.2 },
    { name: 'dropped', height: 0 },
  ],
  values: [0, 0, 1, 2, 1, 0, 1, 2],
  divider: { at: 3, label: 'end of the prompt' },
};
const charts: Chart[] = [line, scatter, bars, intervals, histogram, heatMap, shadeMap, tracks];

async function draw(chart: Chart, width?: number): Promise<Element> {
  const svg = await renderChart(chart, width ? { width } : {});
  const root = parseHTML(`<body>${svg}</body>`).document.querySelector('svg');
  assert.ok(root);
  return root;
}

describe('renderChart', () => {
  for (const chart of charts) {
    it(`draws a ${chart.kind} chart, named for screen readers, in the width asked for`, async () => {
      for (const width of [340, 680]) {
        const svg = await draw(chart, width);
        assert.equal(svg.getAttribute('role'), 'img');
        assert.equal(svg.getAttribute('aria-label'), 'A <title> & "more". What to see.');
        assert.equal(svg.querySelector('title')?.textContent, text.title);
        assert.equal(svg.getAttribute('width'), String(width));
        assert.doesNotMatch(svg.outerHTML, /NaN|undefined/);
      }
    });

    it(`puts a ${chart.kind} chart into a PNG`, async () => {
      const png = await svgToPng(await renderChart(chart, { width: 340 }), { scale: 2, theme: 'dark' });
      const view = new DataView(png.buffer, png.byteOffset);
      assert.equal(view.getUint32(0), 0x89504e47); // the PNG signature
      assert.equal(view.getUint32(16), 680);
    });
  }

  it('draws one bar a run of items of a track, none for those without height, and counts them in the table', async () => {
    const svg = await draw(tracks);
    // Legend: three swatches. Tracks: kept twice, merged thrice.
    assert.equal(svg.querySelectorAll('rect').length, 3 + 5);
    assert.deepEqual(chartTable(tracks).rows, [
      ['head 0', 2, 1, 1],
      ['head 1', 1, 2, 1],
    ]);
    const broken = { ...tracks, values: [0, 0, 1, 2, 1, 0, 1, 3] };
    await assert.rejects(renderChart(broken), { code: 'INVALID_ARGUMENT', message: /values\[7\] is 3/ });
  });

  it('keeps markup in labels as text', async () => {
    const svg = await draw(scatter);
    assert.equal(svg.querySelector('i'), null);
    assert.ok([...svg.querySelectorAll('text')].some((element) => element.textContent === '<i>one</i>'));
  });

  it('tells roles apart by dash: measured solid, bound dashed, reference dotted, in lines and legend', async () => {
    const svg = await draw(line);
    const dashes = [...svg.querySelectorAll('[stroke-dasharray]')].map((e) =>
      e.getAttribute('stroke-dasharray'),
    );
    assert.deepEqual(dashes.sort(), ['2 3.5', '2 3.5', '7 4', '7 4']);
  });

  it('draws one dot a measured point, none on bounds', async () => {
    const dots = await draw(line).then((svg) =>
      svg.querySelectorAll('g[aria-label="dot"] path, g[aria-label="dot"] circle'),
    );
    assert.equal(dots.length, 3 + 1); // three points and the legend's
  });

  it('gives every bar its value and the emphasised one its colour', async () => {
    const svg = await draw(bars);
    const texts = [...svg.querySelectorAll('text')].map((element) => element.textContent);
    for (const value of ['70', '60', '65']) assert.ok(texts.includes(value), `${texts}`);
    assert.equal(svg.querySelectorAll('rect[fill="var(--series-1)"]').length, 1);
  });

  it('marks intervals that miss the exact answer by another shape and colour', async () => {
    const svg = await draw(intervals);
    assert.equal(
      svg.querySelectorAll('g[aria-label="tick"] [stroke="var(--bad)"], g[stroke="var(--bad)"] line').length,
      1,
    );
    assert.ok([...svg.querySelectorAll('text')].some(({ textContent }) => textContent === 'exact answer'));
  });

  it('draws equal neighbours of a shade map as one, leaves zeros out, and outlines and ticks on top', async () => {
    const svg = await draw(shadeMap, 680);
    const cells = [...svg.querySelectorAll('g[aria-label="rect"] rect')];
    assert.equal(cells.length, 4 + 1); // 8 8, 1, 0.5 and 4; the outline
    const widths = cells.map((cell) => Number(cell.getAttribute('width')));
    assert.ok(Math.abs(widths[0] - 2 * widths[1]) < 1e-6, `${widths}`);
    const names = [...svg.querySelectorAll('text')].map((element) => element.textContent);
    for (const name of ['blocks', 'samples']) assert.ok(names.includes(name), `${names}`);
    const logged = await draw({ ...shadeMap, shade: 'log' });
    const faintest = (of: Element) =>
      Math.min(
        ...[...of.querySelectorAll('[fill-opacity]')].map((cell) =>
          Number(cell.getAttribute('fill-opacity')),
        ),
      );
    assert.ok(faintest(logged) > 2 * faintest(svg), 'a sixteenth is darker on a log shade');
  });

  it('survives a chart of one value', async () => {
    await draw({ ...line, series: [{ name: 'one', points: [{ x: 1, y: 1 }] }] });
    await draw({ ...histogram, values: [2], marks: [] });
    await draw({ ...bars, bars: [{ label: 'zero', value: 0 }] });
    await draw({ ...heatMap, rows: ['a'], columns: ['x'], values: [0] });
    await draw({ ...shadeMap, rows: 1, columns: 1, values: [0], shade: 'log' });
  });

  it('refuses what it cannot draw, naming the chart', async () => {
    const bad: [Chart, RegExp][] = [
      [{ ...line, series: [] }, /"A <title>.* no series/],
      [{ ...line, series: [{ name: 'n', points: [{ x: 0, y: 1 }] }] }, /series "n": x on a log axis is 0/],
      [{ ...line, series: Array(9).fill(line.series[0]) }, /9 series; expected at most 8/],
      [{ ...scatter, points: [{ x: NaN, y: 1 }] }, /x\[0\] is NaN/],
      [{ ...bars, bars: [bars.bars[0], bars.bars[0]] }, /two rows of one label/],
      [{ ...histogram, values: [] }, /no values/],
      [{ ...heatMap, values: [1] }, /length 1; expected 6/],
      [{ ...shadeMap, rows: 1, columns: 1, values: [-1] }, /values\[0\] is -1; expected a finite number ≥ 0/],
    ];
    for (const [chart, message] of bad) await assert.rejects(renderChart(chart), { message });
    await assert.rejects(renderChart(line, { width: 10 }), /width is 10; expected ≥ 240/);
  });
});

describe('logTicks', () => {
  it('are 1-2-5 steps on short axes and powers of ten on long ones', () => {
    assert.deepEqual(logTicks(40, 900), [50, 100, 200, 500]);
    assert.deepEqual(logTicks(0.001, 1000), [0.001, 0.01, 0.1, 1, 10, 100, 1000]);
  });
});

describe('chartTable', () => {
  it('holds every number drawn', () => {
    assert.deepEqual(chartTable(bars).rows[0], ['ours', 70, 69, 71]);
    assert.deepEqual(chartTable(bars).rows[1], ['uniform', 60, '', '']);
    assert.deepEqual(chartTable(intervals).rows[2], ['seed 2', 0.5, 0.4, 0.6, '']);
    assert.deepEqual(chartTable(heatMap).rows[1], ['b', 4, 5, NaN]);
    assert.deepEqual(chartTable(shadeMap).rows[2], [100, 300, 4]);
    assert.equal(chartTable(shadeMap).rows.length, 8);
    assert.equal(chartTable(line).rows.length, 9);
    assert.deepEqual(chartTable(scatter).columns, ['group', 'a', 'b']);
    assert.equal(chartTable(histogram).rows.length, 101);
  });

  it('says what it leaves out of a long table', () => {
    const points = Array.from({ length: 600 }, (_, i) => ({ x: i, y: i }));
    assert.match(chartTable({ ...scatter, points }).note ?? '', /first 500 of 600/);
  });
});
