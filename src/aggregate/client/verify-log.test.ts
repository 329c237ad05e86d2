import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { range, serveLabels } from '../../../test/serving-labels.ts';
import type { AuditEntry } from '../audit-entry.ts';
import { verifyLog } from './verify-log.ts';

async function* stream(entries: readonly AuditEntry[]): AsyncGenerator<AuditEntry> {
  yield* entries;
}

describe('verifyLog', () => {
  it('finds the chain that the aggregator made, and whatever is wrong with it, over HTTP', async () => {
    await using serving = await serveLabels();
    const { analyst, auditor } = serving;
    const { head } = await analyst.query({ stage: 's', bags: [range(0, 4)] });
    await assert.rejects(analyst.query({ stage: 's', bags: [range(1, 4)] }), { reason: 'overlap' });
    const report = await auditor.verify(head);
    assert.deepEqual(report, { valid: true, entries: 3, head: await auditor.head() });
    const cut = await auditor.verify('0'.repeat(64));
    const problem = 'no entry has the kept hash: the log was rewritten or cut';
    assert.deepEqual([cut.valid, cut.problem], [false, problem]);

    const entries: AuditEntry[] = [];
    for await (const entry of auditor.log()) entries.push(entry);
    assert.equal((await verifyLog(stream(entries), head)).valid, true);
    // Every field counts, and so do order and number.
    for (const field of Object.keys(entries[1]) as (keyof AuditEntry)[]) {
      const value = entries[1][field];
      const changed = { ...entries[1], [field]: typeof value === 'number' ? value + 1 : `${value}0` };
      const found = await verifyLog(stream([entries[0], changed as AuditEntry, entries[2]]), head);
      assert.deepEqual([found.valid, found.entries], [false, 1], field);
      assert.match(String(found.problem), /entry 1 does not/);
    }
    for (const wrong of [[entries[0], entries[2]], entries.slice(1), entries.toReversed()]) {
      assert.equal((await verifyLog(stream(wrong))).valid, false);
    }
    assert.equal((await verifyLog(stream(entries.slice(0, 1)), head)).valid, false);
    assert.equal((await verifyLog(stream([]))).valid, true);
  });
});
