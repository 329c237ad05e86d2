import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { GgufWritable } from '../../../test/gguf-writer.ts';
import { tinyGguf, tinyHubFolder } from '../../../test/tiny-model.ts';
import { openGgufModel } from '../model/stored-model.ts';
import { loadWeights } from '../model/weights.ts';
import { bytesSource } from './byte-source.ts';
import { openModel } from './open-model.ts';

const folder = mkdtempSync(join(tmpdir(), 'provably-open-model-'));
after(() => rmSync(folder, { recursive: true }));

const write = (name: string, bytes: Uint8Array): string => {
  writeFileSync(join(folder, name), bytes);
  return join(folder, name);
};
const expected = await loadWeights(await openGgufModel([bytesSource(tinyGguf(), 'memory')]));

describe('openModel', () => {
  it('reads the same weights, mapped or copied', async () => {
    const path = write('tiny.gguf', tinyGguf());
    for (const access of ['auto', 'read'] as const) {
      const model = await openModel(path, { access });
      assert.deepEqual(await loadWeights(model), expected);
      assert.equal(model.metadata?.get('general.architecture'), 'llama');
    }
  });

  it('opens all parts of a model by the first, and only by it', async () => {
    const paths = [0, 1, 2].map((part) => {
      const of = (value: number): GgufWritable => ({ type: 'uint16', value });
      const bytes = tinyGguf({}, { 'split.no': of(part), 'split.count': of(3) }, (tensors) =>
        tensors.filter((_, i) => i % 3 === part),
      );
      return write(`tiny-0000${part + 1}-of-00003.gguf`, bytes);
    });
    assert.deepEqual(await loadWeights(await openModel(paths[0])), expected);
    await assert.rejects(openModel(paths[1]), {
      code: 'DATA',
      message: /part 2 of 3; expected part 1 of 1\. Name .* the first/,
    });
    rmSync(paths[2]);
    await assert.rejects(openModel(paths[0]), {
      code: 'DATA',
      message: /tiny-00003-of-00003\.gguf cannot be opened/,
    });
  });

  it('opens a folder of the hub, and finds the other files in it', async () => {
    const hub = join(folder, 'hub');
    mkdirSync(hub);
    for (const [name, source] of tinyHubFolder({}, {}, 2)) {
      writeFileSync(join(hub, name), await source.read(0, source.size));
    }
    const model = await openModel(hub);
    const weights = await loadWeights(model);
    assert.deepEqual(weights.layers[1].down.bytes, expected.layers[1].down.bytes);
    assert.equal((await model.find?.('config.json'))?.name, join(hub, 'config.json'));
    assert.equal(await model.find?.('tokenizer.json'), undefined);
  });

  it('refuses what is no model', async () => {
    await assert.rejects(openModel(join(folder, 'none.gguf')), { code: 'DATA', message: /cannot be opened/ });
    await assert.rejects(openModel(write('notes.txt', Uint8Array.of(1))), {
      code: 'UNSUPPORTED',
      message: /expected a \.gguf file, or a folder/,
    });
    await assert.rejects(openModel(write('text.gguf', new TextEncoder().encode('hello, world'))), {
      code: 'DATA',
      message: /does not begin with "GGUF"/,
    });
  });
});
