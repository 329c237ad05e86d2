import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Certified, formatCertificate } from '../src/core/certificate.ts';
import { ProvablyError } from '../src/core/errors.ts';
import type { SystemContract } from './contract.ts';
import { aggregateContract } from './contracts/aggregate.ts';
import { attentionContract } from './contracts/attention.ts';
import { autobiddingContract } from './contracts/autobidding.ts';
import { cacheContract } from './contracts/kv-cache.ts';
import { priorBoostContract } from './contracts/priorboost.ts';
import { selectionContract } from './contracts/selection.ts';

const systems: SystemContract<unknown>[] = [
  aggregateContract as SystemContract<unknown>,
  attentionContract as SystemContract<unknown>,
  autobiddingContract as SystemContract<unknown>,
  cacheContract as SystemContract<unknown>,
  priorBoostContract as SystemContract<unknown>,
  selectionContract as SystemContract<unknown>,
];

function requireComplete({ certificate }: Certified<unknown>, seed: number): void {
  assert.ok(certificate.statement.length > 10);
  assert.match(certificate.source, /\d{4}\.\d{4,5}|derived/);
  assert.ok(certificate.assumptions.length > 0);
  for (const { statement, status, measured } of certificate.assumptions) {
    assert.ok(statement.length > 3);
    if (status === 'checked' || status === 'violated')
      assert.equal(typeof measured, 'number', `"${statement}" is ${status} without its number`);
  }
  const { value, unit, failureProbability } = certificate.bound;
  assert.ok(value >= 0 && unit.length > 0 && failureProbability >= 0 && failureProbability < 1);
  assert.equal(certificate.seed, seed);
  assert.ok(certificate.backend.length > 0);
  assert.equal(formatCertificate(certificate).split('\n').length, 2);
  assert.deepEqual(JSON.parse(JSON.stringify(certificate)), certificate);
}

for (const system of systems) {
  describe(`contract of ${system.name}`, () => {
    it('gives the same bits for the same seed, and a complete certificate', async () => {
      const first = await system.run(system.regular(), { seed: 5 });
      const second = await system.run(system.regular(), { seed: 5 });
      assert.deepEqual(first, second);
      requireComplete(first, 5);
    });

    it('depends on its seed', async () => {
      const first = await system.run(system.regular(), { seed: 5 });
      const second = await system.run(system.regular(), { seed: 6 });
      assert.notDeepEqual(first.value, second.value);
    });

    it('leaves its input as it was', async () => {
      const input = system.regular();
      await system.run(input, { seed: 5 });
      assert.deepEqual(JSON.stringify(input), JSON.stringify(system.regular()));
    });

    it('accepts the smallest input', async () => {
      requireComplete(await system.run(system.smallest(), { seed: 0 }), 0);
    });

    it('refuses an empty input and a NaN with a ProvablyError that says where', async () => {
      if (system.empty) await assert.rejects(system.run(system.empty(), { seed: 0 }), ProvablyError);
      const { input, where } = system.withNaN();
      await assert.rejects(
        system.run(input, { seed: 0 }),
        (error) => error instanceof ProvablyError && where.test(error.message),
      );
    });

    it('refuses a seed that is no unsigned 32-bit integer', async () => {
      await assert.rejects(system.run(system.regular(), { seed: -1 }), {
        code: 'INVALID_ARGUMENT',
        message: /seed is -1/,
      });
    });

    it('stops when it is aborted, before and on the way, with the reason given', async () => {
      const reason = new Error('stop');
      await assert.rejects(
        system.run(system.regular(), { seed: 0, signal: AbortSignal.abort(reason) }),
        reason,
      );
      const controller = new AbortController();
      let reports = 0;
      const running = system.run(system.long(), {
        seed: 0,
        signal: controller.signal,
        onProgress: () => {
          if (++reports === 2) controller.abort(reason);
        },
      });
      await assert.rejects(running, reason);
    });
  });
}
