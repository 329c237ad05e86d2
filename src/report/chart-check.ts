// What a chart must hold before it is drawn.

import {
  requireFinite,
  requireInteger,
  requireLength,
  requireNonNegative,
  requirePositive,
} from '../core/check.ts';
import { InvalidArgumentError } from '../core/errors.ts';
import type { Axis, Chart } from './chart.ts';
import { categoriesOf } from './charts/scatter.ts';
import { seriesCount } from './theme.ts';

/** More dots than this make a file that browsers draw slowly; a random sample of them looks the same. */
const mostPoints = 20_000;

/** @throws {InvalidArgumentError} | {ShapeError} naming the chart and what is wrong with it */
export function checkChart(chart: Chart): void {
  const where = `chart "${chart.title}"`;
  switch (chart.kind) {
    case 'line': {
      requireSeries(where, chart.series.length);
      for (const { name, points } of chart.series) {
        requireSome(`${where}, series "${name}"`, points.length, 'points');
        checkAxis(
          `${where}, series "${name}": x`,
          chart.x,
          points.map(({ x }) => x),
        );
        checkAxis(
          `${where}, series "${name}": y`,
          chart.y,
          points.flatMap(({ y, low = y, high = y }) => [y, low, high]),
        );
      }
      return;
    }
    case 'scatter':
      requireSome(where, chart.points.length, 'points');
      if (chart.points.length > mostPoints) {
        throw new InvalidArgumentError(
          `${where} has ${chart.points.length} points; expected at most ${mostPoints}. Draw a random sample of them.`,
        );
      }
      requireSeries(where, (chart.categories ?? categoriesOf(chart)).length);
      checkAxis(
        `${where}: x`,
        chart.x,
        chart.points.map(({ x }) => x),
      );
      checkAxis(
        `${where}: y`,
        chart.y,
        chart.points.map(({ y }) => y),
      );
      return;
    case 'intervals':
      requireSome(where, chart.rows.length, 'rows');
      requireDistinct(where, chart.rows);
      requireFinite(
        `${where}: rows`,
        chart.rows.flatMap(({ value, low, high, exact = value }) => [value, low, high, exact]),
      );
      return;
    case 'bars':
      requireSome(where, chart.bars.length, 'bars');
      requireDistinct(where, chart.bars);
      requireFinite(
        `${where}: bars`,
        chart.bars.flatMap(({ value, low = value, high = value }) => [value, low, high]),
      );
      return;
    case 'histogram':
      requireSome(where, chart.values.length, 'values');
      requireFinite(`${where}: values`, chart.values);
      requireFinite(
        `${where}: marks`,
        (chart.marks ?? []).map(({ value }) => value),
      );
      return;
    case 'heat-map':
      requireSome(where, chart.rows.length * chart.columns.length, 'cells');
      requireLength(`${where}: values`, chart.values, chart.rows.length * chart.columns.length);
      return;
    case 'shade-map':
      requireSome(where, chart.rows * chart.columns, 'cells');
      requireLength(`${where}: values`, chart.values, chart.rows * chart.columns);
      requireNonNegative(`${where}: values`, chart.values);
      requirePositive(`${where}: x.end`, chart.x.end);
      requirePositive(`${where}: y.end`, chart.y.end);
      requireFinite(
        `${where}: outlines`,
        (chart.outlines?.rectangles ?? []).flatMap(({ x, y }) => [...x, ...y]),
      );
      requireFinite(`${where}: ticks`, chart.ticks?.positions ?? []);
      return;
    case 'tracks':
      requireSome(where, chart.rows.length * chart.columns, 'items');
      requireSeries(where, chart.categories.length);
      requireLength(`${where}: values`, chart.values, chart.rows.length * chart.columns);
      for (let i = 0; i < chart.values.length; i++)
        requireInteger(`${where}: values[${i}]`, chart.values[i], 0, chart.categories.length - 1);
  }
}

function requireSome(where: string, count: number, what: string): void {
  if (count === 0) throw new InvalidArgumentError(`${where} has no ${what}; expected at least one.`);
}

function requireDistinct(where: string, rows: readonly { label: string }[]): void {
  if (new Set(rows.map(({ label }) => label)).size < rows.length) {
    throw new InvalidArgumentError(`${where} has two rows of one label; expected each label once.`);
  }
}

function requireSeries(where: string, count: number): void {
  requireSome(where, count, 'series');
  if (count > seriesCount) {
    throw new InvalidArgumentError(
      `${where} has ${count} series; expected at most ${seriesCount}, more cannot be told apart. Split it.`,
    );
  }
}

function checkAxis(where: string, { scale }: Axis, values: number[]): void {
  requireFinite(where, values);
  if (scale === 'log') for (const value of values) requirePositive(`${where} on a log axis`, value);
}
