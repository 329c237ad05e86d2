import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { allKernels, randomFloats } from '../../test/each-backend.ts';
import { describeKernels, levelsOf, loadKernels } from './load.ts';
import type { NearestTask } from './types.ts';

describe('loadKernels', () => {
  it('gives one set of kernels per choice', async () => {
    assert.equal(await loadKernels(), await loadKernels());
    assert.notEqual(await loadKernels({ threads: 1 }), await loadKernels({ threads: 2 }));
  });

  it('obeys the environment, in a process of its own', async () => {
    const program = `import { loadKernels } from ${JSON.stringify(new URL('./load.ts', import.meta.url).href)};
      const { backend, simd, threads } = await loadKernels();
      console.log(backend, simd, threads);`;
    const load = (env: Record<string, string>) =>
      execFileSync(process.execPath, ['--input-type=module', '-e', program], {
        env: { ...process.env, PROVABLY_KERNELS: '', PROVABLY_SIMD: '', ...env },
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      }).trim();
    assert.equal(load({ PROVABLY_KERNELS: 'ts' }), 'ts scalar 1');
    assert.equal(load({ PROVABLY_KERNELS: 'wasm', PROVABLY_THREADS: '3' }), 'wasm wasm-simd128 3');
    for (const simd of await levelsOf('native').catch(() => [])) {
      assert.equal(load({ PROVABLY_SIMD: simd, PROVABLY_THREADS: '2' }), `native ${simd} 2`);
    }
    assert.throws(() => load({ PROVABLY_KERNELS: 'cuda' }), /expected one of native, wasm, ts/);
  });

  it('refuses what is not there, and says what is', async () => {
    await assert.rejects(loadKernels({ backend: 'wasm', simd: 'avx2' }), {
      code: 'UNSUPPORTED',
      message: /has no SIMD level "avx2"; expected "wasm-simd128"/,
    });
    const elsewhere = process.arch === 'arm64' ? 'avx2' : 'neon';
    await assert.rejects(loadKernels({ backend: 'native', simd: elsewhere }), { code: 'UNSUPPORTED' });
    await assert.rejects(loadKernels({ simd: elsewhere }), {
      code: 'UNSUPPORTED',
      message: /no backend offers/,
    });
    await assert.rejects(loadKernels({ threads: 0 }), { code: 'INVALID_ARGUMENT' });
  });

  it('is described with what each backend offers', async () => {
    const info = await describeKernels();
    assert.deepEqual(
      info.backends.map(({ backend }) => backend),
      ['native', 'wasm', 'ts'],
    );
    for (const { levels, reason } of info.backends)
      assert.ok(levels.length > 0 || reason, 'neither levels nor reason');
  });
});

for (const { name, kernels } of await allKernels()) {
  describe(`the door, ${name}`, () => {
    const task: NearestTask = {
      points: new Float32Array(6),
      rows: 3,
      dim: 2,
      centers: new Float32Array(4),
      centerCount: 2,
      labels: new Uint32Array(3),
      distances: new Float64Array(3),
    };

    it('refuses arrays that are too short, of another type, or overlap', async () => {
      const shape = { code: 'SHAPE' };
      await assert.rejects(kernels.nearest({ ...task, points: new Float32Array(5) }), {
        ...shape,
        message: /nearest: points has length 5; expected at least 6/,
      });
      await assert.rejects(kernels.nearest({ ...task, secondDistances: new Float64Array(2) }), shape);
      await assert.rejects(kernels.nearest({ ...task, centerCount: 0 }), { code: 'INVALID_ARGUMENT' });
      await assert.rejects(kernels.nearest({ ...task, labels: new Float64Array(3) as never }), {
        code: 'INVALID_ARGUMENT',
        message: /labels is Float64Array; expected Uint32Array/,
      });
      const a = new Float32Array(6);
      const product = { m: 2, n: 2, k: 3, a, b: new Float32Array(6), c: new Float32Array(4) };
      await assert.rejects(kernels.gemm({ ...product, strideA: 2 }), shape);
      await assert.rejects(kernels.gemm({ ...product, strideC: 3 }), shape);
      await assert.rejects(kernels.gemm({ ...product, c: a.subarray(2) }), { message: /overlaps a/ });
      const sums = { ...task, sums: new Float64Array(4), counts: new Float64Array(2) };
      await assert.rejects(kernels.labelSums({ ...sums, labels: Uint32Array.of(0, 2, 0) }), {
        code: 'INVALID_ARGUMENT',
        message: /labels\[1\] is 2/,
      });
      await assert.rejects(kernels.uniform({ key: [0, 0], start: 2 ** 53 - 1, out: new Float64Array(2) }), {
        code: 'INVALID_ARGUMENT',
      });
    });

    it('takes arrays longer than their shape, and a second distance without its label', async () => {
      const secondDistances = new Float64Array(9).fill(-1);
      const labels = new Uint32Array(8).fill(7);
      await kernels.nearest({ ...task, points: randomFloats(20, 1), labels, secondDistances });
      assert.deepEqual([...labels.subarray(3)], [7, 7, 7, 7, 7]);
      assert.ok(secondDistances[2] >= 0 && secondDistances[3] === -1);
    });
  });
}

describe('native kernels', () => {
  it('leave the event loop free', async (t) => {
    if ((await levelsOf('native').catch(() => [])).length === 0) return t.skip('no native addon here');
    const kernels = await loadKernels({ backend: 'native', simd: 'scalar', threads: 1 });
    const n = 500; // scalar: about 0.2 s, twenty times the interval of the timer
    const [a, b] = [randomFloats(n * n, 1), randomFloats(n * n, 2)];
    const ticksOfOne = async () => {
      let ticks = 0;
      const timer = setInterval(() => ticks++, 5);
      await kernels.gemm({ m: n, n, k: n, a, b, c: new Float32Array(n * n) });
      clearInterval(timer);
      return ticks;
    };
    // A blocked loop ticks at most once, when the promise settles, every time; a machine with too much to do may leave a free one no time, once.
    let ticks = 0;
    for (let attempt = 0; attempt < 5 && ticks < 3; attempt++) ticks = await ticksOfOne();
    assert.ok(ticks >= 3, `${ticks} ticks`);
  });

  it('run many tasks at once, each with its own result', async (t) => {
    if ((await levelsOf('native').catch(() => [])).length === 0) return t.skip('no native addon here');
    const kernels = await loadKernels({ backend: 'native', threads: 2 });
    const n = 200;
    const b = randomFloats(n * n, 2);
    const products = Array.from({ length: 20 }, async (_, i) => {
      const c = new Float32Array(n * n);
      await kernels.gemm({ m: n, n, k: n, a: new Float32Array(n * n).fill(i), b, c });
      return c[0];
    });
    const results = await Promise.all(products);
    // Row 0 of C is i times the column sums of B, exact up to γ(n) of a sum of n terms below 1.
    for (const [i, value] of results.entries()) {
      assert.ok(Math.abs(value - i * results[1]) <= 2 * n * 2 ** -24 * i * n, `task ${i}`);
    }
  });
});
