// A text with shares as an element of the page: the more heads keep a token, the darker its ground.

import { type Html, html } from './html.ts';
import type { ShadedText } from './report.ts';

/** Shades that a reader tells apart, none included. */
export const SHADES = 4;

/** 0 for no share, SHADES − 1 for all of it or nearly. */
export function shadeOf(share: number): number {
  return share <= 0 ? 0 : Math.min(SHADES - 1, 1 + Math.floor(share * (SHADES - 1)));
}

export function shadedTextElement({ title, description, legend: [all, none], pieces }: ShadedText): Html {
  return html`<figure class="panel">
<figcaption><h3>${title}</h3><p class="small">${description}</p></figcaption>
<p class="shaded-text">${runsOf(pieces).map(
    ({ text, shade }) => html`<span class="shade shade-${shade}">${text}</span>`,
  )}</p>
<p class="shade-key" aria-hidden="true">${none} ${Array.from(
    { length: SHADES },
    (_, shade) => html`<span class="shade shade-${shade}">a</span>`,
  )} ${all}</p>
</figure>`;
}

/** Neighbours of one shade as one. */
export function runsOf(pieces: ShadedText['pieces']): { text: string; shade: number }[] {
  const runs: { text: string; shade: number }[] = [];
  for (const { text, share } of pieces) {
    const shade = shadeOf(share);
    const last = runs[runs.length - 1];
    if (last?.shade === shade) last.text += text;
    else runs.push({ text, shade });
  }
  return runs;
}
