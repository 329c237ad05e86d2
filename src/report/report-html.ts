// A report as one HTML file: inline style and SVG, no script, nothing loaded from anywhere.

import { type Certificate, isVacuous, shortNumber } from '../core/certificate.ts';
import { certificateCard } from './certificate-card.ts';
import type { Chart, Table } from './chart.ts';
import { chartTable } from './chart-table.ts';
import { type Html, html, trustedHtml } from './html.ts';
import { renderChart } from './render-chart.ts';
import type { Report, Station } from './report.ts';
import { shadedTextElement } from './shaded-text.ts';
import { reportStyle } from './style.ts';

/** Widths of the two drawings of a chart: one for screens and paper, one for phones. The style sheet shows one of them. */
const wide = 680;
const narrow = 340;

/**
 * The report as the text of one self-contained HTML file, for light and dark screens, phones and paper.
 *
 * @throws {InvalidArgumentError} a chart cannot be drawn
 * @throws {MissingDependencyError} Observable Plot or linkedom is not installed
 */
export async function renderReport({ title, lead, stations, madeWith }: Report): Promise<string> {
  const sections: Html[] = [];
  for (const station of stations) sections.push(await stationSection(station));
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${trustedHtml(reportStyle())}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the results</a>
<header class="page">
<p class="brand">Provably <span>approximate AI you can check</span></p>
<h1>${title}</h1>
<p class="lead">${lead}</p>
${overview(stations)}
</header>
<main id="main">
${sections}
</main>
<footer class="page"><ul>${madeWith.map((line) => html`<li>${line}</li>`)}</ul></footer>
</body>
</html>
`;
  return page.text;
}

/** One row a certificate: what all stations promise and kept, at a glance. */
function overview(stations: readonly Station[]): Html {
  const rows = stations.flatMap((station) =>
    station.certificates.map(({ title, value, certificate }) => ({ station, title, value, certificate })),
  );
  return html`<div class="scroll" role="region" tabindex="0" aria-label="All certificates"><table class="overview">
<caption>Every approximate answer of this report, with its certificate</caption>
<thead><tr><th scope="col">system</th><th scope="col">result</th><th scope="col">value</th><th scope="col" class="number">bound</th><th scope="col" class="number">measured</th><th scope="col">state</th></tr></thead>
<tbody>${rows.map(
    ({ station, title, value, certificate }) =>
      html`<tr><th scope="row"><a href="#${station.id}">${station.title}</a></th><td>${title}</td><td>${value}</td><td class="number">${shortNumber(certificate.bound.value)} ${certificate.bound.unit}</td><td class="number">${certificate.audit ? shortNumber(certificate.audit.error) : '–'}</td><td>${stateOf(certificate)}</td></tr>`,
  )}</tbody></table></div>`;
}

function stateOf({ bound, assumptions, audit }: Certificate): Html {
  if (audit && !audit.kept) return html`<span class="bad">✗ broken</span>`;
  if (assumptions.some(({ status }) => status === 'violated'))
    return html`<span class="bad">✗ violated</span>`;
  if (isVacuous(bound)) return html`<span class="warn">! vacuous</span>`;
  return audit ? html`<span class="good">✓ kept</span>` : html`not audited`;
}

async function stationSection(station: Station): Promise<Html> {
  const { id, title, question, answer, input, figures, texts = [], charts, tables } = station;
  const { certificates, repeat, seconds } = station;
  const drawn: Html[] = [];
  for (const chart of charts) drawn.push(await chartFigure(chart));
  return html`<section id="${id}" aria-labelledby="${id}-title">
<h2 id="${id}-title">${title}</h2>
<p class="question">${question}</p>
<p class="answer">${answer}</p>
<p class="small">Input: ${input} · ${shortNumber(seconds)} s</p>
${figures.length > 0 && html`<dl class="figures">${figures.map(({ label, value, note }) => html`<div><dt>${label}</dt><dd>${value}</dd>${note && html`<dd class="note">${note}</dd>`}</div>`)}</dl>`}
${texts.map(shadedTextElement)}
${drawn}
${tables.map(({ caption, table }) => html`<div class="panel">${tableElement(table, caption)}</div>`)}
${certificates.length > 0 && html`<h3>Certificates</h3><div class="certificates">${certificates.map(certificateCard)}</div>`}
<div class="repeat"><h3>Repeat it</h3><pre tabindex="0"><code>${repeat.command}</code></pre><p class="small">Seed ${repeat.seed}: the same version, seed and backend give the same numbers.</p></div>
</section>`;
}

async function chartFigure(chart: Chart): Promise<Html> {
  const large = await renderChart(chart, { width: wide });
  const small = await renderChart(chart, { width: narrow });
  return html`<figure class="panel chart">
<figcaption><h3>${chart.title}</h3><p>${chart.description}</p></figcaption>
<div class="wide">${trustedHtml(large)}</div><div class="narrow">${trustedHtml(small)}</div>
<details><summary>Show as table</summary>${tableElement(chartTable(chart), chart.title)}</details>
</figure>`;
}

/** A column is numeric when all its filled cells are. */
function tableElement({ columns, rows, note }: Table, caption: string): Html {
  const numeric = columns.map((_, j) => rows.every((row) => typeof row[j] === 'number' || row[j] === ''));
  const cell = (value: string | number): string => (typeof value === 'number' ? shortNumber(value) : value);
  return html`<div class="scroll" role="region" tabindex="0" aria-label="Table: ${caption}"><table>
<caption>${caption}</caption>
<thead><tr>${columns.map((name, j) => html`<th scope="col"${numeric[j] && html` class="number"`}>${name}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${row.map((value, j) => html`<td${numeric[j] && html` class="number"`}>${cell(value)}</td>`)}</tr>`)}</tbody>
</table></div>${note && html`<p class="small">${note}</p>`}`;
}
