import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRng } from '../../core/rng.ts';
import { type BeatClock, Cadence } from './cadence.ts';

/** A clock that a test moves: by what work takes, and by less than was asked for at each waking. */
class TestClock implements BeatClock {
  private readonly rng = createRng(1);
  time = 1000.25;

  now(): number {
    return this.time;
  }

  wake(milliseconds: number, call: () => void): void {
    setImmediate(() => {
      // Mostly early, as timers are; the last thousandth of a millisecond at once.
      this.time += milliseconds < 0.001 ? milliseconds : milliseconds * this.rng.next();
      call();
    });
  }
}

function recorded(period: number, clock: TestClock, work: (jobs: number[]) => void, maxWeight = 1e9) {
  const settled: number[] = [];
  const cadence = new Cadence<number>({
    ...{ period, clock, maxWeight, weight: (job) => job },
    work(jobs) {
      work(jobs);
      return () => settled.push(clock.time);
    },
  });
  return { cadence, settled };
}

describe('Cadence', () => {
  it('settles on the first beat after the work is done, wherever between two that was', async () => {
    const clock = new TestClock();
    const start = clock.time;
    const took = [0.1, 3, 7, 9.99, 12, 0, 25];
    const began: number[] = [];
    const { cadence, settled } = recorded(10, clock, () => {
      began.push(clock.time);
      clock.time += took[began.length - 1];
    });
    for (let i = 0; i < took.length; i++) {
      clock.time += 1.7 * i; // jobs come at any moment
      cadence.add(1);
      await cadence.idle();
    }
    const beatOf = (time: number) => (time - start) / 10;
    for (const [i, time] of settled.entries()) {
      assert.ok(
        Math.abs(beatOf(time) - Math.round(beatOf(time))) < 1e-9,
        `job ${i} was settled at beat ${beatOf(time)}`,
      );
      const beats = Math.round(beatOf(time) - beatOf(began[i]));
      assert.equal(beats, Math.floor(took[i] / 10) + 1);
    }
    assert.equal(settled.length, took.length);
  });

  it('takes what waits together, but no more than a batch may weigh, in order', async () => {
    const batches: number[][] = [];
    const { cadence, settled } = recorded(1, new TestClock(), (jobs) => batches.push(jobs), 10);
    for (const job of [4, 5, 2, 30, 1]) cadence.add(job);
    await cadence.idle();
    assert.deepEqual(batches, [[4, 5], [2], [30], [1]]);
    assert.equal(settled.length, 4);
    await cadence.idle(); // nothing waits: at once
  });

  it('keeps to the clock of the machine', async () => {
    const start = performance.now();
    let settledAt = 0;
    const cadence = new Cadence<number>({
      ...{ period: 25, maxWeight: 1, weight: () => 1 },
      work: () => () => {
        settledAt = performance.now();
      },
    });
    cadence.add(1);
    await cadence.idle();
    assert.ok(settledAt - start >= 50, 'work at the first beat, told at the second');
  });
});
