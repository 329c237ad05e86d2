import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { defaultCacheFolder, replaceFolder } from './cache-folder.ts';
import { loadFashionMnist } from './fashion-mnist.ts';
import { findPackage } from './find-package.ts';
import { encodeIdx } from './idx.ts';
import { type LabelledDataset, loadIdxFolder } from './labelled.ts';
import { loadMnist } from './mnist.ts';
import { longTailRows, longTailSizes, takeLabelled } from './subsets.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'provably-data-'));
});
after(() => rm(folder, { recursive: true }));

function requireUnitRange({ train, test, classes }: LabelledDataset): void {
  for (const { features, labels } of [train, test]) {
    assert.equal(features.data.length, features.rows * features.cols);
    assert.equal(labels.length, features.rows);
    let [low, high] = [Infinity, -Infinity];
    for (const value of features.data) {
      if (value < low) low = value;
      if (value > high) high = value;
    }
    assert.deepEqual([low, high], [0, 1]);
    assert.ok(labels.every((label) => label < classes.length));
  }
}

const countsOf = (labels: Uint8Array) => {
  const counts = new Array<number>(10).fill(0);
  for (const label of labels) counts[label]++;
  return counts;
};

describe('loadFashionMnist', () => {
  it('holds 6 000 + 1 000 images of each class, mixed', async () => {
    const data = await loadFashionMnist();
    requireUnitRange(data);
    assert.deepEqual(countsOf(data.train.labels), new Array(10).fill(6000));
    assert.deepEqual(countsOf(data.test.labels), new Array(10).fill(1000));
    // 500 of 60 000 rows, 10 classes of 6 000: a class count outside 50 ± 35 has probability < 1e-6.
    assert.ok(countsOf(data.train.labels.subarray(0, 500)).every((count) => Math.abs(count - 50) < 35));
  });

  it('reads images as the package has them', async () => {
    const { train } = await loadFashionMnist();
    const { folder: source } = findPackage('fashion-mnist', 'test');
    const { readFile } = await import('node:fs/promises');
    const first = JSON.parse(await readFile(join(source, 'src', 'clothes', '1.json'), 'utf8')).data[0];
    const wanted = Float32Array.from(first as number[], (value) => value / 255);
    const matches = (_: number, i: number) =>
      train.labels[i] === 1 &&
      wanted.every((value, j) => value === train.features.data[i * train.features.cols + j]);
    assert.ok([...train.labels].some(matches), 'the first trouser is among the training rows');
  });

  it('converts again when the copy kept is damaged', async () => {
    // A copy in a folder of its own, so that other tests keep theirs.
    const cache = join(folder, 'cache');
    await loadFashionMnist({ cache });
    const [copy] = await readdir(cache);
    await writeFile(join(cache, copy, 'train-labels-idx1-ubyte'), 'cut');
    assert.equal((await loadFashionMnist({ cache })).train.features.rows, 60_000);
    assert.deepEqual(await readdir(cache), [copy], 'nothing else is left there');
  });

  it('leaves nothing behind when cancelled', async () => {
    const cache = join(folder, 'cancelled');
    const abort = new AbortController();
    const onProgress = ({ done }: { done: number }) => done === 2 && abort.abort(new Error('enough'));
    const loading = loadFashionMnist({ cache, signal: abort.signal, onProgress });
    await assert.rejects(loading, { message: 'enough' });
    assert.deepEqual(await readdir(cache), []);
  });
});

describe('loadMnist', () => {
  it('is the original split', async () => {
    const data = await loadMnist();
    requireUnitRange(data);
    assert.deepEqual([data.train.features.rows, data.test.features.rows], [60_000, 10_000]);
    // Counts of the digits 0 … 9 in the training set, as published with it.
    assert.deepEqual(
      countsOf(data.train.labels),
      [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949],
    );
  });
});

