export {
  type BoundedIntervalOptions,
  bernsteinInterval,
  chernoffUpperLimit,
  chiSquareInterval,
  clopperPearsonInterval,
  empiricalBernsteinInterval,
  hoeffdingInterval,
  type Interval,
  type IntervalOptions,
  studentTInterval,
} from './intervals.ts';
export {
  betaQuantile,
  chiSquarePValue,
  chiSquareQuantile,
  normalQuantile,
  studentTQuantile,
  type Tail,
} from './quantiles.ts';
export { type SampleSummary, summarize } from './summary.ts';
