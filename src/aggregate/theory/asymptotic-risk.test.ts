import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { asymptoticRisk } from './asymptotic-risk.ts';
import { optimalRho, snrThreshold } from './optimal-rho.ts';
import { privateRisk } from './private-risk.ts';

function close(actual: number, expected: number, tolerance: number, what = ''): void {
  const allowed = tolerance * Math.max(1, Math.abs(expected));
  assert.ok(Math.abs(actual - expected) <= allowed, `${what}: ${actual}, expected ${expected}`);
}

const settings = fc.record({
  psi: fc.double({ min: 1.001, max: 1e4, noNaN: true }),
  bagSize: fc.integer({ min: 1, max: 60 }),
  signal: fc.double({ min: 0, max: 50, noNaN: true }),
  noise: fc.double({ min: 0, max: 50, noNaN: true }),
});

describe('asymptoticRisk', () => {
  it('is σ²/(ψ/k − 1) without bias for the bag-level loss', () => {
    const property = fc.property(settings, (setting) => {
      const { psi, bagSize: k, noise } = setting;
      fc.pre(psi > 1.01 * k);
      const { squaredBias, variance, shrinkage } = asymptoticRisk({ ...setting, rho: 0 });
      assert.equal(squaredBias, 0);
      assert.equal(shrinkage, 1);
      close(variance, noise / (psi / k - 1), 1e-12);
    });
    fc.assert(property, { seed: 1, numRuns: 300 });
  });

  it('is t[(k−1)²/k² + (k−1)/(k²(ψ−1))] + σ²/(k(ψ−1)) for the instance-level loss, which keeps 1/k of θ', () => {
    const property = fc.property(settings, (setting) => {
      const { psi, bagSize: k, signal, noise } = setting;
      const { squaredBias, variance, shrinkage } = asymptoticRisk({ ...setting, rho: 1 });
      close(squaredBias, signal * ((k - 1) ** 2 / k ** 2 + (k - 1) / (k ** 2 * (psi - 1))), 1e-12, 'bias');
      close(variance, noise / (k * (psi - 1)), 1e-12, 'variance');
      close(shrinkage, 1 / k, 1e-12, 'shrinkage');
    });
    fc.assert(property, { seed: 2, numRuns: 300 });
  });

  it('does not depend on ρ for bags of one: ordinary least squares', () => {
    const property = fc.property(settings, fc.double({ min: 0, max: 1e6, noNaN: true }), (setting, rho) => {
      const { risk, squaredBias } = asymptoticRisk({ ...setting, bagSize: 1, rho });
      assert.equal(squaredBias, 0);
      close(risk, setting.noise / (setting.psi - 1), 1e-12);
    });
    fc.assert(property, { seed: 3, numRuns: 300 });
  });

  it('solves the fixed-point equation to 1e-13 over the whole range', () => {
    // Exponents: ρ in [1e-9, 1e6], ψ in [1.001, 1e4].
    const exponent = fc.double({ min: -9, max: 6, noNaN: true });
    const property = fc.property(
      settings,
      exponent,
      fc.double({ min: -3, max: 4, noNaN: true }),
      (s, e, f) => {
        const [rho, psi, k] = [10 ** e, Math.min(1e4, 1.001 + 10 ** f), s.bagSize];
        const { q } = asymptoticRisk({ ...s, psi, rho });
        assert.ok(q > 0);
        const sum = ((psi / k) * q) / (1 + q) + (((psi * (k - 1)) / k) * rho * q) / (1 + rho * q);
        assert.ok(Math.abs(sum - 1) <= 1e-13, `ψ ${psi} k ${k} ρ ${rho}: ${sum - 1}`);
      },
    );
    fc.assert(property, { seed: 4, numRuns: 3000 });
  });

  it('with a vanishing ridge is what it is without one', () => {
    for (const rho of [0.05, 0.3, 1, 4]) {
      const setting = { psi: 6, bagSize: 3, signal: 1, noise: 2, rho };
      const plain = asymptoticRisk(setting);
      const ridged = asymptoticRisk({ ...setting, ridge: 1e-13 });
      close(ridged.squaredBias, plain.squaredBias, 1e-11);
      close(ridged.variance, plain.variance, 1e-11);
    }
  });

  it('with a huge ridge knows nothing: risk ‖θ‖²', () => {
    const { risk, shrinkage } = asymptoticRisk({
      psi: 0.5,
      bagSize: 2,
      signal: 3,
      noise: 1,
      rho: 0.5,
      ridge: 1e9,
    });
    close(risk, 3, 1e-6);
    close(shrinkage, 0, 1e-6);
  });

  it('gives the figures of the derivation', () => {
    // Four digits, as checked there against simulation at d = 200.
    for (const [psi, bagSize, rho, signal, noise, squaredBias, variance] of [
      [4, 2, 0.3, 1, 1, 0.1408, 0.3623],
      [3, 5, 0.5, 2, 0.5, 1.2999, 0.0982],
      [6, 3, 2.5, 1, 1, 0.6843, 0.0211],
      [1.5, 3, 0.4, 1, 1, 0.8986, 0.9759],
    ]) {
      const limits = asymptoticRisk({ psi, bagSize, rho, signal, noise });
      assert.equal(limits.squaredBias.toFixed(4), squaredBias.toFixed(4));
      assert.equal(limits.variance.toFixed(4), variance.toFixed(4));
    }
  });

  it('is infinite, not NaN, where bags are too few, and refuses where no estimate is unique', () => {
    const setting = { bagSize: 5, signal: 0, noise: 0 };
    for (const psi of [0.5, 1, 4.9, 5]) {
      const limits = asymptoticRisk({ ...setting, psi, rho: 0 });
      assert.equal(limits.risk, Infinity);
      assert.ok(Object.values(limits).every((value) => !Number.isNaN(value)));
    }
    assert.ok(asymptoticRisk({ ...setting, noise: 1, psi: 1 + 1e-9, rho: 0.5 }).risk < Infinity);
    const refused = { code: 'INVALID_ARGUMENT', message: /psi is 1; expected more than 1.*Add a ridge/ };
    assert.throws(() => asymptoticRisk({ ...setting, psi: 1, rho: 0.5 }), refused);
    for (const rho of [-0.1, NaN, Infinity]) {
      assert.throws(
        () => asymptoticRisk({ ...setting, psi: 4, rho }),
        /rho is .*; expected a finite number ≥ 0/,
      );
    }
    assert.throws(() => asymptoticRisk({ ...setting, bagSize: 2.5, psi: 4, rho: 1 }), /bagSize is 2.5/);
  });
});

