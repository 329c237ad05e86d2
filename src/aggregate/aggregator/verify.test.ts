import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { isVacuous } from '../../core/certificate.ts';
import { encodeMembers } from '../privacy/member-codec.ts';
import { openAggregator } from './aggregator.ts';
import {
  type AuditEntry,
  answerDigest,
  doubleBytes,
  entryHash,
  NO_DIGEST,
  queryDigest,
} from './audit-chain.ts';
import { openForReading, readEntries } from './ledger-reading.ts';
import type { AggregatorOptions } from './options.ts';
import { verifyLedger } from './verify.ts';

const folder = mkdtempSync(join(tmpdir(), 'provably-verify-'));
after(() => rmSync(folder, { recursive: true }));
let files = 0;
const newFile = (): string => join(folder, `ledger-${files++}.db`);

const ids = Array.from({ length: 60 }, (_, i) => i);
const people = ids.map((i) => i >> 1);
const options: AggregatorOptions = {
  labels: { ids, labels: new Float64Array(60), people },
  ledger: newFile(),
  ...{ minBag: 4, budget: 4, epsilonPerRelease: 1, bounds: [0, 1], grid: 1, cadence: 1 },
};
let heads: string[] = [];

before(async () => {
  const aggregator = await openAggregator(options);
  const ask = async (stage: string, ...bags: number[][]) => {
    heads.push((await aggregator.query('ann', { stage, bags })).head);
  };
  heads = [aggregator.head.hash];
  await ask('a', [0, 1, 2, 3], [10, 11, 12, 13, 14]);
  await ask('b', [2, 3, 4, 5, 6]);
  await aggregator.query('eve', { stage: 'b', bags: [[2, 30, 31, 32]] }).catch(() => {});
  await ask('a', [0, 1, 2, 3], [40, 42, 44, 46]);
  await aggregator.close();
});

/** Changes a copy of the ledger as somebody with the file and SQLite can, and verifies it. */
async function tamper(sql: string, head?: string) {
  const path = newFile();
  copyFileSync(options.ledger, path);
  const db = new DatabaseSync(path, { enableForeignKeyConstraints: false });
  for (const { name } of db.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'").all()) {
    db.exec(`DROP TRIGGER ${name}`);
  }
  db.exec(sql);
  db.close();
  return { path, value: (await verifyLedger(path, { head })).value };
}

/** Makes the chain fit again from entry `from` on, as a forger would. */
function rechain(path: string, from: number): void {
  const db = new DatabaseSync(path);
  let previous = NO_DIGEST;
  for (const { entry } of [...readEntries(db, 0)]) {
    const hash = entry.entry < from ? entry.hash : entryHash({ ...entry, previous });
    db.prepare('UPDATE entry SET hash = ? WHERE entry = ?').run(Buffer.from(hash, 'hex'), entry.entry);
    previous = hash;
  }
  db.close();
}

