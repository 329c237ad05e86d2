// Charts and reports: data in, SVG, PNG or one self-contained HTML file out.

export type {
  Axis,
  Bar,
  BarChart,
  Chart,
  HeatMap,
  Histogram,
  IntervalChart,
  IntervalRow,
  LineChart,
  LinePoint,
  LineSeries,
  Mark,
  Outline,
  ScatterChart,
  ScatterPoint,
  SeriesRole,
  ShadeMap,
  Table,
  TrackCategory,
  TrackChart,
} from './chart.ts';
export { chartTable } from './chart-table.ts';
export { type PngOptions, svgToPng } from './png.ts';
export { plotOptions, type RenderOptions, renderChart } from './render-chart.ts';
export type { Figure, NamedCertificate, Report, ShadedText, Station } from './report.ts';
export { renderReport } from './report-html.ts';
export { SHADES, shadeOf } from './shaded-text.ts';
export { resolveTheme, type Theme, type ThemeName, themes, themeVariables } from './theme.ts';
export { type WriteFileOptions, writeFileAtomically } from './write-file.ts';
