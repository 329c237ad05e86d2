import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { heatOpacity } from './charts/heat-map.ts';
import { resolveTheme, type ThemeName, type ThemeVariable, themes, themeVariables } from './theme.ts';

const names: ThemeName[] = ['light', 'dark'];
const series = [1, 2, 3, 4, 5, 6, 7, 8].map((i) => `series-${i}` as ThemeVariable);

type Rgb = [number, number, number];

function rgb(hex: string): Rgb {
  assert.match(hex, /^#[0-9a-f]{6}$/);
  return [1, 3, 5].map((i) => Number.parseInt(hex.slice(i, i + 2), 16)) as Rgb;
}

/** Relative luminance and contrast as WCAG 2.2 defines them. */
function luminance(color: Rgb): number {
  const [r, g, b] = color.map((c) =>
    c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4,
  );
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: Rgb, b: Rgb): number {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

describe('themes', () => {
  for (const name of names) {
    const theme = themes[name];
    it(`${name}: text has contrast ≥ 4.5 on ground and surface`, () => {
      for (const text of ['ink', 'muted', 'accent', 'good', 'warn', 'bad'] as const) {
        for (const ground of ['ground', 'surface'] as const) {
          const ratio = contrast(rgb(theme[text]), rgb(theme[ground]));
          assert.ok(ratio >= 4.5, `${text} on ${ground}: ${ratio}`);
        }
      }
    });

    it(`${name}: every series has contrast ≥ 3 on the surface`, () => {
      for (const color of series) {
        const ratio = contrast(rgb(theme[color]), rgb(theme.surface));
        assert.ok(ratio >= 3, `${color}: ${ratio}`);
      }
    });

    it(`${name}: the number in a heat map cell has contrast ≥ 4.5 at every shade`, () => {
      for (let value = 0; value <= 100; value++) {
        const opacity = heatOpacity(value, 0, 100);
        const [heat, surface] = [rgb(theme.heat), rgb(theme.surface)];
        const shade = heat.map((c, i) => opacity * c + (1 - opacity) * surface[i]) as Rgb;
        const ratio = contrast(rgb(theme.ink), shade);
        assert.ok(ratio >= 4.5, `opacity ${opacity}: ${ratio}`);
      }
    });
  }
});

describe('resolveTheme', () => {
  it('leaves no variable that the theme defines, and no currentColor', () => {
    const svg = '<path stroke="var(--series-3)" fill="currentColor"/><text fill="var(--rule)"/>';
    const resolved = resolveTheme(svg, 'dark');
    assert.equal(resolved, '<path stroke="#4fd1a5" fill="#e8edf3"/><text fill="#303b47"/>');
  });

  it('defines the same variables in both themes', () => {
    const variables = (name: ThemeName) => [...themeVariables(name).matchAll(/--[\w-]+/g)].map(String);
    assert.deepEqual(variables('light'), variables('dark'));
  });
});
