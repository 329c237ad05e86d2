// Synthetic tables whose true means are known.

import type { Matrix64 } from '../../../core/matrix.ts';
import { createRng, type Rng } from '../../../core/rng.ts';
import type { AggregateModel } from '../../types.ts';

export interface Problem {
  /** Independent standard normal entries, shape (n, d). */
  features: Matrix64;
  /** Shape (d,), of length 1. */
  theta: Float64Array;
  /** True mean response of each row, shape (n,). */
  truth: Float64Array;
  /** Shape (n,). */
  responses: Float64Array;
}

export interface ProblemShape {
  rows: number;
  columns: number;
  seed: number;
}

/** Responses ⟨x, θ⟩ + noise · N(0, 1). */
export function linearProblem(shape: ProblemShape, noise: number = 0.5): Problem {
  const { features, theta, scores, rng } = drawScores(shape);
  return { features, theta, truth: scores, responses: scores.map((mean) => mean + noise * rng.normal()) };
}

/** Responses 0 or 1, the latter with probability σ(scale · ⟨x, θ⟩). */
export function logisticProblem(shape: ProblemShape, scale: number): Problem {
  const { features, theta, scores, rng } = drawScores(shape);
  const truth = scores.map((score) => 1 / (1 + Math.exp(-scale * score)));
  return { features, theta, truth, responses: truth.map((mean) => Number(rng.next() < mean)) };
}

/** ‖θ̂ − θ‖² of a linear model. */
export function coefficientError(model: AggregateModel, { theta }: Problem): number {
  const coefficients = model.toJSON().coefficients as readonly number[];
  return coefficients.reduce((sum, value, j) => sum + (value - theta[j]) ** 2, 0);
}

/** Mean Kullback-Leibler divergence of predicted from true probabilities, nats: expected log-loss above the least. */
export function excessLogLoss(model: AggregateModel, { features, truth }: Problem): number {
  const predicted = model.predict(features);
  let sum = 0;
  truth.forEach((mean, i) => {
    sum += mean * Math.log(mean / predicted[i]) + (1 - mean) * Math.log((1 - mean) / (1 - predicted[i]));
  });
  return sum / truth.length;
}

function drawScores({ rows, columns, seed }: ProblemShape): {
  features: Matrix64;
  theta: Float64Array;
  scores: Float64Array;
  rng: Rng;
} {
  const rng = createRng(seed).fork('problem');
  const theta = Float64Array.from({ length: columns }, () => rng.normal());
  const length = Math.hypot(...theta);
  for (let j = 0; j < columns; j++) theta[j] /= length;
  const data = Float64Array.from({ length: rows * columns }, () => rng.normal());
  const scores = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) scores[i] += data[i * columns + j] * theta[j];
  }
  return { features: { data, rows, cols: columns }, theta, scores, rng };
}
