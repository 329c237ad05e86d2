// A Hessian computed once and corrected by the gradients seen since: the step of the BFGS method in its two-loop form.

import type { SymmetricSolver } from './symmetric-solver.ts';

/** Pairs kept: more than this, and a new Hessian is the better use of a pass. */
const MEMORY = 12;

interface Pair {
  step: Float64Array;
  change: Float64Array;
  /** 1 / ⟨step, change⟩. */
  scale: number;
}

export class QuasiNewton {
  private readonly solver: SymmetricSolver;
  private readonly pairs: Pair[] = [];

  /** @param solver - of the Hessian at some point */
  constructor(solver: SymmetricSolver) {
    this.solver = solver;
  }

  /** True when nothing was learned since the Hessian was computed. */
  get fresh(): boolean {
    return this.pairs.length === 0;
  }

  get full(): boolean {
    return this.pairs.length === MEMORY;
  }

  /** Takes note of how the gradient changed along a step; steps of no positive curvature are left out. */
  learn(step: Float64Array, change: Float64Array): void {
    const curvature = dot(step, change);
    if (curvature > 0) this.pairs.push({ step, change, scale: 1 / curvature });
  }

  /** −H⁻¹ ∇ by the corrected Hessian. Source: Nocedal, Math. Comp. 35 (1980), with the Newton solve as H₀. */
  descent(gradient: Float64Array): Float64Array {
    const rest = gradient.map((g) => -g);
    const shares = new Float64Array(this.pairs.length);
    for (let p = this.pairs.length - 1; p >= 0; p--) {
      const { step, change, scale } = this.pairs[p];
      shares[p] = scale * dot(step, rest);
      for (let j = 0; j < rest.length; j++) rest[j] -= shares[p] * change[j];
    }
    const direction = this.solver.solve(rest);
    for (const [p, { step, change, scale }] of this.pairs.entries()) {
      const share = shares[p] - scale * dot(change, direction);
      for (let j = 0; j < direction.length; j++) direction[j] += share * step[j];
    }
    return direction;
  }
}

export function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
