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
import { type RetrievalEntrant, type RetrievalRow, retrievalContest } from '../evaluate/retrieval-contest.ts';
import type { ChatTemplate } from '../text/index.ts';
import { BASELINE, nameOf, RECOMMENDED, RIVALS } from './recommended.ts';
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
  /** Default: the recommended one, and all policies that take a budget. */
  entrants?: readonly RetrievalEntrant[] | undefined;
}

/** What the full cache must find, that a comparison means anything. */
const ABLE = 0.5;

/** One seed; answers are the most likely tokens. Source: SubGen, arXiv 2402.06082, LongEval line retrieval; the record's wording is ours. */
export async function reproduceRetrieval(
  options: RetrievalProtocolOptions,
): Promise<ProtocolReport<RetrievalRow[]>> {
  const { subject, lines = 24, records = 10, questions = 10, shares = [0.75, 0.5, 0.25] } = options;
  const { entrants = allEntrants(), signal, onProgress } = options;
  const [seed] = options.seeds ?? firstSeeds(1);
  const figures = await retrievalContest(subject.model, subject.tokenizer, templateOf(subject), {
    ...{ entrants, shares, lines, records, questions, storage: BASELINE, seed, signal, onProgress },
  });
  return {
    id: 'S5',
    title: 'Line retrieval against the bytes of the cache',
    setting: {
      ...{ model: subject.name, lines, questions: records * questions, shares, storage: BASELINE },
      ...{ recommended: nameOf(RECOMMENDED), seed },
    },
    figures,
    verdicts: verdictsOf(figures, shares),
  };
}

/** The recommended cache, and every policy that keeps to a number of rows. */
export function allEntrants(): RetrievalEntrant[] {
  const budgeted = CACHE_POLICIES.filter((policy) => policy !== 'full' && policy !== 'subgen').map(
    (policy): RetrievalEntrant => ({ policy: { policy } as ComparedPolicy }),
  );
  return [RECOMMENDED, ...budgeted.filter((entrant) => nameOf(entrant) !== nameOf(RECOMMENDED))];
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
  const own = nameOf(RECOMMENDED);
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
        ...RIVALS.map(nameOf)
          .filter((name) => name !== own && at(name))
          .map((name) =>
            judge(`${percent}: ${own} finds more than ${name}`, recommended.right - at(name)!.right, {
              ...{ low: 1, unit: `of ${recommended.asked} questions` },
            }),
          ),
      ];
    }),
  ];
}
