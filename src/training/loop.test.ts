import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Progress } from '../core/progress.ts';
import { runEpochs } from './loop.ts';

const step = (_epoch: number, _index: number, done: number) => Promise.resolve(done);

describe('runEpochs', () => {
  it('gives the mean loss of each epoch', async () => {
    const history = await runEpochs({ epochs: 2, stepsPerEpoch: 3, step });
    assert.deepEqual(history, { losses: [1, 4], validation: [], bestEpoch: 1, stoppedEarly: false });
  });

  it('stops when validation has not improved for `patience` epochs', async () => {
    const validation = [5, 4, 4.5, 3.95, 9, 9];
    const improved: number[] = [];
    let epoch = -1;
    const history = await runEpochs({
      epochs: 6,
      stepsPerEpoch: 1,
      step,
      validate: async () => validation[++epoch],
      onImproved: async () => {
        improved.push(epoch);
      },
      patience: 2,
      minimumGain: 0.1,
    });
    assert.deepEqual(history.validation, [5, 4, 4.5, 3.95], '3.95 gains less than 0.1');
    assert.deepEqual([history.bestEpoch, history.stoppedEarly], [1, true]);
    assert.deepEqual(improved, [0, 1]);
  });

  it('stops before the next step when aborted, with the reason given', async () => {
    const abort = new AbortController();
    let steps = 0;
    const running = runEpochs({
      epochs: 5,
      stepsPerEpoch: 5,
      signal: abort.signal,
      step: async () => {
        if (++steps === 7) abort.abort(new Error('enough'));
        return 0;
      },
    });
    await assert.rejects(running, { message: 'enough' });
    assert.equal(steps, 7);
  });

  it('lets timers run while it works, and reports its end', async () => {
    const seen: Progress[] = [];
    let ticks = 0;
    const timer = setInterval(() => ticks++, 5);
    const slow = async () => {
      for (const end = performance.now() + 4; performance.now() < end; );
      return 0;
    };
    await runEpochs({ epochs: 2, stepsPerEpoch: 20, step: slow, onProgress: (p) => seen.push(p) });
    clearInterval(timer);
    assert.ok(ticks >= 2, `${ticks} ticks in 160 ms`);
    assert.ok(seen.length >= 3);
    assert.deepEqual(seen.at(-1), { phase: 'training', done: 40, total: 40 });
  });

  it('says at which step training diverged', async () => {
    const diverging = async (_e: number, _i: number, done: number) => (done === 3 ? NaN : 1);
    await assert.rejects(runEpochs({ epochs: 2, stepsPerEpoch: 2, step: diverging }), {
      code: 'NUMERICAL',
      message: /loss of step 3 is NaN/,
    });
  });

  it('refuses options out of range', async () => {
    const code = 'INVALID_ARGUMENT';
    await assert.rejects(runEpochs({ epochs: -1, stepsPerEpoch: 1, step }), { code });
    await assert.rejects(runEpochs({ epochs: 1, stepsPerEpoch: 0, step }), { code });
    await assert.rejects(runEpochs({ epochs: 1, stepsPerEpoch: 1, step, patience: 0 }), { code });
  });
});
