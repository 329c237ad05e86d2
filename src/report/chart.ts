// What a chart is: plain data that says what to draw. It can be printed as JSON, drawn as SVG and shown as a table.

/** How a series came about; told apart by dash and label, never by hue alone. */
export type SeriesRole = 'measured' | 'bound' | 'reference';

export interface Axis {
  /** What is shown, with its unit: "loss evaluations s", "relative error (%)". */
  label: string;
  /** Default 'linear'. */
  scale?: 'linear' | 'log';
  /** Values that must be inside the axis, e.g. 0. Default: just the data. */
  include?: readonly number[];
}

interface ChartText {
  /** Short title, without a full stop. */
  title: string;
  /** What a reader should see in it, one or two sentences: caption and description for screen readers. */
  description: string;
}

export interface LinePoint {
  x: number;
  y: number;
  /** Ends of the error band; give both or none. */
  low?: number;
  high?: number;
}

export interface LineSeries {
  name: string;
  /** Default 'measured'. */
  role?: SeriesRole;
  points: readonly LinePoint[];
}

/** Lines over a numeric axis, with error bands. */
export interface LineChart extends ChartText {
  kind: 'line';
  x: Axis;
  y: Axis;
  /** At most 8. */
  series: readonly LineSeries[];
}

export interface ScatterPoint {
  x: number;
  y: number;
  /** Name of the group that colours it. */
  category?: string;
}

/** Dots in the plane, coloured and shaped by category. */
export interface ScatterChart extends ChartText {
  kind: 'scatter';
  x: Axis;
  y: Axis;
  points: readonly ScatterPoint[];
  /** Order of the categories, at most 8. Default: order of appearance. */
  categories?: readonly string[];
  /** Radius of a dot in pixels. Default 3, smaller above 500 points. */
  radius?: number;
  /** Same scale on both axes, for maps. Default false. */
  equalScales?: boolean;
}

export interface Bar {
  label: string;
  value: number;
  /** Ends of the interval; give both or none. */
  low?: number;
  high?: number;
  /** Default 'measured'. */
  role?: SeriesRole;
  /** The bar the reader should look at first. Default false. */
  emphasis?: boolean;
}

export interface IntervalRow {
  label: string;
  /** The estimate. */
  value: number;
  low: number;
  high: number;
  /** The exact answer, where it is known. */
  exact?: number;
}

/** Estimates with their intervals, one a row, and whether each holds the exact answer. */
export interface IntervalChart extends ChartText {
  kind: 'intervals';
  /** Axis of the values. */
  value: Omit<Axis, 'scale'>;
  rows: readonly IntervalRow[];
}

/** Horizontal bars, one a label, with intervals as whiskers. */
export interface BarChart extends ChartText {
  kind: 'bars';
  /** Axis of the values. Must not be 'log': bars start at 0. */
  value: Omit<Axis, 'scale'>;
  bars: readonly Bar[];
}

export interface Mark {
  value: number;
  label: string;
  role: SeriesRole;
}

/** Distribution of values, with marked positions. */
export interface Histogram extends ChartText {
  kind: 'histogram';
  x: Omit<Axis, 'scale'>;
  values: readonly number[];
  /** Number of bins wanted; the drawing rounds to nice edges. Default 30. */
  bins?: number;
  /** Vertical lines: the exact value, a bound. */
  marks?: readonly Mark[];
}

/** A matrix of values as shades, with the value in each cell when there is room. */
export interface HeatMap extends ChartText {
  kind: 'heat-map';
  /** What a cell holds, with unit. */
  value: string;
  rowLabel: string;
  columnLabel: string;
  rows: readonly string[];
  columns: readonly string[];
  /** Shape (rows.length, columns.length), row-major. */
  values: ArrayLike<number>;
}

/** A rectangle of a shade map, in the units of its axes. */
export interface Outline {
  x: readonly [from: number, to: number];
  y: readonly [from: number, to: number];
}

/** A matrix too large for names and numbers: shades over two numeric axes, row 0 on top, with parts of it outlined. */
export interface ShadeMap extends ChartText {
  kind: 'shade-map';
  /** What a cell holds, with unit. */
  value: string;
  /** The cells divide [0, end] evenly along each axis. */
  x: { label: string; end: number };
  y: { label: string; end: number };
  rows: number;
  columns: number;
  /** Shape (rows, columns), row-major, ≥ 0. */
  values: ArrayLike<number>;
  /** A unit of one axis is as long as one of the other, for pictures. Default false: the map is as high as it is wide. */
  equalScales?: boolean;
  /** Default 'linear'. 'log': a shade for each factor, down to a hundredth of the largest value. */
  shade?: 'linear' | 'log';
  /** Rectangles drawn over the cells, named in the legend. */
  outlines?: { name: string; rectangles: readonly Outline[] };
  /** Positions on the x axis, ticked along the upper edge, named in the legend. */
  ticks?: { name: string; positions: readonly number[] };
}

/** What became of an item, in tracks. */
export interface TrackCategory {
  name: string;
  /** Share of a track's height that its marks take, in [0, 1]: categories differ by it and not by hue alone; 0 is not drawn. */
  height: number;
}

/** Tracks over a common axis of items, each item of one of a few categories: which tokens each head keeps. */
export interface TrackChart extends ChartText {
  kind: 'tracks';
  /** What the items are. */
  x: { label: string };
  rowLabel: string;
  /** Names of the tracks. */
  rows: readonly string[];
  /** Items of a track. */
  columns: number;
  /** At most 8. */
  categories: readonly TrackCategory[];
  /** Places in `categories`, shape (rows.length, columns), row-major. */
  values: ArrayLike<number>;
  /** A line between two items, named above it. */
  divider?: { at: number; label: string };
}

export type Chart =
  | LineChart
  | ScatterChart
  | BarChart
  | IntervalChart
  | Histogram
  | HeatMap
  | ShadeMap
  | TrackChart;

/** A table of text and numbers; numbers are set in tabular figures, right-aligned. */
export interface Table {
  columns: readonly string[];
  rows: readonly (readonly (string | number)[])[];
  /** Said below the table, e.g. what was left out. */
  note?: string;
}
