// Colours of charts and pages, as CSS variables with a light and a dark value, so that one SVG serves both.
// Every series colour has contrast ≥ 3 : 1 and every text colour ≥ 4.5 : 1 on both grounds of its theme (theme.test.ts).

export type ThemeName = 'light' | 'dark';

/** CSS variable name without its dashes → colour. */
export type Theme = Readonly<Record<ThemeVariable, string>>;

export type ThemeVariable =
  | 'ground'
  | 'surface'
  | 'ink'
  | 'muted'
  | 'rule'
  | 'accent'
  | 'good'
  | 'warn'
  | 'bad'
  | 'heat'
  | `series-${1 | 2 | 3 | 4 | 5 | 6 | 7 | 8}`;

export const themes: Readonly<Record<ThemeName, Theme>> = {
  light: {
    ground: '#f6f7f9',
    surface: '#ffffff',
    ink: '#16202b',
    muted: '#55606e',
    rule: '#d8dde4',
    accent: '#1b5cc7',
    good: '#0a6b4c',
    warn: '#815300',
    bad: '#b3261e',
    heat: '#5593f2',
    'series-1': '#1f66d0',
    'series-2': '#c2570c',
    'series-3': '#0b7f5f',
    'series-4': '#b0307f',
    'series-5': '#6d4bc4',
    'series-6': '#0f7c93',
    'series-7': '#7a5a2a',
    'series-8': '#5d6875',
  },
  dark: {
    ground: '#0e1318',
    surface: '#161d25',
    ink: '#e8edf3',
    muted: '#a3afbd',
    rule: '#303b47',
    accent: '#84b4ff',
    good: '#5bd6a2',
    warn: '#f2bd5a',
    bad: '#ff8f86',
    heat: '#2f63ba',
    'series-1': '#7fb0ff',
    'series-2': '#ff9d57',
    'series-3': '#4fd1a5',
    'series-4': '#f58ac5',
    'series-5': '#b69cff',
    'series-6': '#5fcbe0',
    'series-7': '#d5b27a',
    'series-8': '#a9b4c1',
  },
};

/** How many series a chart can tell apart by colour and symbol. */
export const seriesCount = 8;

/** CSS colour of series `index`, 0 ≤ index < 8: a variable that follows the page's theme. */
export function seriesColor(index: number): string {
  return `var(--series-${(index % seriesCount) + 1})`;
}

/** `--name: value;` lines of a theme. */
export function themeVariables(name: ThemeName): string {
  return Object.entries(themes[name])
    .map(([variable, color]) => `--${variable}: ${color};`)
    .join(' ');
}

/** `svg` with every variable and `currentColor` replaced by the theme's colour, for readers that know no CSS. */
export function resolveTheme(svg: string, name: ThemeName): string {
  const theme: Readonly<Record<string, string>> = themes[name];
  return svg
    .replace(/var\(--([a-z0-9-]+)\)/g, (whole, variable: string) => theme[variable] ?? whole)
    .replaceAll('currentColor', theme.ink);
}