describe('snrThreshold', () => {
  it('is where both ends have the same risk', () => {
    const property = fc.property(settings, (setting) => {
      const { psi, bagSize } = setting;
      fc.pre(bagSize >= 2 && psi > bagSize * 1.01);
      const signal = snrThreshold(psi, bagSize);
      const at = (rho: number) => asymptoticRisk({ psi, bagSize, signal, noise: 1, rho }).risk;
      assert.ok(Math.abs(at(0) / at(1) - 1) <= 1e-12, `${at(0)} against ${at(1)}`);
    });
    fc.assert(property, { seed: 5, numRuns: 500 });
    assert.equal(snrThreshold(4, 2), 2.5);
    close(snrThreshold(6, 3), 1.90909, 5e-6);
    close(snrThreshold(10, 5), 1.48649, 5e-6);
    assert.equal(snrThreshold(5, 5), Infinity);
    assert.throws(() => snrThreshold(4, 1), /bagSize is 1/);
  });
});

describe('optimalRho', () => {
  it('gives the examples of the derivation', () => {
    const first = optimalRho({ psi: 8, bagSize: 5, signal: 1, noise: 1 });
    close(first.rho, 0.1704, 5e-5);
    close(first.risk, 0.50419, 5e-6);
    const second = optimalRho({ psi: 4, bagSize: 2, signal: 4, noise: 1 });
    close(second.rho, 0.097, 5e-5);
    close(second.risk, 0.76786, 5e-6);
    close(optimalRho({ psi: 4, bagSize: 2, signal: 0.5, noise: 1 }).rho, 1.55, 5e-3);
    assert.equal(optimalRho({ psi: 4, bagSize: 2, signal: 0.5, noise: 1 }, { maxRho: 1 }).rho, 1);
    assert.equal(optimalRho({ psi: 4, bagSize: 1, signal: 1, noise: 1 }).rho, 0);
  });

  it('is never worse than either end, nor than any ρ of a grid', () => {
    const property = fc.property(settings, (setting) => {
      const { risk } = optimalRho(setting);
      const at = (rho: number) => asymptoticRisk({ ...setting, rho }).risk;
      assert.ok(risk <= Math.min(at(0), at(1)));
      // The golden section stops within 1e-8 of ln ρ, where a smooth risk differs by far less.
      for (let e = -6; e <= 3; e += 0.5) assert.ok(risk <= at(10 ** e) * (1 + 1e-12) + 1e-300);
    });
    fc.assert(property, { seed: 6, numRuns: 500 });
  });

  it('falls with the signal and with ψ', () => {
    const rhos = [0.25, 1, 4, 16].map((signal) => optimalRho({ psi: 8, bagSize: 4, signal, noise: 1 }).rho);
    assert.deepEqual(
      rhos,
      rhos.toSorted((a, b) => b - a),
    );
    const byPsi = [2, 4, 8, 16, 64].map((psi) => optimalRho({ psi, bagSize: 4, signal: 1, noise: 1 }).rho);
    assert.deepEqual(
      byPsi,
      byPsi.toSorted((a, b) => b - a),
    );
  });
});

