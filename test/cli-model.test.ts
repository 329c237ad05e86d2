// `provably model` on small models in files of both kinds.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { runCli } from './run-cli.ts';
import { tinyGguf, tinyHubFolder } from './tiny-model.ts';

const folder = mkdtempSync(join(tmpdir(), 'provably-model-'));
after(() => rmSync(folder, { recursive: true }));

const sizes = { hidden: 256, heads: 8, headDim: 32, intermediate: 256 };
const file = join(folder, 'tiny.gguf');
writeFileSync(file, tinyGguf({ ...sizes, format: 'Q4_K', tied: true }));

describe('provably model', () => {
  it('shows what a GGUF file holds', async () => {
    const { code, stdout, stderr } = await runCli(['model', file, '--tensors']);
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, /architecture +llama, 2 layers/);
    assert.match(stdout, /attention +8 heads over 2 key heads of 32 numbers/);
    assert.match(stdout, /positions +512; rotary, base 10000, interleaved/);
    // 2 layers × 2 key heads × 32 numbers × keys and values × 4 bytes.
    assert.match(stdout, /cache +1 024 bytes a token as float32, 512 as float16/);
    assert.match(stdout, /blk\.1\.ffn_down\.weight +Q4_K +256 × 256 +36 864/);
  });

  it('says the same of a hub folder in one JSON object', async () => {
    const hub = join(folder, 'hub');
    mkdirSync(hub);
    for (const [name, source] of tinyHubFolder({ ...sizes, format: 'BF16' }, {}, 2)) {
      writeFileSync(join(hub, name), await source.read(0, source.size));
    }
    const { code, stdout, stderr } = await runCli(['model', hub, '--json']);
    assert.deepEqual([code, stderr], [0, '']);
    const report = JSON.parse(stdout);
    assert.equal(report.kind, 'safetensors');
    assert.equal(report.config.rope.pairing, 'half-split');
    // A layer: q and output 256², k and v 64 · 256, three matrices of the network 256², two norms; then embedding, output and a norm.
    const matrices = 2 * (5 * 256 * 256 + 2 * 64 * 256) + 2 * 40 * 256;
    const norms = 5 * 256;
    assert.equal(report.parameters, matrices + norms);
    assert.equal(report.weightBytes, 2 * matrices + 4 * norms);
    assert.deepEqual(
      report.formats.map(({ format }: { format: string }) => format),
      ['BF16', 'F32'],
    );
  });

  it('fails on what cannot run, naming it', async () => {
    const missing = await runCli(['model', join(folder, 'none.gguf')]);
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /none\.gguf cannot be opened/);
    const odd = join(folder, 'odd.gguf');
    writeFileSync(
      odd,
      tinyGguf({}, {}, (tensors) => tensors.filter(({ name }) => name !== 'output_norm.weight')),
    );
    const incomplete = await runCli(['model', odd, '--json']);
    assert.equal(incomplete.code, 1);
    assert.match(JSON.parse(incomplete.stderr).error.message, /no tensor "output_norm\.weight"/);
    const bare = await runCli(['model', folder]);
    assert.match(bare.stderr, /provably-model-\w+ has no config\.json/);
    assert.equal((await runCli(['model'])).code, 2);
  });
});
