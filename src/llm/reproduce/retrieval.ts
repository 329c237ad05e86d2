// Protocol S5: which caches still find a line, against the bytes they may hold.

import { UnsupportedError } from '../../core/errors.ts';
import { CACHE_POLICIES, type ComparedPolicy } from '../../kv-cache/index.ts';
import {
  firstSeeds,
  judge,
  type ProtocolOptions,
  type ProtocolReport,
  type Verdict,
} from '../../reproduce/protocol.ts';
import { type RetrievalRow, retrievalContest } from '../evaluate/retrieval-contest.ts';
import type { ChatTemplate } from '../text/index.ts';
import { nameOf, RECOMMENDED } from './recommended.ts';
import type { Subject } from './subject.ts';

export interface RetrievalProtocolOptions extends ProtocolOptions {
  subject: Subject;
  /** Lines of a record. Default 24. */
  lines?: number | undefined;
  /** Default 10. */
  records?: number | undefined;
  /** Lines asked for in each record. Default 10. */
  questions?: number | undefined;
  /** Of the bytes of a full cache. Default [0.75, 0.5, 0.25]. */
  shares?: readonly number[] | undefined;
  /** Default: all that take a budget. */
  policies?: readonly ComparedPolicy[] | undefined;
}

/** What the full cache must find, that a comparison means anything. */
const ABLE = 0.5;

/** Policies that the paper's order puts last. */
const BEATEN = ['h2o', 'snapkv', 'sink-window'];

/** One seed; answers are the most likely tokens. Source: SubGen, arXiv 2402.06082, LongEval line retrieval; the record's wording is ours. */
export async function reproduceRetrieval(
  options: RetrievalProtocolOptions,
): Promise<ProtocolReport<RetrievalRow[]>> {
  const { subject, lines = 24, records = 10, questions = 10, shares = [0.75, 0.5, 0.25] } = options;
  const { policies = budgetedPolicies(), signal, onProgress } = options;
  const [seed] = options.seeds ?? firstSeeds(1);
  const { storage } = RECOMMENDED;
  const figures = await retrievalContest(subject.model, subject.tokenizer, templateOf(subject), {
    ...{ policies, shares, lines, records, questions, storage, seed, signal, onProgress },
  });
  return {
    id: 'S5',
    title: 'Line retrieval against the bytes of the cache',
    setting: {
      ...{ model: subject.name, lines, questions: records * questions, shares, storage },
      ...{ recommended: nameOf(RECOMMENDED.policy), seed },
    },
    figures,
    verdicts: verdictsOf(figures, shares),
  };
}

/** Every policy that keeps to a number of rows, the recommended one as it is recommended. */
export function budgetedPolicies(): ComparedPolicy[] {
  const others = CACHE_POLICIES.filter(
    (policy) => policy !== 'full' && policy !== 'subgen' && policy !== RECOMMENDED.policy.policy,
  ).map((policy) => ({ policy }) as ComparedPolicy);
  return [RECOMMENDED.policy, ...others];
}

/** How a model is asked: by its template if it has one, else by plain text. */
export function templateOf({ chatTemplate }: Subject): ChatTemplate | undefined {
  try {
    return chatTemplate();
  } catch (error) {
    if (error instanceof UnsupportedError) return undefined; // a model of plain text
    throw error;
  }
}

/** Without it caches cannot be told apart, and nothing is to be claimed of them. */
export function judgeAbility(rows: readonly RetrievalRow[]): Verdict {
  const { accuracy } = rows.find(({ policy }) => policy === 'full')!;
  return judge('the model finds lines when all is kept', accuracy, { low: ABLE, unit: 'of all right' });
}

function verdictsOf(rows: readonly RetrievalRow[], shares: readonly number[]): Verdict[] {
  const full = rows.find(({ policy }) => policy === 'full')!.accuracy;
  const able = judgeAbility(rows);
  if (!able.passed) return [able];
  const own = nameOf(RECOMMENDED.policy);
  return [
    able,
    ...shares.flatMap((share) => {
      const at = (name: string) => rows.find((row) => row.policy === name && row.share === share);
      const recommended = at(own);
      if (!recommended) return [];
      const percent = `${100 * share} % of the bytes`;
      return [
        judge(`${percent}: ${own} keeps what the full cache finds`, recommended.accuracy / full, {
          ...{ low: 0.9, unit: 'of its accuracy' },
        }),
        ...BEATEN.filter((name) => name !== own && at(name)).map((name) =>
          judge(`${percent}: ${own} finds more than ${name}`, recommended.right - at(name)!.right, {
            ...{ low: 1, unit: `of ${recommended.asked} questions` },
          }),
        ),
      ];
    }),
  ];
}
