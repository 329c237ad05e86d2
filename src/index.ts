// What every system shares: certificates, errors, seeds. The systems have subpaths of their own ("provably/selection").

export {
  type Assumption,
  type AssumptionStatus,
  type Audit,
  audit,
  type Bound,
  type Certificate,
  type Certified,
  formatCertificate,
  isVacuous,
} from './core/certificate.ts';
export {
  AuditError,
  DataError,
  type ErrorCode,
  InvalidArgumentError,
  MissingDependencyError,
  NumericalError,
  ProvablyError,
  ShapeError,
  UnsupportedError,
} from './core/errors.ts';
export { type Matrix32, type Matrix64, matrixSource, type RowBlock, type RowSource } from './core/matrix.ts';
export type { Progress, RunOptions } from './core/progress.ts';
export { createRng, type Rng } from './core/rng.ts';
