// Rows whose loss lies far above what their neighbourhood explains: likely label errors.

import { requireInteger, requireLength, requirePositive } from '../core/check.ts';

export interface Suspect {
  /** Row id. */
  id: number;
  loss: number;
  /** σ of the row: the loss its cluster and its distance explain. */
  score: number;
  /** loss / score; Infinity when the score is 0. */
  ratio: number;
}

/**
 * Lists rows with ℓ ≥ factor·σ, highest ratio first: mislabelled, corrupt or unlike anything nearby.
 *
 * @param ids - row ids, shape (rows,)
 * @param losses - ℓ of these rows
 * @param scores - σ of these rows, e.g. `Selection.scores`
 * @throws {ShapeError} lengths differ @throws {InvalidArgumentError} factor ≤ 0 or limit < 1
 */
export function mislabelSuspects(
  ids: ArrayLike<number>,
  losses: ArrayLike<number>,
  scores: ArrayLike<number>,
  { factor = 3, limit = 100 }: { factor?: number; limit?: number } = {},
): Suspect[] {
  requireLength('mislabelSuspects: losses', losses, ids.length);
  requireLength('mislabelSuspects: scores', scores, ids.length);
  requirePositive('mislabelSuspects: factor', factor);
  requireInteger('mislabelSuspects: limit', limit, 1);
  const suspects: Suspect[] = [];
  for (let j = 0; j < ids.length; j++) {
    if (!(losses[j] > 0) || losses[j] < factor * scores[j]) continue;
    suspects.push({
      id: ids[j],
      loss: losses[j],
      score: scores[j],
      ratio: scores[j] > 0 ? losses[j] / scores[j] : Infinity,
    });
  }
  return suspects.sort((a, b) => b.ratio - a.ratio || b.loss - a.loss || a.id - b.id).slice(0, limit);
}
