// What `provably cache` does: read, stream, compare, report, tell.

import type { Certificate } from '../../core/certificate.ts';
import {
  auditAnswers,
  CACHE_POLICIES,
  type CacheOptions,
  type ComparedPolicy,
  type ComparisonRow,
  comparePolicies,
  createCache,
  withinBytes,
} from '../../kv-cache/index.ts';
import { renderReport, type Station, writeFileAtomically } from '../../report/index.ts';
import { type CliContext, colorsFor } from '../context.ts';
import { UsageError } from '../failure.ts';
import { given } from '../given.ts';
import { printCertificate, printJson, printTable } from '../output.ts';
import { showProgress } from '../progress.ts';
import { describeMachine } from '../stations/machine.ts';
import { comparisonTable, errorBars, errorLines, lastRows } from './charts.ts';
import type { CacheFlags } from './flags.ts';
import { openStream, type StreamSource } from './stream.ts';

export async function runCache(
  files: readonly string[],
  flags: CacheFlags,
  context: CliContext,
): Promise<void> {
  const start = performance.now();
  requirePolicies(flags.policies);
  const source = await openStream(files, flags);
  const policies = (flags.policies ?? CACHE_POLICIES).map((name) => optionsOf(name, source, flags));
  const rows = await compare(source, policies, flags, context);
  const certified = await certify(source, policies, rows, flags, context);
  const seconds = (performance.now() - start) / 1000;
  if (flags.report !== undefined)
    await writeReport(source, { rows, certified, seconds }, files, flags, context);
  if (flags.json) {
    const { description, shape, tokens, needle } = source;
    printJson(context, {
      system: 'kv-cache',
      input: { source: description, tokens, ...shape, needle },
      value: { rows, ...(flags.report ? { report: flags.report } : {}) },
      certificate: certified?.certificate,
      seconds,
      figures: Object.fromEntries(
        lastRows(rows).map((row) => [`relativeError ${row.name}`, row.relativeError]),
      ),
      recipe: { seed: flags.seed },
    });
  } else {
    printRows(source, rows, certified, flags, context);
  }
}

/** What a center of the policy k-center stands for: `k-center:merge`. */
const centerModes = ['select', 'weighted', 'merge'] as const;

/** @throws {UsageError} no such policy */
function requirePolicies(names: readonly string[] = []): void {
  const known: readonly string[] = [...CACHE_POLICIES, ...centerModes.map((mode) => `k-center:${mode}`)];
  const unknown = names.find((name) => !known.includes(name));
  if (unknown) throw new UsageError(`--policies names ${unknown}; expected some of ${known.join(', ')}.`);
}

/** SubGen has no budget of rows, but a distance within which keys are alike. */
function optionsOf(name: string, source: StreamSource, { delta }: CacheFlags): ComparedPolicy {
  const mode = centerModes.find((known) => name === `k-center:${known}`);
  if (mode) return { policy: 'k-center', mode, name };
  if (name === 'subgen') return { policy: name, delta: delta ?? halfMeanDistance(source) };
  return { policy: name as Exclude<CacheOptions['policy'], 'subgen'> };
}

/** Half the mean distance between keys of the first head, of up to 128 tokens spread over the stream: groups that are well apart stay apart. */
function halfMeanDistance({ shape: { keyHeads, dim }, stream: { keys }, tokens }: StreamSource): number {
  const count = Math.min(128, tokens);
  const key = (i: number) => {
    const at = Math.floor((i * tokens) / count) * keyHeads * dim;
    return keys.subarray(at, at + dim);
  };
  let sum = 0;
  for (let i = 0; i < count; i++)
    for (let j = 0; j < i; j++) sum += Math.hypot(...key(i).map((x, p) => x - key(j)[p]));
  return count < 2 ? 0 : sum / (count * (count - 1));
}

async function compare(
  { shape, stream, tokens, needle }: StreamSource,
  policies: readonly ComparedPolicy[],
  flags: CacheFlags,
  context: CliContext,
): Promise<ComparisonRow[]> {
  const { signal, stderr } = context;
  using progress = showProgress(context, { quiet: flags.json && stderr.isTTY !== true });
  const eighth = Math.max(16, Math.round(tokens / 8));
  const { bytes, budget = bytes === undefined ? eighth : undefined, asks } = flags;
  const { checkpoints = eightPoints(tokens) } = flags;
  return await comparePolicies(shape, stream, {
    policies,
    checkpoints,
    ...given({ bytes, budget, needle, queries: asks }),
    signal,
    onProgress: progress.report,
  });
}

/** A policy's promise. */
interface CertifiedPolicy {
  name: string;
  certificate: Certificate;
}