describe('verifyLedger', () => {
  it('counts what was spent', async () => {
    for (const head of [undefined, ...heads]) {
      const { value, certificate } = await verifyLedger(options.ledger, { head });
      assert.deepEqual(
        { ...value, head: undefined },
        {
          ...{ valid: true, entries: 5, answers: 3, refusals: 1, bagsCharged: 4, bagsRepeated: 1, stages: 2 },
          // Person 1 has rows 2 and 3, each charged in two stages.
          ...{ peopleCharged: 11, largestSpend: 4, budget: 4, minBag: 4, head: undefined },
        },
      );
      assert.equal(value.head.hash, heads.at(-1));
      assert.equal(certificate.bound.value, 4);
      assert.ok(!isVacuous(certificate.bound));
    }
  });

  it('refuses changes by whoever keeps the triggers', () => {
    const path = newFile();
    copyFileSync(options.ledger, path);
    const db = new DatabaseSync(path);
    for (const sql of [
      "UPDATE entry SET actor = 'bob'",
      'DELETE FROM entry WHERE entry = 4',
      'UPDATE bag SET mean = members',
      'DELETE FROM bag',
      "UPDATE parameter SET value = ''",
      'DELETE FROM parameter',
      'INSERT OR REPLACE INTO entry SELECT * FROM entry WHERE entry = 1',
      'INSERT OR REPLACE INTO bag SELECT * FROM bag WHERE entry = 1',
      'UPDATE OR REPLACE bag SET position = 7',
    ]) {
      assert.throws(() => db.exec(sql), /append-only/, sql);
    }
    db.close();
  });

  it('finds the first entry that was changed, left out or added', async () => {
    const members = `x'${Buffer.from(encodeMembers(Uint32Array.of(0, 1, 2, 4))).toString('hex')}'`;
    const mean = `x'${Buffer.from(doubleBytes(0.25)).toString('hex')}'`;
    const cases: [string, number, RegExp][] = [
      ["UPDATE entry SET actor = 'bob' WHERE entry = 2", 2, /its hash/],
      ['UPDATE entry SET time = time + 1 WHERE entry = 0', 0, /its hash/],
      ['UPDATE entry SET units = 1 WHERE entry = 1', 1, /its hash/],
      ["UPDATE entry SET reason = '' WHERE entry = 3", 3, /its hash/],
      ['UPDATE entry SET hash = zeroblob(32) WHERE entry = 1', 1, /its hash/],
      ['DELETE FROM entry WHERE entry = 3', 4, /entry 3 is missing/],
      ['DELETE FROM entry WHERE entry = 0', 1, /entry 0 is missing/],
      ['UPDATE entry SET entry = 9 WHERE entry = 4', 9, /entry 4 is missing/],
      [`UPDATE bag SET mean = ${mean} WHERE entry = 1 AND position = 1`, 1, /its means are not/],
      [`UPDATE bag SET members = ${members} WHERE entry = 1 AND position = 0`, 1, /its bags are not/],
      ["UPDATE bag SET members = x'ff' WHERE entry = 2", 2, /cannot be read/],
      ["UPDATE bag SET members = x'00' WHERE entry = 2", 2, /holds 1 samples, fewer than 4/],
      ['DELETE FROM bag WHERE entry = 1 AND position = 1', 1, /charges 1 bags and repeats 0/],
      ['DELETE FROM bag WHERE entry = 2', 2, /charges 0 bags/],
      ['UPDATE bag SET of_entry = 2 WHERE entry = 4 AND position = 0', 4, /another stage/],
      ['UPDATE bag SET of_position = 5 WHERE entry = 4 AND position = 0', 4, /that is not there/],
      [`INSERT INTO bag VALUES (3, 0, ${members}, ${mean}, NULL, NULL)`, 3, /under an entry of kind refusal/],
      [
        `INSERT INTO bag VALUES (8, 0, ${members}, ${mean}, NULL, NULL)`,
        4,
        /1 bags were charged without an entry/,
      ],
      [
        `UPDATE parameter SET value = replace(value, '"budget":4', '"budget":9') WHERE name = 'parameters'`,
        0,
        /parameters/,
      ],
      ["UPDATE parameter SET value = zeroblob(240) WHERE name = 'people'", 0, /people/],
      ["DELETE FROM parameter WHERE name = 'people'", 0, /people/],
    ];
    for (const [sql, entry, message] of cases) {
      const { path, value } = await tamper(sql);
      assert.equal(value.valid, false, sql);
      assert.equal(value.problem?.entry, entry, `${sql}: ${value.problem?.message}`);
      assert.match(value.problem!.message, message, sql);
      // An aggregator does not go on from it either, but for what only a look at the whole file shows.
      if (!/without an entry/.test(value.problem!.message)) {
        await assert.rejects(openAggregator({ ...options, ledger: path }), { code: 'DATA' }, sql);
      }
    }
  });

  it('finds rule breaking in a log whose hashes all fit, and a rewritten or cut log by a kept head', async () => {
    // Another name, all hashes made anew: sound in itself.
    const { path } = await tamper("UPDATE entry SET actor = 'bob' WHERE entry = 1");
    rechain(path, 0);
    assert.equal((await verifyLedger(path)).value.valid, true);
    for (const head of heads.slice(1)) {
      const { value, certificate } = await verifyLedger(path, { head });
      assert.equal(value.valid, false);
      assert.match(value.problem!.message, /no entry has the kept hash/);
      assert.match(certificate.warnings.join(), /rewritten or cut/);
      assert.ok(isVacuous(certificate.bound));
    }
    // The last answer left out: sound in itself, but who was told of it knows better.
    const cut = 'DELETE FROM bag WHERE entry = 4; DELETE FROM entry WHERE entry = 4';
    assert.equal((await tamper(cut)).value.valid, true);
    assert.equal((await tamper(cut, heads[2])).value.valid, true);
    assert.match((await tamper(cut, heads[3])).value.problem!.message, /no entry has the kept hash/);
    // A forged answer with fitting hashes still overlaps, overspends or is too small.
    const forge = async (stage: string, rows: number[], units: number) => {
      const { path } = await tamper(cut);
      const members = encodeMembers(Uint32Array.from(rows));
      const db = new DatabaseSync(path);
      const last = [...readEntries(db, 3)][0].entry;
      const fields = {
        ...{
          entry: 4,
          time: 0,
          actor: 'ann',
          kind: 'answer',
          stage,
          units,
          charged: 1,
          repeated: 0,
          reason: '',
        },
        query: queryDigest(stage, units, [members]),
        answer: answerDigest([{ mean: 0.5, size: rows.length, units }]),
        previous: last.hash,
      } satisfies Omit<AuditEntry, 'hash'>;
      const bytes = (text: string) => Buffer.from(text, 'hex');
      db.prepare('INSERT INTO entry VALUES (4, 0, ?, ?, ?, ?, 1, 0, ?, ?, ?, ?)').run(
        ...['ann', 'answer', stage, units, ''],
        ...[bytes(fields.query), bytes(fields.answer), bytes(entryHash(fields))],
      );
      db.prepare('INSERT INTO bag VALUES (4, 0, ?, ?, NULL, NULL)').run(members, doubleBytes(0.5));
      db.close();
      const { value } = await verifyLedger(path);
      return value.problem && `${value.problem.entry}: ${value.problem.message}`;
    };
    assert.equal(await forge('c', [20, 21, 22, 23], 1e9), undefined); // the forger's craft is good
    assert.match((await forge('a', [3, 20, 21, 22], 1e9))!, /4: bag 0 overlaps an earlier bag of stage a/);
    assert.match(
      (await forge('c', [2, 20, 21, 22], 1e9))!,
      /4: a person in bag 0 has spent 5, above the budget of 4/,
    );
    assert.match((await forge('c', [20, 21, 22], 1e9))!, /4: bag 0 holds 3 samples, fewer than 4/);
    assert.match((await forge('c', [20, 21, 22, 23], 2e9))!, /4: its epsilon is 2/);
    assert.match((await forge('c', [20, 21, 22, 60], 1e9))!, /4: bag 0 holds a row that has no label/);
  });

  it('finds any byte that was changed in an entry or a bag', async () => {
    const db = openForReading(options.ledger);
    const columns = [
      ...['query', 'answer', 'hash'].map((name) => ({ table: 'entry', name })),
      ...['members', 'mean'].map((name) => ({ table: 'bag', name })),
    ];
    db.close();
    const property = fc.asyncProperty(
      fc.constantFrom(...columns),
      fc.nat(3),
      fc.nat(31),
      fc.integer({ min: 1, max: 255 }),
      async ({ table, name }, row, at, flip) => {
        const path = newFile();
        copyFileSync(options.ledger, path);
        const db = new DatabaseSync(path);
        db.exec(`DROP TRIGGER ${table}_no_update`);
        const rows = db
          .prepare(`SELECT entry, ${name} AS value FROM ${table} WHERE ${name} IS NOT NULL`)
          .all();
        const { entry, value } = rows[row % rows.length] as { entry: number; value: Uint8Array };
        const changed = value.slice();
        changed[at % changed.length] ^= flip;
        db.prepare(`UPDATE ${table} SET ${name} = ? WHERE entry = ? AND ${name} = ?`).run(
          changed,
          entry,
          value,
        );
        db.close();
        const report = (await verifyLedger(path)).value;
        assert.equal(report.valid, false);
        assert.equal(report.problem!.entry, entry);
      },
    );
    await fc.assert(property, { seed: 1, numRuns: 60 });
  });

  it('reads while the aggregator runs, and stops when told to', async () => {
    const ledger = newFile();
    await using aggregator = await openAggregator({ ...options, ledger });
    await aggregator.query('ann', { stage: 'a', bags: [[0, 1, 2, 3]] });
    assert.equal((await verifyLedger(ledger, { head: aggregator.head.hash })).value.bagsCharged, 1);
    await aggregator.query('ann', { stage: 'b', bags: [[0, 1, 2, 3]] });
    assert.equal((await verifyLedger(ledger)).value.bagsCharged, 2);
  });

  it('refuses what is no ledger', async () => {
    await assert.rejects(verifyLedger(join(folder, 'none.db')), {
      code: 'DATA',
      message: /cannot be opened/,
    });
    const text = newFile();
    writeFileSync(text, 'text '.repeat(1000));
    await assert.rejects(verifyLedger(text), { code: 'DATA' });
    const empty = newFile();
    new DatabaseSync(empty).close();
    await assert.rejects(verifyLedger(empty), { code: 'DATA' });
  });
});
