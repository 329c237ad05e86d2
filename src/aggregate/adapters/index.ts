export {
  type AttributionKeyOptions,
  attributionKeys,
  CONTRIBUTION_BUDGET,
  type ContributionScale,
  contributionFactor,
  type OutputDomain,
  outputDomain,
  parseSummaryReport,
  type SummaryReportOptions,
  summaryReportAnswers,
  toContribution,
} from './attribution.ts';
export type { JsonRecord } from './json-records.ts';
export {
  type JoinAnswersOptions,
  type JoinedAnswers,
  joinAnswers,
  type KeyedAnswer,
  type KeyedAnswers,
} from './keyed-answers.ts';
export {
  conversionValue,
  parseSkanPostbacks,
  type SkanAnswers,
  type SkanOptions,
  type SkanValues,
  skanSourceIdentifiers,
  skanSteps,
} from './skan.ts';
export {
  type AnswerColumns,
  type AnswerTable,
  answerTable,
  type TableAnswersOptions,
  tableAnswers,
} from './table-answers.ts';
