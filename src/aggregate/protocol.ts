// What analysts and the aggregator say to each other; the same in process and over HTTP (as JSON).

/** A sample as the label table names it. */
export type SampleId = string | number;

/** Asks for the means of some bags. */
export interface AggregatorQuery {
  /** Name of the stage, 1 to 64 letters, digits, "_", "." or "-". Within one, bags are disjoint. */
  stage: string;
  /** Ids of each bag. */
  bags: readonly (readonly SampleId[])[];
  /** ε of this release, > 0; at most what the aggregator allows for one. Default: that. */
  epsilon?: number | undefined;
}

/** Answer to one bag. */
export interface AnsweredBag {
  /** Noisy mean, in the unit of the labels. */
  mean: number;
  /** Variance of its noise. */
  noiseVariance: number;
  /** Labels in it. */
  size: number;
  /** ε that each person in it was charged now, per label: 0 for an answer given before, which is repeated as it was. */
  charged: number;
}

export interface AggregatorAnswer {
  stage: string;
  epsilon: number;
  /** In the order of the query. */
  bags: AnsweredBag[];
  /** What is protected. */
  neighbouring: 'replace-one-label';
  /** Number of the entry in the audit log. */
  entry: number;
  /** Hash of that entry, hexadecimal: who keeps it can prove that the log was not rewritten. */
  head: string;
}

/** Why a query is refused. A refusal depends on ids, sizes and what was asked before, never on a label, and costs nothing. */
export type RefusalReason =
  | 'malformed'
  | 'unknown-sample'
  | 'repeated-sample'
  | 'overlap'
  | 'bag-too-small'
  | 'epsilon-too-large'
  | 'budget-exceeded'
  | 'too-many-bags'
  | 'unauthorized'
  | 'forbidden'
  | 'busy';

/** Public facts about an aggregator: all an analyst may know before asking. */
export interface AggregatorInfo {
  /** Samples with a label. */
  samples: number;
  minBag: number;
  /** ε a person may spend in all. */
  budget: number;
  /** Largest ε of one release. */
  epsilonPerRelease: number;
  /** Bags in one query, at most. */
  maxBags: number;
  /** Public bounds [L, U] that labels are clipped to. */
  bounds: readonly [number, number];
  /** Step of the grid that sums are answered on, in the unit of the labels. */
  grid: number;
  /** Answers are released with exact discrete Laplace noise of a cryptographic generator. */
  private: boolean;
}