/** Of the hybrid cache, which knows most of its own error, or else of the best; at the bytes it was compared at. */
async function certify(
  { shape, stream, tokens }: StreamSource,
  policies: readonly ComparedPolicy[],
  rows: readonly ComparisonRow[],
  { asks }: CacheFlags,
  { signal }: CliContext,
): Promise<CertifiedPolicy | undefined> {
  const last = lastRows(rows).filter(({ policy }) => policy !== 'full');
  const best = last.find(({ policy }) => policy === 'hybrid') ?? bestOf(last);
  const options = policies.find(({ name, policy }) => (name ?? policy) === best?.name);
  if (best === undefined || options === undefined) return undefined;
  const limit = last.reduce((most, { bytes }) => Math.max(most, bytes), 0);
  const cache = createCache(shape, await withinBytes(shape, options, limit));
  const { heads, keyHeads, dim, valueDim } = cache.shape;
  const absorbed = { ...stream, queries: stream.queries.subarray(0, best.tokens * heads * dim) };
  await cache.append(
    stream.keys.subarray(0, best.tokens * keyHeads * dim),
    stream.values.subarray(0, best.tokens * keyHeads * valueDim),
    { queries: absorbed.queries, signal },
  );
  signal.throwIfAborted();
  return { name: best.name, certificate: await auditAnswers(cache, absorbed, Math.min(asks ?? 32, tokens)) };
}

/** The one with the least error. */
function bestOf(rows: readonly ComparisonRow[]): ComparisonRow | undefined {
  return rows.toSorted((a, b) => a.relativeError - b.relativeError).at(0);
}

/** Eighths of the stream. */
function eightPoints(tokens: number): number[] {
  const points = Array.from({ length: 8 }, (_, i) => Math.round((tokens * (i + 1)) / 8));
  return [...new Set(points.filter((at) => at > 0))];
}

function printRows(
  { description, shape, tokens }: StreamSource,
  rows: readonly ComparisonRow[],
  certified: CertifiedPolicy | undefined,
  { report }: CacheFlags,
  context: CliContext,
): void {
  const { bold, dim } = colorsFor(context.stdout, context.env);
  const heads =
    shape.heads === shape.keyHeads ? `${shape.heads}` : `${shape.heads} (${shape.keyHeads} of keys)`;
  context.stdout.write(
    `${bold(`${tokens} tokens`)}, heads: ${heads}, d = ${shape.dim}  ${dim(description)}\n\n`,
  );
  const { columns, rows: cells, note } = comparisonTable(rows);
  printTable(
    context,
    columns.map((title, i) => ({ title, align: i === 0 ? 'left' : 'right' })),
    cells,
  );
  context.stdout.write(`${dim(note ?? '')}\n`);
  if (certified) {
    context.stdout.write(`\n${bold(certified.name)}: what is certain of its answers\n`);
    printCertificate(context, certified.certificate);
  }
  if (report) context.stdout.write(`\nReport with pictures: ${report}\n`);
}

async function writeReport(
  { description, tokens, shape }: StreamSource,
  {
    rows,
    certified,
    seconds,
  }: { rows: readonly ComparisonRow[]; certified: CertifiedPolicy | undefined; seconds: number },
  files: readonly string[],
  flags: CacheFlags,
  context: CliContext,
): Promise<void> {
  const best = bestOf(lastRows(rows).filter(({ policy }) => policy !== 'full'));
  const station: Station = {
    id: 'caches',
    title: 'Caches at equal bytes',
    question: `What is left of attention over ${tokens} tokens when only some are kept?`,
    answer: best
      ? `The best policy here is ${best.name}: relative error ${best.relativeError.toPrecision(2)} in ${best.bytes} bytes.`
      : 'Only the full cache was asked for; it is exact.',
    input: `${description}; heads ${shape.heads}, d = ${shape.dim}`,
    figures: [],
    charts: [errorLines(rows), ...(best ? [errorBars(rows, best.name)] : [])],
    tables: [{ caption: 'After the last token', table: comparisonTable(rows) }],
    certificates: certified
      ? [{ title: 'Worst of the answers', value: certified.name, certificate: certified.certificate }]
      : [],
    repeat: { command: repeatCommand(files, flags), seed: flags.seed },
    seconds,
  };
  const report = {
    title: 'Provably: caches',
    lead: 'Keys and values of one layer, kept within the same number of bytes by different policies.',
    stations: [station],
    madeWith: await describeMachine(context.version),
  };
  await writeFileAtomically(flags.report!, await renderReport(report), { signal: context.signal });
}

function repeatCommand(
  files: readonly string[],
  { report: _, json: __, planted, ...flags }: CacheFlags,
): string {
  const words = ['provably', 'cache', ...files, ...(planted ? ['--planted'] : [])];
  for (const [name, value] of Object.entries(flags)) words.push(`--${name}`, String(value));
  return words.join(' ');
}
