// Comparisons of caches as pictures and tables.

import type { ComparisonRow } from '../../kv-cache/index.ts';
import type { Chart, LineSeries, Table } from '../../report/index.ts';

/** As many lines as can be told apart. */
const mostSeries = 8;

/** Error against tokens, a line a policy: a window and the best of the others, when there are too many; exact caches are left out. */
export function errorLines(rows: readonly ComparisonRow[]): Chart {
  const names = [...new Set(rows.map(({ name }) => name))];
  const series = names
    .map((name): LineSeries => {
      const own = rows.filter((row) => row.name === name);
      return { name, points: own.map(({ tokens, relativeError }) => ({ x: tokens, y: relativeError })) };
    })
    .filter(({ points }) => points.some(({ y }) => y > 1e-6))
    .toSorted((a, b) => a.points[a.points.length - 1].y - b.points[b.points.length - 1].y)
    .filter(
      ({ name }, i, all) =>
        name === 'sink-window' || i < mostSeries - (hasWindow(all.slice(mostSeries)) ? 1 : 0),
    );
  return {
    kind: 'line',
    title: 'Error as the stream grows',
    description:
      'Every cache may hold as many bytes. Mean relative error of the answers to the queries asked, against exact attention over all tokens so far.',
    x: { label: 'tokens' },
    y: { label: 'relative error', include: [0] },
    series:
      series.length > 0
        ? series
        : [{ name: 'all exact', points: [{ x: rows[rows.length - 1].tokens, y: 0 }] }],
  };
}

function hasWindow(series: readonly LineSeries[]): boolean {
  return series.some(({ name }) => name === 'sink-window');
}

/** Error at the end, a bar a policy. */
export function errorBars(rows: readonly ComparisonRow[], emphasis: string): Chart {
  return {
    kind: 'bars',
    title: 'Error at the end of the stream',
    description:
      'Mean relative error of the answers, at equal bytes; the full cache is exact and has no bound on its bytes.',
    value: { label: 'relative error' },
    bars: lastRows(rows)
      .filter(({ policy }) => policy !== 'full')
      .toSorted((a, b) => a.relativeError - b.relativeError)
      .map(({ name, relativeError }) => ({ label: name, value: relativeError, emphasis: name === emphasis })),
  };
}

/** The last checkpoint of each policy. */
export function lastRows(rows: readonly ComparisonRow[]): ComparisonRow[] {
  const tokens = rows.reduce((most, row) => Math.max(most, row.tokens), 0);
  return rows.filter((row) => row.tokens === tokens);
}

export function comparisonTable(rows: readonly ComparisonRow[]): Table {
  const watched = rows.some(({ needle }) => needle !== undefined);
  return {
    columns: [
      ...['policy', 'rows', 'bytes', 'error', 'ε', 'lse error (nats)'],
      ...(watched ? ['needle kept (%)'] : []),
      ...['µs a token', 'µs a query'],
    ],
    rows: lastRows(rows).map((row) => [
      ...[row.name, row.rows, row.bytes, row.relativeError, row.theoremError, row.lseError],
      ...(watched ? [row.needle === undefined ? '' : 100 * row.needle] : []),
      ...[row.appendMicroseconds, row.queryMicroseconds],
    ]),
    note: 'Rows: mean over the key heads. Error: ‖õ − o‖ / ‖o‖; ε: ‖õ − o‖ / (‖softmax‖₂ ‖V‖_op), which the theorem bounds. Means over heads and queries.',
  };
}
