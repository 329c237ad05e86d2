// A certificate as a card: the promise, what it rests on, and the bound beside what was measured.

import { type Assumption, type Certificate, isVacuous, shortNumber } from '../core/certificate.ts';
import { type Html, html, trustedHtml } from './html.ts';
import type { NamedCertificate } from './report.ts';

const statusSign: Record<Assumption['status'], string> = {
  proved: '✓',
  checked: '✓',
  assumed: '?',
  violated: '✗',
};

const statusHint: Record<Assumption['status'], string> = {
  proved: 'holds by construction',
  checked: 'measured on this input',
  assumed: 'not looked at here',
  violated: 'measured, and false here',
};

/** The card of one certificate, an `<article>`. */
export function certificateCard({ title, value, certificate }: NamedCertificate): Html {
  const { statement, source, assumptions, seed, backend, warnings } = certificate;
  return html`<article class="certificate">
<header><h4>${title}</h4><p class="certified-value">${value}</p></header>
<p class="promise">${statement}. <cite>${source}</cite></p>
${verdict(certificate)}
${boundFigures(certificate)}
${slackBar(certificate)}
<h5>What it rests on</h5>
${assumptions.length === 0 ? html`<p>No assumptions.</p>` : html`<ul class="assumptions">${assumptions.map(assumptionItem)}</ul>`}
${warnings.length > 0 && html`<ul class="warnings">${warnings.map((warning) => html`<li>${warning}</li>`)}</ul>`}
<p class="small">seed ${seed} · backend ${backend}</p>
</article>`;
}

function verdict({ bound, assumptions, audit }: Certificate): Html {
  if (audit && !audit.kept)
    return html`<p class="verdict bad">✗ Bound broken: the measured error is above it.</p>`;
  if (assumptions.some(({ status }) => status === 'violated')) {
    return html`<p class="verdict bad">✗ An assumption is violated here, so the bound is not promised.</p>`;
  }
  if (isVacuous(bound)) {
    const percent = bound.scale === undefined ? '' : ' (above 100 % of what it bounds)';
    return html`<p class="verdict warn">! Vacuous: the bound promises nothing here${percent}.</p>`;
  }
  if (audit) return html`<p class="verdict good">✓ Kept: the measured error is within the bound.</p>`;
  return html`<p class="verdict">Not audited: the error was not measured against the exact answer.</p>`;
}

function boundFigures({ bound, audit }: Certificate): Html {
  const { value, unit, failureProbability, scale } = bound;
  const percent =
    scale && Number.isFinite(value) ? `${shortNumber((100 * value) / Math.abs(scale))} %` : undefined;
  return html`<dl class="bound">
<div><dt>Bound</dt><dd>${shortNumber(value)} <span class="unit">${unit}</span></dd>${percent && html`<dd class="note">${percent} of the value</dd>`}</div>
<div><dt>May fail with probability</dt><dd>${failureProbability === 0 ? '0' : shortNumber(failureProbability)}</dd><dd class="note">${failureProbability === 0 ? 'deterministic' : 'over the draws of the seed'}</dd></div>
<div><dt>Measured error</dt><dd>${audit ? shortNumber(audit.error) : '–'} ${audit && html`<span class="unit">${unit}</span>`}</dd><dd class="note">${audit ? audit.sample : 'not audited'}</dd></div>
<div><dt>Slack</dt><dd>${audit ? `${shortNumber(audit.slack)} ×` : '–'}</dd><dd class="note">bound ÷ measured</dd></div>
</dl>`;
}

/** Measured error as a solid bar in the dashed frame of the bound; the longer of the two takes the whole width. */
function slackBar({ bound, audit }: Certificate): Html | undefined {
  if (!audit || !Number.isFinite(bound.value) || !Number.isFinite(audit.error)) return undefined;
  const most = Math.max(bound.value, audit.error);
  if (most === 0) return undefined;
  const percent = (value: number): string => `${Number(((100 * value) / most).toFixed(2))}%`;
  const label = `Measured error ${shortNumber(audit.error)}, bound ${shortNumber(bound.value)} ${bound.unit}`;
  const svg = html`<svg class="slack" role="img" aria-label="${label}" width="100%" height="30"><title>${label}</title>
<rect x="0" y="9" width="${percent(audit.error)}" height="12" rx="2" fill="var(--${audit.kept ? 'good' : 'bad'})"/>
<rect x="1" y="4" width="${percent(bound.value)}" height="22" rx="4" fill="none" stroke="currentColor" stroke-width="1.5" stroke-dasharray="7 4" style="width: calc(${percent(bound.value)} - 2px)"/></svg>`;
  return html`<figure class="slack">${trustedHtml(svg.text)}<figcaption><span class="key solid ${audit.kept ? 'good' : 'bad'}"></span>measured <span class="key dashed"></span>bound</figcaption></figure>`;
}

function assumptionItem({ statement, status, measured, measure }: Assumption): Html {
  const figure =
    measured === undefined ? undefined : `${measure ? `${measure}: ` : ''}${shortNumber(measured)}`;
  return html`<li class="${status}"><span class="status" title="${statusHint[status]}"><span aria-hidden="true">${statusSign[status]}</span> ${status}</span> <span>${statement}${figure && html` <span class="note">(${figure})</span>`}</span></li>`;
}