describe('privateRisk', () => {
  it('is the risk at σ² + 2(U − L)²/(kε²), and without noise the plain one', () => {
    const setting = { psi: 9, bagSize: 4, signal: 1, noise: 0.25, rho: 0.3, bounds: [-3, 2] as const };
    const { risk, effectiveNoise } = privateRisk({ ...setting, epsilon: 0.5 });
    close(effectiveNoise, 0.25 + (2 * 25) / (4 * 0.25), 1e-15);
    assert.equal(risk, asymptoticRisk({ ...setting, noise: effectiveNoise }).risk);
    assert.equal(privateRisk({ ...setting, epsilon: Infinity }).risk, asymptoticRisk(setting).risk);
  });

  it('has the best bag sizes of the derivation: 10 at ε = .5 and 1, 3 at 2, 1 at 8', () => {
    const best = (epsilon: number) => {
      const risks = Array.from({ length: 10 }, (_, i) =>
        privateRisk({ psi: 10, bagSize: i + 1, signal: 1, noise: 0.25, rho: 1, bounds: [-3, 3], epsilon }),
      );
      return 1 + risks.findIndex(({ risk }) => risk === Math.min(...risks.map((r) => r.risk)));
    };
    assert.deepEqual([0.5, 1, 2, 8].map(best), [10, 10, 3, 1]);
  });

  it('has a phase transition when noise dominates: bags of one at small ρ, the largest at larger ρ', () => {
    // Noise alone: signal and σ² are nothing beside it. k ≤ 5, as in the paper's figure.
    const best = (psi: number, rho: number) => {
      const risks = [1, 2, 3, 4, 5].map(
        (bagSize) =>
          privateRisk({ psi, bagSize, signal: 0, noise: 0, rho, bounds: [-1, 1], epsilon: 1 }).risk,
      );
      return 1 + risks.indexOf(Math.min(...risks));
    };
    for (const psi of [6, 10]) assert.deepEqual([best(psi, 0.02), best(psi, 0.05)], [1, 5]);
    assert.deepEqual([best(20, 0.01), best(20, 0.02)], [1, 5]);
  });

  it('refuses bad bounds and ε', () => {
    const setting = { psi: 9, bagSize: 4, signal: 1, noise: 1, rho: 0.3 };
    const call = (bounds: [number, number], epsilon: number) => () =>
      privateRisk({ ...setting, bounds, epsilon });
    for (const bounds of [
      [1, 1],
      [2, 1],
      [NaN, 1],
      [0, Infinity],
    ] as [number, number][]) {
      assert.throws(call(bounds, 1), /bounds are .*expected finite numbers L < U/);
    }
    for (const epsilon of [0, -1, NaN]) assert.throws(call([0, 1], epsilon), /epsilon is .*expected/);
    assert.throws(call([0, 1], 1e-200), /overflows/);
  });
});
