// Losses of a response against a prediction on the link scale, for one sample and for the mean over a bag.

/** square: (y − η)² · logistic: cross-entropy, η the logit · poisson: e^η − yη, η the log rate. */
export const LOSSES = ['square', 'logistic', 'poisson'] as const;
export type LossName = (typeof LOSSES)[number];

/** Where predictions of a bag are averaged. mean: predicted means (probabilities, rates) · link: logits, log rates. */
export const AGGREGATIONS = ['mean', 'link'] as const;
export type AggregateIn = (typeof AGGREGATIONS)[number];

export interface LossFunction {
  /** Predicted mean b'(η). */
  mean(eta: number): number;
  /** b''(η) ≥ 0, by the mean and η. */
  meanSlope(eta: number): number;
  /** ℓ(y, η), convex in η; terms of y alone are left out. */
  value(y: number, eta: number): number;
  /** ∂ℓ/∂η. */
  slope(y: number, eta: number): number;
  /** ∂²ℓ/∂η² ≥ 0. */
  curvature(eta: number): number;
  /** Value, ∂ℓ/∂η and ∂²ℓ/∂η² at once, into out[0], out[1], out[2]: a fit asks for all three of every sample. */
  terms(y: number, eta: number, out: Float64Array): void;
  /** sup ∂²ℓ/∂η²: λ in L_ins ≤ L_bag + (λ/2) R. Infinity for Poisson. */
  greatestCurvature: number;
  /** The loss at the mean prediction of a bag. */
  ofMean(y: number, etas: Float64Array, count: number): MeanLoss;
}

/** Loss of a bag whose predicted means are averaged to μ̄. */
export interface MeanLoss {
  value: number;
  /** ∂ℓ/∂μ̄. */
  slope: number;
  /** Its expectation's derivative at y = μ̄: the curvature of Fisher scoring, > 0. */
  information: number;
}

export const lossFunctions: Readonly<Record<LossName, LossFunction>> = {
  square: {
    mean: (eta) => eta,
    meanSlope: () => 1,
    value: (y, eta) => (y - eta) ** 2,
    slope: (y, eta) => 2 * (eta - y),
    curvature: () => 2,
    terms(y, eta, out) {
      out[0] = (y - eta) ** 2;
      out[1] = 2 * (eta - y);
      out[2] = 2;
    },
    greatestCurvature: 2,
    ofMean(y, etas, count) {
      let sum = 0;
      for (let i = 0; i < count; i++) sum += etas[i];
      const mean = sum / count;
      return { value: (y - mean) ** 2, slope: 2 * (mean - y), information: 2 };
    },
  },
  logistic: {
    mean: sigmoid,
    meanSlope: logisticSlope,
    value: (y, eta) => softplus(eta) - y * eta,
    slope: (y, eta) => sigmoid(eta) - y,
    curvature: logisticSlope,
    terms(y, eta, out) {
      const e = Math.exp(-Math.abs(eta));
      const greater = 1 / (1 + e);
      const tail = e * greater;
      out[0] = Math.max(eta, 0) + logOnePlus(e) - y * eta;
      out[1] = (eta >= 0 ? greater : tail) - y;
      out[2] = greater * tail;
    },
    greatestCurvature: 0.25,
    ofMean(y, etas, count) {
      // Both tails summed on their own: 1 − p̄ would lose a small one.
      let p = 0;
      let q = 0;
      for (let i = 0; i < count; i++) {
        p += sigmoid(etas[i]);
        q += sigmoid(-etas[i]);
      }
      p /= count;
      q /= count;
      // 0 · log 0 = 0; a mean that underflowed counts as the least normal number.
      const positive = Math.max(p, LEAST);
      const negative = Math.max(q, LEAST);
      return {
        value: -(y * Math.log(positive)) - (1 - y) * Math.log(negative),
        slope: (1 - y) / negative - y / positive,
        information: 1 / (positive * negative),
      };
    },
  },
  poisson: {
    mean: Math.exp,
    meanSlope: Math.exp,
    value: (y, eta) => Math.exp(eta) - y * eta,
    slope: (y, eta) => Math.exp(eta) - y,
    curvature: Math.exp,
    terms(y, eta, out) {
      const rate = Math.exp(eta);
      out[0] = rate - y * eta;
      out[1] = rate - y;
      out[2] = rate;
    },
    greatestCurvature: Infinity,
    ofMean(y, etas, count) {
      let sum = 0;
      for (let i = 0; i < count; i++) sum += Math.exp(etas[i]);
      const mean = Math.max(sum / count, LEAST);
      return { value: mean - y * Math.log(mean), slope: 1 - y / mean, information: 1 / mean };
    },
  },
};

const LEAST = 1e-300;

/** 1 / (1 + e^−η), without overflow. */
export function sigmoid(eta: number): number {
  if (eta >= 0) return 1 / (1 + Math.exp(-eta));
  const e = Math.exp(eta);
  return e / (1 + e);
}

/** log(1 + e^η), without overflow. */
function softplus(eta: number): number {
  return Math.max(eta, 0) + logOnePlus(Math.exp(-Math.abs(eta)));
}

/** log(1 + e) for e in [0, 1]: `log1p` costs twice what `log` does, and only small e need it. */
function logOnePlus(e: number): number {
  return e < 1e-3 ? Math.log1p(e) : Math.log(1 + e);
}

function logisticSlope(eta: number): number {
  const e = Math.exp(-Math.abs(eta));
  return e / ((1 + e) * (1 + e));
}
