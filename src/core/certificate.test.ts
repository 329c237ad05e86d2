import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Assumption, audit, type Certificate, formatCertificate, isVacuous } from './certificate.ts';

const certificate = (value: number, status: Assumption['status'] = 'checked'): Certificate => ({
  statement: '|x − y|',
  source: 'derived: test',
  assumptions: [{ statement: 'a', status }],
  bound: { value, unit: 'nats', failureProbability: 0.1, scale: -10 },
  seed: 3,
  backend: 'none',
  warnings: [],
});

describe('a certificate as text', () => {
  it('tells bound, chance, assumptions, seed and backend', () => {
    assert.equal(
      formatCertificate(certificate(2)),
      '|x − y|: ≤ 2 nats (20 %) with probability ≥ 0.9 [derived: test]\n  assumptions: 1 checked · not audited · seed 3 · none',
    );
  });

  it('promises nothing when an assumption is violated, or the bound is above what it bounds', () => {
    assert.match(
      formatCertificate(certificate(2, 'violated')),
      /≥ 0.9 NOT PROMISED: an assumption is violated \[/,
    );
    assert.match(formatCertificate(certificate(11)), /VACUOUS/);
    assert.deepEqual(
      [11, 10, Number.NaN, Infinity].map((value) => isVacuous(certificate(value).bound)),
      [true, false, true, true],
    );
  });
});

describe('audit', () => {
  it('says whether the promise was kept, and leaves its input as it is', () => {
    const result = { value: 1, certificate: certificate(2) };
    const audited = audit(result, 0.5, 'all rows').certificate;
    assert.deepEqual(audited.audit, { error: 0.5, sample: 'all rows', slack: 4, kept: true });
    assert.equal(result.certificate.audit, undefined);
    assert.match(formatCertificate(audit(result, 4, 'all rows').certificate), /BOUND BROKEN/);
    assert.equal(audit(result, 0, 'all rows').certificate.audit?.slack, Infinity);
    assert.throws(() => audit(result, Number.NaN, 'all rows'), { code: 'AUDIT' });
  });
});
