// The legend stands inside the picture, in its top margin, so that a chart can be read wherever it is pasted.

import type { Markish } from '@observablehq/plot';
import type { Plot } from '../dependencies.ts';
import { dashOf, fontSize, type SeriesStyle, textWidth } from './frame.ts';

const rowHeight = 20;
const swatchWidth = 30;
/** Pixels between legend and frame, where the label of the vertical axis stands. */
const labelRoom = 32;

export interface LegendItem {
  label: string;
  style: SeriesStyle;
  /** 'line': dash, and symbol where measured · 'rule': dash alone · 'dot': symbol alone · 'bar': an upright bar, `height` of its place. */
  shape: 'line' | 'rule' | 'dot' | 'bar';
  /** Of a bar, in (0, 1]. Default 1. */
  height?: number;
}

export interface Legend {
  marks: Markish[];
  /** Pixels it takes above the frame. */
  height: number;
}

/** Items in rows no wider than `width` pixels, from the picture's left edge, above the vertical axis' label. */
export function drawLegend(
  plot: Plot,
  items: readonly LegendItem[],
  width: number,
  marginLeft: number,
): Legend {
  if (items.length === 0) return { marks: [], height: 0 };
  const places: { x: number; row: number }[] = [];
  let x = 0;
  let row = 0;
  for (const { label } of items) {
    const needed = swatchWidth + textWidth(label) + 14;
    if (x > 0 && x + needed > width) {
      x = 0;
      row++;
    }
    places.push({ x, row });
    x += needed;
  }
  const height = (row + 1) * rowHeight + 8;
  const top = 10 - height - labelRoom;
  const marks = items.flatMap((item, i) =>
    drawItem(plot, item, places[i].x + 6 - marginLeft, places[i].row * rowHeight + top),
  );
  return { marks, height };
}

function drawItem(
  plot: Plot,
  { label, style, shape, height = 1 }: LegendItem,
  dx: number,
  dy: number,
): Markish[] {
  const { color, symbol, role } = style;
  const place = { frameAnchor: 'top-left', dy } as const;
  const marks: Markish[] = [
    plot.text([label], {
      ...place,
      dx: dx + swatchWidth,
      textAnchor: 'start',
      lineAnchor: 'middle',
      fontSize,
    }),
  ];
  if (shape === 'bar') marks.push(barSwatch(color, height, dx, dy));
  if (shape === 'line' || shape === 'rule') marks.push(lineSwatch(color, dashOf(role), dx, dy));
  if (shape === 'dot' || (shape === 'line' && role === 'measured')) {
    marks.push(plot.dot([label], { ...place, dx: dx + 12, symbol, fill: color, r: 4 }));
  }
  return marks;
}

/** A short horizontal stroke `dy` pixels from the frame's top edge: Plot has no mark for one in pixels. */
function lineSwatch(color: string, dash: string | undefined, dx: number, dy: number): Markish {
  return (_index, _scales, _values, { marginLeft, marginTop }, { document }) => {
    const line = document.createElementNS('http://www.w3.org/2000/svg', 'line');
    const at = { x1: marginLeft + dx, x2: marginLeft + dx + 24, y1: marginTop + dy, y2: marginTop + dy };
    for (const [name, value] of Object.entries(at)) line.setAttribute(name, String(value));
    line.setAttribute('stroke', color);
    line.setAttribute('stroke-width', '2');
    if (dash) line.setAttribute('stroke-dasharray', dash);
    return line;
  };
}

/** A bar as tracks have them; those of all heights stand on one line. */
function barSwatch(color: string, height: number, dx: number, dy: number): Markish {
  return (_index, _scales, _values, { marginLeft, marginTop }, { document }) => {
    const bar = document.createElementNS('http://www.w3.org/2000/svg', 'rect');
    const full = 14;
    const place = {
      ...{ x: marginLeft + dx + 8, width: 12, height: full * height },
      y: marginTop + dy + full / 2 - full * height,
    };
    for (const [name, value] of Object.entries(place)) bar.setAttribute(name, String(value));
    bar.setAttribute('fill', color);
    return bar;
  };
}
