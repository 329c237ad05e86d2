// The shape of the code, held by a test: imports go down only, and what must run in a browser never touches Node.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const src = fileURLToPath(new URL('../src', import.meta.url));

/** What each folder of src/ may import besides itself. */
const mayImport: Record<string, string[]> = {
  core: [],
  kernels: ['core'],
  data: ['core'],
  clustering: ['kernels', 'core'],
  attention: ['kernels', 'core'],
  'kv-cache': ['clustering', 'kernels', 'core'],
  training: ['data', 'kernels', 'core'],
  llm: ['kv-cache', 'attention', 'clustering', 'data', 'kernels', 'core'],
  hub: ['core'],
  server: ['aggregate', 'aggregate/aggregator', 'llm', 'kv-cache', 'kernels', 'core'],
  'llm/train': ['llm', 'training', 'data', 'kernels', 'core'],
  selection: ['clustering', 'kernels', 'core'],
  aggregate: ['clustering', 'kernels', 'core'],
  // The only place that sees labels: a durable ledger, so Node.
  'aggregate/aggregator': ['aggregate', 'core'],
  'aggregate/mlp': ['aggregate', 'training', 'core'],
  autobidding: ['kernels', 'core'],
  reproduce: ['core'],
  // Protocols run a system on real data with real models, so they sit above data and training.
  'selection/reproduce': ['reproduce', 'selection', 'clustering', 'training', 'data', 'kernels', 'core'],
  'attention/reproduce': ['reproduce', 'attention', 'data', 'kernels', 'core'],
  'kv-cache/reproduce': ['reproduce', 'kv-cache', 'attention', 'clustering', 'data', 'kernels', 'core'],
  'aggregate/reproduce': ['reproduce', 'aggregate', 'aggregate/mlp', 'training', 'data', 'kernels', 'core'],
  'autobidding/reproduce': ['reproduce', 'autobidding', 'data', 'kernels', 'core'],
  'llm/reproduce': ['reproduce', 'llm', 'kv-cache', 'attention', 'kernels', 'core'],
  report: ['core'],
  cli: [
    'reproduce',
    'selection/reproduce',
    'attention/reproduce',
    'kv-cache/reproduce',
    'llm/reproduce',
    'aggregate/reproduce',
    'autobidding/reproduce',
    'autobidding',
    'aggregate',
    'aggregate/mlp',
    'aggregate/aggregator',
    'selection',
    'attention',
    'server',
    'hub',
    'llm',
    'llm/train',
    'kv-cache',
    'clustering',
    'training',
    'data',
    'report',
    'kernels',
    'core',
  ],
};

/** Folders that run unchanged in a browser: no `node:` import anywhere in them. */
const browserSafe = [
  'core',
  'kernels',
  'clustering',
  'attention',
  'kv-cache',
  'selection',
  'aggregate',
  'autobidding',
];

/** The only files of src/llm that touch Node: models in files. Everything else there takes bytes. */
const nodeInLlm = ['llm/files/file-source.ts', 'llm/files/open-model.ts'];

function folderOf(file: string): string {
  const path = relative(src, file).replaceAll('\\', '/');
  const folders = Object.keys(mayImport).filter((folder) => path.startsWith(`${folder}/`));
  return folders.sort((a, b) => b.length - a.length)[0] ?? '';
}

const files = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
  .map((file) => join(src, file));

function importsOf(file: string): string[] {
  // A type asked for in place (`typeof import('node:…')`) is gone after compilation.
  const text = readFileSync(file, 'utf8').replaceAll(/typeof import\([^)]*\)/g, '');
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => match[1]);
}

describe('architecture', () => {
  it('has a rule for every folder of src', () => {
    const unknown = files.filter((file) => folderOf(file) === '' && relative(src, file) !== 'index.ts');
    assert.deepEqual(
      unknown.map((file) => relative(src, file)),
      [],
    );
  });

  it('imports down only', () => {
    const wrong: string[] = [];
    for (const file of files) {
      const from = folderOf(file);
      if (from === '') continue;
      for (const specifier of importsOf(file).filter((name) => name.startsWith('.'))) {
        const to = folderOf(resolve(dirname(file), specifier));
        if (to !== from && !mayImport[from].includes(to)) wrong.push(`${relative(src, file)} → ${specifier}`);
      }
    }
    assert.deepEqual(wrong, []);
  });

  it('lets examples import as a user does', () => {
    const examples = fileURLToPath(new URL('../examples', import.meta.url));
    const programs = readdirSync(examples, { recursive: true, encoding: 'utf8' });
    const wrong = programs
      .filter((file) => file.endsWith('.ts'))
      .flatMap((file) =>
        importsOf(join(examples, file))
          // A client of the server is what its user has.
          .filter((name) => !/^(provably($|\/)|node:|openai$)/.test(name))
          .map((name) => `${file} → ${name}`),
      );
    assert.deepEqual(wrong, []);
  });

  it('keeps Node out of what runs in a browser', () => {
    const wrong = files
      .filter((file) => browserSafe.includes(folderOf(file)))
      .flatMap((file) =>
        importsOf(file)
          .filter((name) => name.startsWith('node:'))
          .map((name) => `${relative(src, file)} → ${name}`),
      );
    assert.deepEqual(wrong, []);
  });

  it('keeps Node out of the language models but for what opens files', () => {
    const touching = files.filter(
      (file) => folderOf(file) === 'llm' && importsOf(file).some((name) => name.startsWith('node:')),
    );
    const names = touching.map((file) => relative(src, file).replaceAll('\\', '/'));
    assert.deepEqual(
      names.filter((name) => !nodeInLlm.includes(name)),
      [],
    );
  });
});
