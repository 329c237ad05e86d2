// What comes back from a file: a cache that works, or an error that says so. Never one that fails later.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ProvablyError } from '../core/errors.ts';
import { createRng } from '../core/rng.ts';
import { CACHE_POLICIES, type CacheOptions, createCache, restoreCache } from './index.ts';
import { type CacheState, decodeState, encodeState } from './serialize.ts';
import type { CacheShape, KeyValueCache } from './types.ts';

const shape: CacheShape = { heads: 4, keyHeads: 2, dim: 3, valueDim: 2 };
const rows = { budget: 12, sinks: 2 };
const optionsOf: Record<CacheOptions['policy'], CacheOptions> = {
  full: { policy: 'full' },
  'sink-window': { policy: 'sink-window', ...rows },
  uniform: { policy: 'uniform', ...rows, weighted: true },
  h2o: { policy: 'h2o', ...rows },
  snapkv: { policy: 'snapkv', ...rows, observe: 3 },
  keydiff: { policy: 'keydiff', ...rows },
  balance: { policy: 'balance', ...rows },
  'k-center': { policy: 'k-center', ...rows, mode: 'weighted' },
  hybrid: { policy: 'hybrid', ...rows, secondOrder: true },
  subgen: { policy: 'subgen', delta: 1, clusterSamples: 2, valueSamples: 4 },
};

function numbers(length: number, seed: number): Float32Array {
  const rng = createRng(seed);
  return Float32Array.from({ length }, () => rng.normal());
}

async function feed(cache: KeyValueCache, tokens: number, seed: number): Promise<void> {
  const { heads, keyHeads, dim, valueDim } = cache.shape;
  const queries = numbers(tokens * heads * dim, seed + 2);
  const values = numbers(tokens * keyHeads * valueDim, seed + 1);
  await cache.append(numbers(tokens * keyHeads * dim, seed), values, { queries });
}

/** States to damage: before and after the budget is spent. */
const states: { policy: string; bytes: Uint8Array }[] = [];
for (const policy of CACHE_POLICIES)
  for (const storage of ['float32', 'float16', 'k4v2'] as const)
    for (const tokens of [7, 40]) {
      const cache = createCache({ ...shape, storage }, optionsOf[policy]);
      await feed(cache, tokens, 3);
      await feed(cache, 1, 4);
      states.push({ policy: `${policy} ${storage} ${tokens}`, bytes: cache.save() });
    }
/** An index, so that a failure prints short. */
const anyState = fc.nat(states.length - 1);

/** A cache that came back has to work on. */
async function requireWorking(cache: KeyValueCache, isTame: boolean): Promise<void> {
  const { heads, keyHeads, dim } = cache.shape;
  const before = cache.tokens;
  await cache.attend(numbers(heads * dim, 7), { interval: true });
  await feed(cache, 20, 5);
  assert.equal(cache.tokens, before + 20);
  const { output } = await cache.attend(numbers(heads * dim, 8));
  // Numbers near the end of float32 are allowed, and overflow in any logit: that is another matter.
  if (isTame) assert.ok(output.every(Number.isFinite), `${output}`);
  for (let head = 0; head < keyHeads; head++) {
    const positions = cache.kept(head).map(({ position }) => position);
    assert.ok(positions.every((at, i) => at < cache.tokens && (i === 0 || at >= positions[i - 1])));
  }
  assert.ok(cache.bytes().total > 0);
  // Logits that overflow leave scores that no number is, and these are refused.
  if (cache.shape.scale < 10) assert.deepEqual(restoreCache(cache.save()).save(), cache.save());
}

function requireDataError(bytes: Uint8Array): void {
  assert.throws(
    () => restoreCache(bytes),
    (error: Error) => error instanceof ProvablyError && error.code === 'DATA',
  );
}

