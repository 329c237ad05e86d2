// The numbers of a chart as a table: for whoever cannot see the picture, or wants to copy them.

import type { Chart, Table } from './chart.ts';

const mostRows = 500;

/** All numbers drawn in `chart`; long ones end with a note of what is left out. */
export function chartTable(chart: Chart): Table {
  switch (chart.kind) {
    case 'line': {
      const points = chart.series.flatMap(({ name, points }) => points.map((point) => ({ name, ...point })));
      const banded = points.some(({ low }) => low !== undefined);
      const columns = ['series', chart.x.label, chart.y.label, ...(banded ? ['low', 'high'] : [])];
      const rows = points.map(({ name, x, y, low, high }) => [
        name,
        x,
        y,
        ...(banded ? [low ?? '', high ?? ''] : []),
      ]);
      return cut(columns, rows);
    }
    case 'scatter': {
      const named = chart.points.some(({ category }) => category !== undefined);
      const rows = chart.points.map(({ x, y, category }) => (named ? [category ?? '', x, y] : [x, y]));
      return cut([...(named ? ['group'] : []), chart.x.label, chart.y.label], rows);
    }
    case 'bars': {
      const banded = chart.bars.some(({ low }) => low !== undefined);
      const rows = chart.bars.map(({ label, value, low, high }) => [
        label,
        value,
        ...(banded ? [low ?? '', high ?? ''] : []),
      ]);
      return cut(['', chart.value.label, ...(banded ? ['low', 'high'] : [])], rows);
    }
    case 'intervals': {
      const audited = chart.rows.some(({ exact }) => exact !== undefined);
      const rows = chart.rows.map(({ label, value, low, high, exact }) => [
        ...[label, value, low, high],
        ...(audited ? [exact ?? ''] : []),
      ]);
      return cut(['', chart.value.label, 'low', 'high', ...(audited ? ['exact'] : [])], rows);
    }
    case 'histogram':
      return cut(
        [chart.x.label, ''],
        [
          ...(chart.marks ?? []).map(({ value, label }) => [value, label]),
          ...chart.values.toSorted((a, b) => a - b).map((value) => [value, '']),
        ],
      );
    case 'heat-map': {
      const { rows, columns, values } = chart;
      const width = columns.length;
      return cut(
        [`${chart.rowLabel} \\ ${chart.columnLabel}`, ...columns],
        rows.map((name, i) => [name, ...columns.map((_, j) => values[i * width + j])]),
      );
    }
    case 'shade-map': {
      const { x, y, rows, columns, values, value } = chart;
      const cells = Array.from(values, (shade, i) => [
        (Math.floor(i / columns) * y.end) / rows,
        ((i % columns) * x.end) / columns,
        shade,
      ]);
      const largestFirst = cells.sort((a, b) => b[2] - a[2]);
      return cut([`${y.label}, from`, `${x.label}, from`, value], largestFirst);
    }
    case 'tracks': {
      const { rows, columns, categories, values, rowLabel } = chart;
      return cut(
        [rowLabel, ...categories.map(({ name }) => name)],
        rows.map((name, i) => {
          const counts = new Array<number>(categories.length).fill(0);
          for (let j = 0; j < columns; j++) counts[values[i * columns + j]]++;
          return [name, ...counts];
        }),
      );
    }
  }
}

function cut(columns: string[], rows: (string | number)[][]): Table {
  if (rows.length <= mostRows) return { columns, rows };
  return { columns, rows: rows.slice(0, mostRows), note: `The first ${mostRows} of ${rows.length} rows.` };
}
