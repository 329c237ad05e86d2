// What an aggregator answers, held against its protocol: a proxy's page or another server must not become numbers.

import { DataError } from '../../core/errors.ts';
import type { AuditEntry, LogHead } from '../audit-entry.ts';
import type { AggregatorAnswer, AggregatorInfo, AggregatorQuery } from '../protocol.ts';

/** @throws {DataError} it is not what the protocol says */
export function requireInfo(reply: unknown): AggregatorInfo {
  const { samples, minBag, budget, epsilonPerRelease, maxBags, bounds, grid } = objectOf(reply);
  const numbers = [samples, minBag, budget, epsilonPerRelease, maxBags, grid, ...listOf(bounds)];
  if (numbers.length !== 8 || !numbers.every((value) => typeof value === 'number')) {
    throw foreign('what an aggregator tells of itself');
  }
  return reply as AggregatorInfo;
}

/** @throws {DataError} it does not answer `query` */
export function requireAnswer(reply: unknown, { stage, bags }: AggregatorQuery): AggregatorAnswer {
  const answer = objectOf(reply);
  const answered = listOf(answer.bags).map(objectOf);
  if (answer.stage !== stage || answered.length !== bags.length) throw foreign('an answer to this query');
  answered.forEach(({ mean, noiseVariance, size, charged }, a) => {
    const isSound =
      Number.isFinite(mean) &&
      [noiseVariance, charged].every((value) => Number.isFinite(value) && (value as number) >= 0) &&
      size === bags[a].length;
    if (!isSound) throw foreign(`an answer to bag ${a}`);
  });
  return reply as AggregatorAnswer;
}

/** @throws {DataError} it is no head of a log */
export function requireHead(reply: unknown): LogHead {
  const { entry, hash } = objectOf(reply);
  if (!Number.isInteger(entry) || typeof hash !== 'string') throw foreign('the head of a log');
  return { entry: entry as number, hash };
}

/** @throws {DataError} it is no page of a log. Whether its entries are sound is for `verifyLog` */
export function requirePage(reply: unknown): AuditEntry[] {
  const { entries } = objectOf(reply);
  if (!Array.isArray(entries) || !entries.every((entry) => typeof objectOf(entry).hash === 'string')) {
    throw foreign('a page of a log');
  }
  return entries;
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function foreign(expected: string): DataError {
  return new DataError(
    `aggregator client: the reply is not ${expected}; expected what the protocol of this version says. Check the address, and that both ends have the same version.`,
  );
}
