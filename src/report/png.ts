// Charts as PNG, for documents that cannot hold SVG.

import { importOptional } from '../core/import-optional.ts';
import { resolveTheme, type ThemeName, themes } from './theme.ts';

/** Sought in this order; whichever the machine has. */
const fonts = 'Inter, Helvetica Neue, Arial, Liberation Sans, DejaVu Sans, sans-serif';

export interface PngOptions {
  /** Colours. Default 'light'. */
  theme?: ThemeName;
  /** Pixels of the image per pixel of the drawing. Default 2. */
  scale?: number;
}

/**
 * An SVG of `renderChart` as PNG on the theme's ground.
 *
 * @throws {MissingDependencyError} `@resvg/resvg-js` is not installed
 */
export async function svgToPng(
  svg: string,
  { theme = 'light', scale = 2 }: PngOptions = {},
): Promise<Uint8Array> {
  const { Resvg } = await importOptional(() => import('@resvg/resvg-js'), '@resvg/resvg-js', 'PNG images');
  const image = new Resvg(resolveTheme(svg, theme).replace('font-family:inherit', `font-family:${fonts}`), {
    background: themes[theme].surface,
    fitTo: { mode: 'zoom', value: scale },
    font: { loadSystemFonts: true },
  });
  return image.render().asPng();
}
