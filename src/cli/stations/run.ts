// Runs experiments and says what came out: text, JSON, one HTML report.

import type { Certificate } from '../../core/certificate.ts';
import { type Report, renderReport, type Station, writeFileAtomically } from '../../report/index.ts';
import { type CliContext, colorsFor } from '../context.ts';
import { printCertificate, printJson, printTable } from '../output.ts';
import { showProgress } from '../progress.ts';
import { formatShadedText } from '../shaded-text.ts';
import { describeMachine } from './machine.ts';
import type { Experiment, ExperimentResult, Figures } from './station.ts';

export interface RunRequest {
  system: string;
  experiment: Experiment;
}

export interface RunSettings {
  /** For the report's heading. */
  title: string;
  lead: string;
  seed: number;
  quick: boolean;
  json: boolean;
  /** Of language models; see ExperimentOptions. */
  model?: string | undefined;
  text?: string | undefined;
  /** Where the HTML report goes. */
  report: string;
  /** Command that repeats one experiment. */
  commandOf: (request: RunRequest) => string;
}

/** What `--json` prints for one experiment: one object a line. */
export interface RunRecord {
  system: string;
  experiment: string;
  input: string;
  value: unknown;
  /** Certificate of the main result. */
  certificate: Certificate | undefined;
  seconds: number;
  figures: Figures;
}

/** Runs `requests` in order; prints each result when it is there, then writes the report. */
export async function runExperiments(
  requests: readonly RunRequest[],
  context: CliContext,
  settings: RunSettings,
): Promise<void> {
  const { seed, quick, json, title, lead } = settings;
  const stations: Station[] = [];
  for (const [i, request] of requests.entries()) {
    const { system, experiment } = request;
    if (!json) announce(context, `${i + 1}/${requests.length}`, experiment, quick);
    const { result, seconds } = await runOne(experiment, context, settings);
    const repeat = { command: settings.commandOf(request), seed };
    const station: Station = {
      ...result.section,
      id: `${system}-${experiment.id}`.toLowerCase(),
      repeat,
      seconds,
    };
    stations.push(station);
    if (json) {
      const { value, figures } = result;
      const certificate = station.certificates[0]?.certificate;
      const record = {
        system,
        experiment: experiment.id,
        input: station.input,
        value,
        certificate,
        seconds,
        figures,
      };
      printJson(context, record satisfies RunRecord);
    } else {
      printStation(context, station);
    }
  }
  const report: Report = { title, lead, stations, madeWith: await describeMachine(context.version) };
  await writeFileAtomically(settings.report, await renderReport(report), { signal: context.signal });
  if (!json) context.stdout.write(`\nReport with pictures: ${settings.report}\n`);
}

/** The flags that name a model and a text, for the command that repeats an experiment: none for systems that take neither. */
export function languageFlags(system: string, { model, text }: Pick<RunSettings, 'model' | 'text'>): string {
  if (system !== 'llm') return '';
  const quoted = (path: string) => (/^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`);
  return `${model === undefined ? '' : ` --model ${quoted(model)}`}${text === undefined ? '' : ` --text ${quoted(text)}`}`;
}

async function runOne(
  experiment: Experiment,
  context: CliContext,
  { seed, quick, json, model, text }: RunSettings,
): Promise<{ result: ExperimentResult; seconds: number }> {
  const { signal, stderr, env } = context;
  using progress = showProgress(context, { quiet: json && stderr.isTTY !== true });
  const start = performance.now();
  const { dim } = colorsFor(stderr, env);
  let isWriting = false;
  const endLine = () => {
    if (isWriting) stderr.write('\n');
    isWriting = false;
  };
  const result = await experiment.run({
    ...{ seed, quick, signal, model, text },
    onProgress: (now) => {
      endLine();
      progress.report(now);
    },
    onText: (written) => {
      if (json || written === '') return;
      if (!isWriting) progress.clear();
      isWriting = true;
      stderr.write(dim(written));
    },
  });
  endLine();
  signal.throwIfAborted();
  return { result, seconds: (performance.now() - start) / 1000 };
}

function announce(
  { stderr, env }: CliContext,
  place: string,
  { title, expectedSeconds }: Experiment,
  quick: boolean,
): void {
  const { dim } = colorsFor(stderr, env);
  const seconds = quick ? expectedSeconds.quick : expectedSeconds.full;
  stderr.write(`${dim(`${place}  ${title} (about ${seconds} s) …`)}\n`);
}

function printStation(
  context: CliContext,
  { title, answer, input, texts = [], tables, certificates, seconds }: Station,
): void {
  const { stdout, env } = context;
  const { bold, dim } = colorsFor(stdout, env);
  stdout.write(`\n${bold(title)}  ${dim(`${input} · ${seconds.toFixed(1)} s`)}\n${answer}\n`);
  for (const text of texts) stdout.write(`\n${formatShadedText(text, stdout, env)}`);
  for (const { caption, table } of tables) {
    stdout.write(`\n${dim(caption)}\n`);
    const numeric = table.columns.map((_, j) =>
      table.rows.every((row) => typeof row[j] === 'number' || row[j] === ''),
    );
    const columns = table.columns.map(
      (name, j) => ({ title: name, align: numeric[j] ? 'right' : 'left' }) as const,
    );
    printTable(context, columns, table.rows);
  }
  printCertificates(context, certificates);
}

function printCertificates(context: CliContext, certificates: Station['certificates']): void {
  const { stdout, env } = context;
  const { bold } = colorsFor(stdout, env);
  for (const { title, value, certificate } of certificates) {
    stdout.write(`\n${bold(title)}: ${value}\n`);
    printCertificate(context, certificate);
  }
}
