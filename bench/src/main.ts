// npm run bench -- <suite> [--json] [--only <text>]: ours against a peer, side by side in one run.
// npm run bench -- install: the peers alone, all of them, so that a later run starts at once.

import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { describeKernels } from '../../src/kernels/index.ts';
import { installLlama, installPeers, TORCH } from './install.ts';
import { type Case, measure, type Once, type Row } from './measure.ts';

/** Add a suite here and as a file in suites/. */
const SUITES: Record<string, () => Promise<Suite>> = {
  gemm: () => import('./suites/gemm.ts'),
  clustering: () => import('./suites/clustering.ts'),
  selection: () => import('./suites/selection.ts'),
  attention: () => import('./suites/attention.ts'),
  cache: () => import('./suites/cache.ts'),
  llm: () => import('./suites/llm.ts'),
  aggregate: () => import('./suites/aggregate.ts'),
  auctions: () => import('./suites/auctions.ts'),
};

/** What a file of suites/ exports. Peers are imported when a case needs them: they may have to be installed first. */
interface Suite {
  /** The cases in order of printing; each sets itself up when it is measured. */
  cases(): AsyncIterable<Case | Once> | Iterable<Case | Once>;
}

const usage = `usage: npm run bench -- <${Object.keys(SUITES).join('|')}|install> [--json] [--only <text in case>]`;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { json: { type: 'boolean', default: false }, only: { type: 'string', default: '' } },
  });
  const [name] = positionals;
  if (positionals.length !== 1 || !(name === 'install' || Object.hasOwn(SUITES, name))) {
    console.error(usage);
    return 2;
  }
  if (name === 'install') {
    await installPeers([TORCH]);
    await installLlama();
    return 0;
  }
  await installPeers();
  const suite = await SUITES[name]();
  const machine = await describeMachine();
  if (!values.json) console.log(`${name} on ${machine}\n`);
  const rows: Row[] = [];
  for await (const item of suite.cases()) {
    if (!item.name.includes(values.only)) continue;
    const row = await measure(item);
    rows.push(row);
    if (!values.json) console.log(textOf(row));
  }
  if (values.json) console.log(JSON.stringify({ suite: name, machine, rows }));
  return 0;
}

async function describeMachine(): Promise<string> {
  const { backend, simd, threads } = await describeKernels();
  const [{ model }] = cpus();
  return `${model.trim()} × ${cpus().length}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}, ${backend} ${simd} × ${threads}`;
}

function textOf({ case: name, ours, peer, unit, ratio, error }: Row): string {
  const number = (value: number) => value.toPrecision(4).padStart(9);
  return `${name.padEnd(64)} ours ${number(ours)}  peer ${number(peer)} ${unit.padEnd(8)} ratio ${ratio.toFixed(2).padStart(6)}  error ${error.toExponential(1)}`;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? `bench: ${error.message}` : error);
  process.exitCode = 1;
}