describe('loadIdxFolder', () => {
  const write = async (name: string, files: Record<string, Uint8Array>) => {
    const path = await mkdtemp(join(folder, `${name}-`));
    for (const [file, bytes] of Object.entries(files)) await writeFile(join(path, file), bytes);
    return path;
  };
  const good = {
    'train-images-idx3-ubyte': encodeIdx([2, 1, 2], Uint8Array.of(0, 255, 51, 102)),
    'train-labels-idx1-ubyte': encodeIdx([2], Uint8Array.of(1, 0)),
    't10k-images-idx3-ubyte': encodeIdx([1, 1, 2], Uint8Array.of(255, 0)),
    't10k-labels-idx1-ubyte': encodeIdx([1], Uint8Array.of(1)),
  };

  it('reads the four files of a small set', async () => {
    const data = await loadIdxFolder(await write('good', good), 'small', ['a', 'b']);
    assert.deepEqual(data.train.features, {
      data: Float32Array.of(0, 1, 51 / 255, 102 / 255),
      rows: 2,
      cols: 2,
    });
    assert.deepEqual(data.train.labels, Uint8Array.of(1, 0));
    assert.deepEqual(data.test.labels, Uint8Array.of(1));
  });

  it('refuses files that do not fit', async () => {
    const broken: [Partial<typeof good>, RegExp][] = [
      [{ 'train-labels-idx1-ubyte': encodeIdx([1], Uint8Array.of(1)) }, /2 images and 1 labels/],
      [{ 'train-labels-idx1-ubyte': encodeIdx([2], Uint8Array.of(0, 2)) }, /label 1 is 2; expected < 2/],
      [{ 't10k-images-idx3-ubyte': encodeIdx([2], Uint8Array.of(0, 2)) }, /expected unsigned bytes in 3 dim/],
    ];
    for (const [change, message] of broken) {
      const path = await write('broken', { ...good, ...change });
      await assert.rejects(loadIdxFolder(path, 'small', ['a', 'b']), { code: 'DATA', message });
    }
    const { 't10k-labels-idx1-ubyte': _, ...missing } = good;
    const path = await write('missing', missing);
    await assert.rejects(loadIdxFolder(path, 'small', ['a', 'b']), { message: /has no t10k-labels/ });
  });
});

describe('findPackage', () => {
  it('gives the command that installs a missing package', () => {
    assert.throws(() => findPackage('no-such-data-set', 'loadX'), {
      code: 'MISSING_DEPENDENCY',
      message: /^loadX: .*Run: npm install no-such-data-set$/,
    });
  });
});

describe('replaceFolder', () => {
  it('shows the new folder whole, or not at all', async () => {
    const path = join(folder, 'deep', 'result');
    await replaceFolder(path, (draft) => writeFile(join(draft, 'a'), '1'));
    await replaceFolder(path, (draft) => writeFile(join(draft, 'b'), '2'));
    assert.deepEqual(await readdir(path), ['b']);
    const failing = replaceFolder(path, () => Promise.reject(new Error('disk full')));
    await assert.rejects(failing, { message: 'disk full' });
    assert.deepEqual(await readdir(join(folder, 'deep')), ['result']);
  });

  it('lets the first of two makers win, and leaves no draft of the other', async () => {
    const path = join(folder, 'race', 'result');
    await Promise.all(
      ['a', 'b'].map((name) => replaceFolder(path, (draft) => writeFile(join(draft, name), name))),
    );
    assert.equal((await readdir(path)).length, 1);
    assert.deepEqual(await readdir(join(folder, 'race')), ['result']);
  });

  it('keeps copies in the checkout', () => {
    assert.match(defaultCacheFolder(), /\.cache$/);
  });
});

describe('longTailRows', () => {
  it('keeps 4000 · (1/50)^(c/9) rows of class c', () => {
    const sizes = [4000, 2590, 1677, 1086, 703, 455, 295, 191, 124, 80];
    assert.deepEqual(longTailSizes(), sizes);
    const labels = Uint8Array.from({ length: 60_000 }, (_, i) => i % 10);
    const rows = longTailRows(labels, { seed: 3 });
    assert.deepEqual(
      countsOf(rows.reduce((out, id, i) => out.fill(labels[id], i, i + 1), new Uint8Array(rows.length))),
      sizes,
    );
    assert.equal(new Set(rows).size, rows.length);
    assert.deepEqual(longTailRows(labels, { seed: 3 }), rows);
    assert.notDeepEqual(longTailRows(labels, { seed: 4 }), rows);
  });

  it('takes all of a class that is too small', () => {
    assert.deepEqual([...longTailRows(Uint8Array.of(1, 0, 1), { classes: 2 })].sort(), [0, 1, 2]);
  });

  it('takes features and labels together', () => {
    const rows = {
      features: { data: Float32Array.of(1, 2, 3), rows: 3, cols: 1 },
      labels: Uint8Array.of(7, 8, 9),
    };
    assert.deepEqual(takeLabelled(rows, [2, 0]), {
      features: { data: Float32Array.of(3, 1), rows: 2, cols: 1 },
      labels: Uint8Array.of(9, 7),
    });
  });

  it('refuses options out of range', () => {
    for (const options of [{ classes: 1 }, { head: 0 }, { imbalance: 0.5 }]) {
      assert.throws(() => longTailSizes(options), { code: 'INVALID_ARGUMENT' });
    }
  });
});
