import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { allKernels, offsetView } from '../../test/each-backend.ts';
import { createRng } from '../core/rng.ts';
import { argsort } from './argsort.ts';
import type { SliceProgramme, SliceRowsTask } from './index.ts';
import { sliceRowsReference } from './slice-reference.ts';

const rng = createRng(1);

/** Normal values, few different ones, and clumps far apart. */
const KINDS: (() => number)[] = [
  () => rng.normal(),
  () => rng.integer(3),
  () => 1e6 * rng.integer(3) + rng.next() / 1e6,
];

function programme(rows: number, reversed: boolean): SliceProgramme {
  const sizes = offsetView(new Uint32Array(rows + 1));
  return { reversed, rows, costs: offsetView(new Float64Array(rows + 1)), sizes };
}

/** Results of all rows, done in calls of so many. */
async function results(
  sliceRows: (task: SliceRowsTask) => Promise<void>,
  task: Omit<SliceRowsTask, 'first' | 'end' | 'programmes'>,
  perCall: number,
): Promise<SliceProgramme[]> {
  const rows = task.count;
  const programmes = [programme(rows, false), programme(Math.ceil(rows / 2), true)];
  for (let first = 0; first < rows; first += perCall)
    await sliceRows({ ...task, first, end: Math.min(rows, first + perCall), programmes });
  return programmes;
}

for (const { name, kernels } of await allKernels()) {
  describe(`argsort, ${name}`, () => {
    it('gives the one stable order', async () => {
      for (const kind of [
        ...KINDS,
        () => rng.normal() ** 9,
        () => -0,
        (): number => [Infinity, -1, -0, 0][rng.integer(4)],
      ])
        for (const n of [0, 1, 2, 15, 16, 17, 300, 40_000]) {
          const values = offsetView(Float64Array.from({ length: n }, kind));
          const [order, sorted] = [offsetView(new Uint32Array(n)), offsetView(new Float64Array(n))];
          await kernels.argsort({ values, order, sorted });
          const wanted = { order: new Uint32Array(n), sorted: new Float64Array(n) };
          argsort(values, wanted.order, wanted.sorted);
          assert.deepEqual({ order, sorted }, wanted);
          const spare = { keys: offsetView(new Float64Array(n)), order: offsetView(new Uint32Array(n)) };
          const again = { order: new Uint32Array(n), sorted: new Float64Array(n) };
          await kernels.argsort({ values, ...again, spare });
          assert.deepEqual(again, wanted);
        }
    });

    it('refuses NaN and outputs that are too short', async () => {
      const [order, sorted] = [new Uint32Array(2), new Float64Array(2)];
      await assert.rejects(kernels.argsort({ values: Float64Array.of(0, Number.NaN), order, sorted }), {
        code: 'INVALID_ARGUMENT',
        message: /values\[1\] is NaN/,
      });
      await assert.rejects(kernels.argsort({ values: new Float64Array(3), order, sorted }), {
        code: 'SHAPE',
      });
    });
  });

  describe(`sliceRows, ${name}`, () => {
    it('gives the bits of the reference, however rows are shared out among calls', async () => {
      // Sizes around the width of vectors, with and without room between the least and the largest.
      for (const minSize of [1, 2, 3, 7, 8, 9, 17, 40])
        for (const [turn, most] of [2 * minSize - 1, minSize, minSize + 1, 5 * minSize].entries()) {
          const count = 3 * minSize + rng.integer(200);
          const values = offsetView(Float64Array.from({ length: count }, KINDS[turn % 3]).sort());
          const weights =
            turn % 2 ? offsetView(Float64Array.from(values, () => 0.1 + rng.next())) : undefined;
          const noise = turn > 1 ? offsetView(Float64Array.from(values, () => rng.next())) : undefined;
          for (const monotone of noise ? [false] : [true, false]) {
            const penalty = monotone ? 0.25 : 0;
            const maxSize = Math.min(count, most);
            const task = { values, count, weights, noise, minSize, maxSize, penalty, monotone };
            const wanted = await results(sliceRowsReference, task, count);
            for (const perCall of [minSize * Math.ceil(count / minSize), 3 * minSize])
              assert.deepEqual(
                await results(kernels.sliceRows, task, perCall),
                wanted,
                `${minSize} to ${maxSize}`,
              );
          }
        }
    });

    it('refuses rows that do not start with a block, and sizes that point outside', async () => {
      const values = new Float64Array(10);
      const task = { values, count: 10, minSize: 3, maxSize: 5, penalty: 0, monotone: true, end: 10 };
      const programmes = [programme(10, false)];
      await assert.rejects(
        kernels.sliceRows({ ...task, first: 2, programmes }),
        /first is 2; expected a multiple/,
      );
      programmes[0].sizes[3] = 4;
      await assert.rejects(kernels.sliceRows({ ...task, first: 3, programmes }), /sizes\[3\] is 4/);
      await assert.rejects(
        kernels.sliceRows({ ...task, first: 0, maxSize: 11, programmes }),
        /maxSize is 11/,
      );
      await assert.rejects(
        kernels.sliceRows({ ...task, first: 0, programmes: [] }),
        /number of programmes is 0/,
      );
      const short = [{ ...programmes[0], costs: new Float64Array(10) }];
      await assert.rejects(kernels.sliceRows({ ...task, first: 0, programmes: short }), { code: 'SHAPE' });
    });
  });
}