describe('restoreCache', () => {
  it('reads bytes wherever they lie: in a pool, at an odd place', async () => {
    for (const { bytes } of states) {
      const odd = new Uint8Array(bytes.length + 3).subarray(3);
      odd.set(bytes);
      for (const view of [Buffer.from(bytes), Buffer.concat([Buffer.alloc(5), bytes]).subarray(5), odd]) {
        const cache = restoreCache(view);
        assert.deepEqual(cache.save(), bytes);
        view.fill(0); // it keeps no view of what it was given
        assert.deepEqual(cache.save(), bytes);
      }
    }
  });

  it('refuses bytes of which any was changed, cut off or added', () => {
    const damage = fc.record({
      state: anyState,
      flips: fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { maxLength: 3 }),
      cut: fc.nat(40),
      more: fc.uint8Array({ maxLength: 9 }),
    });
    fc.assert(
      fc.property(damage, ({ state, flips, cut, more }) => {
        const { bytes } = states[state];
        const damaged = Buffer.concat([bytes.subarray(0, bytes.length - cut), more]);
        for (const [at, bits] of flips) damaged[at % damaged.length] ^= bits;
        if (Buffer.compare(damaged, bytes) !== 0) requireDataError(damaged);
      }),
      { seed: 1, numRuns: 1500 },
    );
  });

  it('refuses states whose checksum fits but which no cache has, or goes on with one that could be', async () => {
    const hostile = fc.oneof(
      fc.constantFrom(0, 1, -1, 0.5, 12, 13, 2 ** 31, 2 ** 32 - 1, Number.NaN, Infinity, -Infinity),
      fc.double(),
    );
    const change = fc.record({
      state: anyState,
      where: fc.constantFrom('entry', 'length', 'class', 'missing', 'header'),
      which: fc.nat(),
      entry: fc.nat(),
      value: hostile,
    });
    let worked = 0;
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(change, async ({ state, where, which, entry, value }) => {
        const { header, arrays } = decodeState(states[state].bytes);
        const name = Object.keys(arrays)[which % Object.keys(arrays).length];
        if (where === 'header') Object.assign(header, changed(header, which, entry, value));
        else if (where === 'missing') delete arrays[name];
        else arrays[name] = changedArray(arrays[name], where, entry, value);
        let cache: KeyValueCache;
        try {
          cache = restoreCache(encodeState({ header, arrays }));
        } catch (error) {
          assert.ok(error instanceof ProvablyError, `${error}`);
          refused++;
          return;
        }
        worked++;
        const isSmall = (x: number) => !(Math.abs(x) > 1e4) || x === -Infinity;
        const floats = Object.values(arrays).filter((array) => !(array instanceof Uint32Array));
        const isTame = cache.shape.storage === 'float32' && floats.every((array) => array.every(isSmall));
        await requireWorking(cache, isTame && cache.shape.scale < 10);
      }),
      { seed: 2, numRuns: 3000 },
    );
    assert.ok(worked > 300 && refused > 1000, `${worked} worked, ${refused} refused`);
  });

  it('names what is wrong', () => {
    const { bytes } = states.find(({ policy }) => policy === 'uniform float32 40')!;
    const withArrays = (change: CacheState['arrays']) => {
      const { header, arrays } = decodeState(bytes);
      return encodeState({ header, arrays: { ...arrays, ...change } });
    };
    const cases: [Uint8Array, RegExp][] = [
      [bytes.subarray(0, bytes.length - 9), /expected \d+, as the header says. The file is cut off/],
      [bytes.with(bytes.length - 20, 1), /the checksum does not fit/],
      [
        withArrays({ keys: new Float32Array(3) }),
        /array "keys" is a Float32Array of 3; expected a Float32Array of 72/,
      ],
      [
        withArrays({ keys: new Float32Array(72).fill(Infinity) }),
        /"keys" has Infinity at 0; expected finite/,
      ],
      [withArrays({ pool: new Uint32Array(12) }), /rows of key head 0 are not those of 41 tokens/],
    ];
    for (const [damaged, message] of cases)
      assert.throws(() => restoreCache(damaged), { code: 'DATA', message });
  });
});

function changedArray(
  array: CacheState['arrays'][string],
  where: string,
  entry: number,
  value: number,
): CacheState['arrays'][string] {
  if (where === 'class')
    return array instanceof Float64Array ? new Float32Array(array) : new Float64Array(array);
  if (where === 'length') {
    const longer = new (array.constructor as Float64ArrayConstructor)(
      Math.max(0, array.length - 2 + (entry % 5)),
    );
    longer.set(array.subarray(0, longer.length) as Float64Array);
    return longer;
  }
  if (array.length > 0) array[entry % array.length] = value;
  return array;
}

/** One number of the header, at any depth, becomes another value. */
function changed(node: object, which: number, entry: number, value: number): object {
  const keys = Object.keys(node);
  if (keys.length === 0) return node;
  const key = keys[which % keys.length];
  const child = (node as Record<string, unknown>)[key];
  const next =
    typeof child === 'object' && child !== null
      ? Object.assign(Array.isArray(child) ? [] : {}, child, changed(child, entry, which, value))
      : entry % 3
        ? value
        : [null, 'text', [], true][entry % 4];
  return { [key]: next };
}
