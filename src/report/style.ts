// The style sheet of the report: one column of panels, system fonts, colours of theme.ts.

import { themeVariables } from './theme.ts';

/** CSS text, to be put into a `<style>` element. */
export function reportStyle(): string {
  return `:root { color-scheme: light dark; ${themeVariables('light')} }
@media (prefers-color-scheme: dark) { :root { ${themeVariables('dark')} } }
${rules}`;
}

const rules = `*, ::before, ::after { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-behavior: smooth; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; font-variant-numeric: tabular-nums; }
.page, main { max-width: 62rem; margin: 0 auto; padding: 0 1.25rem; }
h1, h2, h3, h4, h5, p, figure, dl, dd, ul { margin: 0; }
h1 { font-size: clamp(1.8rem, 5vw, 2.7rem); line-height: 1.12; letter-spacing: -0.022em; text-wrap: balance; }
h2 { font-size: clamp(1.45rem, 3.5vw, 1.9rem); line-height: 1.2; letter-spacing: -0.015em; }
h3 { font-size: 1.06rem; line-height: 1.35; }
h4 { font-size: 1rem; }
h5 { font-size: 0.8rem; color: var(--muted); font-weight: 600; margin-top: 1.1rem; }
a { color: var(--accent); text-underline-offset: 0.15em; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.skip { position: absolute; left: -100vw; }
.skip:focus { left: 1rem; top: 1rem; background: var(--surface); padding: 0.5rem 1rem; }
header.page { padding-top: 2.5rem; }
.brand { font-weight: 700; letter-spacing: -0.01em; margin-bottom: 2rem; }
.brand span { font-weight: 400; color: var(--muted); margin-left: 0.5rem; }
.lead { font-size: 1.15rem; color: var(--muted); max-width: 44rem; margin: 0.8rem 0 1.8rem; text-wrap: pretty; }
section { padding-top: 3rem; }
.question { font-size: 1.18rem; max-width: 46rem; margin-top: 0.5rem; text-wrap: pretty; }
.answer { max-width: 46rem; margin-top: 0.6rem; color: var(--muted); text-wrap: pretty; }
.small, .note { font-size: 0.84rem; color: var(--muted); }
section > .small { margin-top: 0.5rem; }
.panel, .certificate, .figures > div, header .scroll { background: var(--surface); border: 1px solid var(--rule); border-radius: 10px; }
.panel, .certificate { padding: 1.25rem; margin-top: 1.25rem; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: 0.8rem; margin-top: 1.5rem; }
.figures > div { padding: 0.85rem 1.1rem; }
dt { font-size: 0.84rem; color: var(--muted); }
.figures dd:not(.note) { font-size: 1.5rem; font-weight: 650; letter-spacing: -0.015em; line-height: 1.3; }
.chart figcaption p { color: var(--muted); font-size: 0.93rem; max-width: 44rem; margin: 0.2rem 0 0.9rem; text-wrap: pretty; }
.chart svg { display: block; width: 100%; height: auto; max-width: 680px; margin: 0 auto; }
.shaded-text { font: 0.95rem/1.9 ui-serif, Georgia, "Times New Roman", "DejaVu Serif", serif; max-width: 46rem; margin: 0.9rem 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.shade { border-radius: 2px; padding: 0.12em 0; border-bottom: 2px solid transparent; }
.shade-0 { color: var(--muted); }
.shade-1 { background: color-mix(in srgb, var(--heat) 16%, transparent); }
.shade-2 { background: color-mix(in srgb, var(--heat) 36%, transparent); border-bottom-color: color-mix(in srgb, var(--accent) 40%, transparent); }
.shade-3 { background: color-mix(in srgb, var(--heat) 62%, transparent); border-bottom-color: var(--accent); }
.shade-key { display: flex; flex-wrap: wrap; align-items: center; gap: 0.3rem 0.5rem; font-size: 0.84rem; color: var(--muted); }
.shade-key .shade { display: inline-block; width: 1.8rem; text-align: center; color: var(--ink); }
.narrow { display: none; }
@media (min-width: 900px) { .chart { display: grid; grid-template-columns: 14.5rem minmax(0, 1fr); gap: 0 1.5rem; } .chart > details { grid-column: 1 / -1; } }
@media (max-width: 560px) { .wide { display: none; } .narrow { display: block; } .panel, .certificate { padding: 1rem; } .page, main { padding: 0 0.9rem; } }
details { margin-top: 0.8rem; }
summary { cursor: pointer; color: var(--accent); font-size: 0.9rem; width: fit-content; }
.scroll { overflow-x: auto; max-height: 26rem; }
header .scroll { padding: 0.4rem 1.1rem; }
table { border-collapse: collapse; font-size: 0.9rem; width: 100%; }
caption { text-align: left; font-weight: 600; padding: 0.6rem 0; }
details caption { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; }
th, td { text-align: left; padding: 0.42rem 0.9rem 0.42rem 0; border-top: 1px solid var(--rule); vertical-align: baseline; }
th { font-weight: 600; }
.overview { min-width: 44rem; }
thead th { color: var(--muted); font-weight: 500; border-top: 0; white-space: nowrap; }
.number { text-align: right; white-space: nowrap; }
td:last-child, .overview td { white-space: nowrap; }
.good { color: var(--good); } .warn { color: var(--warn); } .bad { color: var(--bad); }
section > h3, .repeat h3 { margin-top: 2rem; }
.certificates { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 0 1.25rem; }
.certificate header { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0.2rem 1rem; }
.certified-value { font-weight: 650; }
.promise { margin-top: 0.5rem; font-size: 0.95rem; overflow-wrap: anywhere; }
cite { font-style: normal; color: var(--muted); font-size: 0.84rem; }
.verdict { margin-top: 0.7rem; font-weight: 600; font-size: 0.93rem; }
.bound { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: 0.8rem; margin-top: 0.8rem; }
.bound dd:not(.note) { font-size: 1.12rem; font-weight: 600; }
.unit { font-size: 0.84rem; font-weight: 400; color: var(--muted); }
figure.slack { margin-top: 0.9rem; }
figure.slack svg { display: block; }
figure.slack figcaption { font-size: 0.84rem; color: var(--muted); }
.key { display: inline-block; width: 1.4rem; height: 0.6rem; margin: 0 0.4rem 0 0; border-radius: 2px; }
.key.solid { background: currentColor; }
.key.dashed { border: 1.5px dashed var(--ink); margin-left: 1rem; }
.assumptions, .warnings, footer ul { list-style: none; padding: 0; }
.assumptions li { display: flex; gap: 0.7rem; padding: 0.35rem 0; font-size: 0.92rem; border-top: 1px solid var(--rule); }
.assumptions li:first-child { border-top: 0; }
.status { flex: 0 0 5.6rem; font-weight: 600; font-size: 0.84rem; padding-top: 0.08rem; }
.proved .status, .checked .status { color: var(--good); }
.assumed .status { color: var(--warn); }
.violated .status { color: var(--bad); }
.warnings { margin-top: 0.6rem; border-left: 3px solid var(--warn); padding-left: 0.8rem; font-size: 0.92rem; }
.certificate > .small { margin-top: 0.9rem; }
pre { background: var(--surface); border: 1px solid var(--rule); border-radius: 8px; padding: 0.8rem 1rem; overflow-x: auto; margin: 0.6rem 0 0.4rem; font: 0.88rem/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
footer.page { margin-top: 3.5rem; padding-bottom: 3rem; font-size: 0.84rem; color: var(--muted); }
@media print {
  :root { ${themeVariables('light')} --ground: #ffffff; }
  body { font-size: 10.5pt; }
  .skip, details { display: none; }
  .panel, .certificate, .figures { break-inside: avoid; }
  .scroll { overflow: visible; max-height: none; }
  section { break-before: page; }
  section:first-child { break-before: auto; padding-top: 1.5rem; }
}`;
