import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { base, plain, problem, run } from '../../../test/priorboost-problem.ts';
import { type Bags, bagMeans } from '../bags/bags.ts';
import { finishPriorBoost } from './finish.ts';
import { ingestStage } from './ingest.ts';
import { planStage } from './plan.ts';
import { startPriorBoost } from './start.ts';
import { type PriorBoostState, readPriorBoostState } from './state.ts';

describe('planStage and ingestStage', () => {
  const start = (options = {}) => startPriorBoost(problem.features, { ...base, stages: 3, ...options });
  const thaw = (state: PriorBoostState) => readPriorBoostState(JSON.parse(JSON.stringify(state)));
  const answer = (bags: Bags) => ({ means: bagMeans(problem.responses, bags) });

  it('give what the driver gives when the state is a file in between', async () => {
    for (const options of [{}, { preset: 'best', bagger: 'slice' }] as const) {
      let state = start(options);
      for (;;) {
        const planned = await planStage(thaw(state), problem.features, base);
        state = thaw(planned.state);
        if (!planned.plan) break;
        state = ingestStage(state, answer(planned.plan.bags));
      }
      const finished = await finishPriorBoost(thaw(state), problem.features, base);
      const driven = await run({ stages: 3, ...options });
      assert.deepEqual(finished.value.stages, driven.value.stages);
      assert.deepEqual(finished.value.model.toJSON(), driven.value.model.toJSON());
      assert.deepEqual(finished.certificate, driven.certificate);
    }
  });

  it('leave the state they are given, and plan again what waits for answers', async () => {
    const state = start();
    const copy = JSON.stringify(state);
    const planned = await planStage(state, problem.features, base);
    assert.equal(JSON.stringify(state), copy);
    const again = await planStage(planned.state, problem.features, base);
    assert.deepEqual(again, planned);
    const planText = JSON.stringify(planned.state);
    ingestStage(planned.state, answer(planned.plan!.bags));
    assert.equal(JSON.stringify(planned.state), planText);
  });

  it('hold no single response', async () => {
    const { value } = await run();
    const text = JSON.stringify(value.state);
    for (const response of problem.responses) assert.ok(!text.includes(String(response)));
  });

  it('refuse answers that do not fit, and answers nobody waits for', async () => {
    const { state, plan } = await planStage(start(), problem.features, base);
    const { means } = answer(plan!.bags);
    assert.throws(() => ingestStage(start(), { means }), {
      code: 'INVALID_ARGUMENT',
      message: /no stage waits/,
    });
    assert.throws(() => ingestStage(state, { means: means.subarray(1) }), { code: 'SHAPE' });
    assert.throws(
      () => ingestStage(state, { means: means.with(3, NaN) }),
      /priorboost\.1\.means\[3\] is NaN/,
    );
    const noiseVariance = means.map(() => -1);
    assert.throws(() => ingestStage(state, { means, noiseVariance }), /noiseVariance\[0\] is -1/);
    assert.throws(() => ingestStage(state, { means, epsilon: 0 }), /epsilon is 0/);
    assert.equal(ingestStage(state, { means, epsilon: Infinity }).stages[0].answers!.epsilon, null);
  });

  it('refuse another table, another learner, an unknown model', async () => {
    const { state, plan } = await planStage(start(), problem.features, base);
    const answered = ingestStage(state, answer(plan!.bags));
    const { data, cols } = problem.features;
    const swapped = {
      ...problem.features,
      data: Float64Array.from(data, (_, i) => data[(i + cols) % data.length]),
    };
    await assert.rejects(planStage(answered, swapped, base), /same rows in the same order/);
    const fewer = { data: data.subarray(cols), rows: 599, cols };
    await assert.rejects(planStage(answered, fewer, base), { code: 'SHAPE', message: /expected \(600, 4\)/ });
    const next = await planStage(answered, problem.features, base);
    const other = { ...base, learner: { ...plain, name: 'other' } };
    await assert.rejects(
      planStage(next.state, problem.features, other),
      /learner is "other"; expected "linear"/,
    );
    const second = ingestStage(thaw(next.state), answer(next.plan!.bags));
    second.stages[0].model = { kind: 'mine' };
    await assert.rejects(finishPriorBoost(second, problem.features, base), {
      code: 'DATA',
      message: /"mine"/,
    });
  });

  it('finish with what was answered, and say what was not', async () => {
    await assert.rejects(finishPriorBoost(start(), problem.features, base), /no training stage is answered/);
    const { state, plan } = await planStage(start(), problem.features, base);
    const answered = ingestStage(state, answer(plan!.bags));
    const { value, certificate } = await finishPriorBoost(answered, problem.features, base);
    assert.equal(value.models.length, 1);
    assert.match(certificate.warnings.join(), /2 stages were left without answers/);
  });

  it('refuse damaged states, naming the place', async () => {
    const { state } = (await run({ stages: 3 })).value;
    const damage: [RegExp, (copy: PriorBoostState) => unknown][] = [
      [/not a state/, () => null],
      [/not a state/, (copy) => ({ ...copy, kind: 'other' })],
      [/version is 2; expected 1/, (copy) => ({ ...copy, version: 2 })],
      [
        /stages\[1\]\.members\[0\]: sample \d+ is there twice/,
        (copy) => {
          copy.stages[1].members[0] = copy.stages[0].members[3];
          return copy;
        },
      ],
      [
        /members\[0\] is 600/,
        (copy) => {
          copy.stages[0].members[0] = 600;
          return copy;
        },
      ],
      [
        /bag 0 holds 4 samples; expected at least 5/,
        (copy) => {
          copy.stages[0].offsets![1] = 4;
          return copy;
        },
      ],
      [
        /stages\[2\] is planned; expected the stages before/,
        (copy) => {
          copy.stages[1].answers = null;
          copy.stages[1].model = null;
          return copy;
        },
      ],
      [
        /has a model but no answers/,
        (copy) => {
          copy.stages[1].answers = null;
          return copy;
        },
      ],
      [
        /answers\.means has length 39; expected 40/,
        (copy) => {
          copy.stages[0].answers!.means.pop();
          return copy;
        },
      ],
      [
        /bagSize is null/,
        (copy) => {
          copy.settings.bagSize = null as unknown as number;
          return copy;
        },
      ],
      [
        /number of stages is 2; expected/,
        (copy) => {
          copy.stages.pop();
          return copy;
        },
      ],
      [/damaged state/, (copy) => ({ ...copy, stages: undefined })],
      [
        /stages\[0\] is "priorboost\.2"/,
        (copy) => {
          copy.stages[0].name = 'priorboost.2';
          return copy;
        },
      ],
    ];
    for (const [message, damaged] of damage) {
      const copy = damaged(JSON.parse(JSON.stringify(state)));
      assert.throws(() => readPriorBoostState(copy), { code: 'DATA', message });
    }
    assert.deepEqual(readPriorBoostState(JSON.parse(JSON.stringify(state))), state);
  });
});
