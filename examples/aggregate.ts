// Learn from private means of bags instead of labels: plan, ask, fit, and see what it costs against single labels.
// Run: node --conditions=provably-source examples/aggregate.ts

import { createRng, formatCertificate } from 'provably';
import {
  fitLinear,
  linearLearner,
  localBagQuery,
  PrivacyLedger,
  planAggregation,
  priorBoost,
  randomBags,
} from 'provably/aggregate';

// People with five features each, and a response that only its owner may see.
const [samples, cols] = [40_000, 5];
const rng = createRng(1);
const features = {
  data: Float64Array.from({ length: samples * cols }, () => rng.normal()),
  rows: samples,
  cols,
};
const truth = [1, -0.5, 0.25, 0, 0];
const labels = Float64Array.from({ length: samples }, (_, i) =>
  truth.reduce((sum, theta, j) => sum + theta * features.data[i * cols + j], 0.5 * rng.normal()),
);

// Before anything is asked: which bags, which loss? Bounds are public, never taken from the labels.
const [epsilon, bounds] = [1, [-5, 5] as const];
const { value: plan } = await planAggregation({
  ...{ samples, features: cols, snr: 5.25, noise: 0.25, epsilon, bounds, minBag: 10, maxBag: 100 },
});
console.log(`plan: bags of ${plan.best.bagSize}, ρ = ${plan.best.rho.toFixed(3)}`);
for (const sentence of plan.advice) console.log(`- ${sentence}`);

// The only way to labels. Noise is exact, comes from the system's generator, and every person's spending is counted.
const ledger = new PrivacyLedger({ samples, budget: 2 });
const query = localBagQuery(labels, { mode: { secure: { epsilon, bounds } }, ledger });

const bags = randomBags({ samples, size: plan.best.bagSize, seed: 7 });
const answers = await query(bags, 'random bags');
const fit = await fitLinear({ features, bags, ...answers }, { rho: plan.best.rho, confidence: 0.95 });
const distance = (coefficients: ArrayLike<number>): number =>
  Math.hypot(...truth.map((theta, j) => theta - coefficients[j]));
console.log(`\n${bags.offsets.length - 1} noisy means, ε = ${ledger.largestSpend} spent`);
console.log(
  `coefficients: ${[...fit.value.coefficients].map((theta) => theta.toFixed(3)).join(', ')}; distance from the truth ${distance(fit.value.coefficients).toFixed(3)}`,
);
console.log(formatCertificate(fit.certificate));

// Or bags that follow the model so far. A second pass over the same people adds its ε; a third is refused.
const boosted = await priorBoost({
  ...{ features, query, epsilon, bagSize: plan.best.bagSize, stages: 2, preset: 'best', seed: 7 },
  learner: linearLearner(),
});
const { model, privacy, rho } = boosted.value;
const slopes = truth.map((_, j) => {
  const unit = { data: new Float64Array(2 * cols), rows: 2, cols };
  unit.data[cols + j] = 1;
  const [level, moved] = model.predict(unit);
  return moved - level;
});
console.log(`\nPriorBoost, ρ = ${rho}: distance ${distance(slopes).toFixed(3)}; ${privacy.statement}`);
console.log(`spent in all: ε = ${ledger.largestSpend}`);
await query(bags, 'once more').catch((error: Error) => console.log(`refused: ${error.message}`));
