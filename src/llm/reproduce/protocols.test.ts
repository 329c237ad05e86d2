// The protocols on the model that comes along, small: what they measure is what they say.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openModel } from '../files/open-model.ts';
import { openLanguageModel } from '../open-language-model.ts';
import { reproduceGeneration } from './generation.ts';
import { reproduceHeadParameters } from './head-parameters.ts';
import { FATES, keptShares, keptTokens } from './kept-tokens.ts';
import { MOBY_DICK } from './moby-dick.ts';
import { reproducePatchedLayers } from './patched-layers.ts';
import { reproducePrefixCompression } from './prefix-compression.ts';
import { reproduceRetrieval } from './retrieval.ts';
import { hyperFor, piecesOf, type Subject } from './subject.ts';
import { tokenError, tokenErrors } from './token-errors.ts';

const folder = fileURLToPath(new URL('../../../models/tiny-lm', import.meta.url));
const subject: Subject = { ...(await openLanguageModel(await openModel(folder))), name: 'tiny-lm' };
const { model, tokenizer } = subject;
const text = { name: 'Moby-Dick', text: MOBY_DICK };

describe('subject', () => {
  it('cuts a text into pieces one after the other, and refuses one that is too short', () => {
    const [first, second] = piecesOf(subject, text, 40, 2);
    assert.deepEqual([...first, ...second], [...tokenizer.encode(MOBY_DICK).slice(0, 80)]);
    assert.throws(() => piecesOf(subject, text, 500, 9), { code: 'INVALID_ARGUMENT', message: /4500/ });
  });

  it('has blocks of a sixteenth of the text, and HyperAttention in effect', () => {
    for (const tokens of [1, 64, 378, 2048]) {
      const { blockSize, minSequence } = hyperFor(tokens);
      assert.ok(blockSize >= 1 && minSequence === 2 * blockSize);
      if (tokens >= 64) assert.ok(minSequence < tokens / 3);
    }
    assert.equal(hyperFor(2048).blockSize, 128);
  });
});

describe('tokenError', () => {
  it('is 0 for what differs by a constant, else the divergence of the distributions', () => {
    const logits = Float32Array.of(0, Math.log(3));
    const same = tokenError(logits, Float32Array.of(5, 5 + Math.log(3)));
    // float32 rounds logits near 5 to 5e-7.
    assert.ok(same.divergence < 1e-6 && same.logitError < 1e-6 && same.agrees);
    const { divergence, logitError, agrees } = tokenError(logits, Float32Array.of(Math.log(3), 0));
    // p = (1/4, 3/4), q = (3/4, 1/4): Σ p ln(p/q) = ½ ln 3.
    assert.ok(Math.abs(divergence - Math.log(3) / 2) < 1e-6, `${divergence}`);
    assert.ok(Math.abs(logitError - Math.log(3)) < 1e-6 && !agrees);
  });

  it('is rounding alone where nothing is approximate, and not where a window forgets', async () => {
    const tokens = tokenizer.encode(MOBY_DICK).slice(0, 90);
    const [exact, window] = await tokenErrors(model, tokens, 80, [
      {},
      { cache: { policy: 'sink-window', budget: 8, sinks: 2 } },
    ]);
    assert.equal(exact.length, 10);
    // Rows of a prefill and of decode steps are rounded to bytes alike, sums are not: logits differ by a thousandth at most.
    assert.ok(
      exact.every(({ logitError }) => logitError < 0.05),
      JSON.stringify(exact),
    );
    const sum = (errors: typeof exact) => errors.reduce((total, { divergence }) => total + divergence, 0);
    assert.ok(sum(window) > 100 * sum(exact), `${sum(window)}, ${sum(exact)}`);
  });
});

describe('keptTokens', () => {
  it('tells what caches kept, and spells the text', async () => {
    const cache = { policy: 'sink-window', budget: 10, sinks: 3 } as const;
    const sequence = model.createSequence({ cache });
    const tokens = tokenizer.encode(MOBY_DICK).slice(0, 30);
    const { prefill } = await import('../engine/prefill.ts');
    await prefill(model, sequence, tokens);
    const kept = keptTokens(sequence, cache, tokenizer);
    assert.ok(MOBY_DICK.startsWith(kept.pieces.join('').trimStart()));
    const shares = keptShares(kept);
    assert.deepEqual(
      shares,
      shares.map((_, i) => (i < 3 || i >= 23 ? 1 : 0)),
    );
    assert.equal(FATES[kept.fates[5]], 'dropped');
    const merging = { policy: 'hybrid', budget: 12, sinks: 2, recent: 4 } as const;
    const other = model.createSequence({ cache: merging });
    await prefill(model, other, tokens);
    const { fates } = keptTokens(other, merging, tokenizer);
    const names = new Set(Array.from(fates, (fate) => FATES[fate]));
    assert.ok(names.has('merged') && names.has('center') && names.has('kept') && !names.has('dropped'));
  });
});

describe('protocols', () => {
  it('E5 begins and ends at the same models from either end', async () => {
    const { figures, verdicts } = await reproducePatchedLayers({ subject, text, tokens: 128, pieces: 1 });
    const of = (from: string) => figures.filter((row) => row.from === from);
    const [last, first] = [of('last'), of('first')];
    assert.deepEqual(
      last.map(({ patched }) => patched),
      [0, 1, 2, 3],
    );
    for (const i of [0, 3]) assert.equal(last[i].perplexity, first[i].perplexity);
    assert.ok(last[3].ratio !== 1 && last[1].perplexity !== first[1].perplexity);
    assert.equal(verdicts.length, 2);
  });

  it('E6 looks at every head of every layer, at three lengths', async () => {
    const { figures } = await reproduceHeadParameters({ subject, text, tokens: 160 });
    assert.equal(figures.length, 3 * 3 * 4);
    assert.deepEqual([...new Set(figures.map(({ length }) => length))], [40, 80, 160]);
    for (const { recall, alpha, valueRank, length, rows } of figures) {
      assert.ok(recall > 0 && recall <= 1 + 1e-9 && valueRank >= 1 - 1e-6 && rows === length);
      assert.ok(alpha > 0 && alpha <= length ** 2);
    }
    await assert.rejects(reproduceHeadParameters({ subject, text, tokens: 128 }), {
      ...{ code: 'INVALID_ARGUMENT', message: /tokens is 128/ },
    });
  });

  it('S5 asks all caches the same, and says so when the model cannot find lines', async () => {
    const options = { lines: 8, records: 1, questions: 4, shares: [0.5] };
    const { figures, verdicts } = await reproduceRetrieval({ subject, ...options });
    assert.equal(figures.length, 10);
    assert.ok(figures.every(({ asked }) => asked === 4));
    assert.ok(figures[0].right >= 3, `${figures[0].right}`);
    assert.equal(verdicts.length, 5);
    // Far beyond the positions that it was trained on.
    const lost = await reproduceRetrieval({ subject, ...options, lines: 200, records: 1, entrants: [] });
    assert.deepEqual(
      lost.verdicts.map(({ passed }) => passed),
      [false],
    );
  });

  it('S6 loses nothing with all kept, and more the less is kept', async () => {
    const entrants = [{ policy: { policy: 'sink-window' } }, { policy: { policy: 'k-center' } }] as const;
    const { figures, verdicts } = await reproducePrefixCompression({
      ...{ subject, text, tokens: 160, tail: 40, pieces: 2, shares: [0.5, 0.2], entrants },
    });
    assert.equal(figures.length, 5);
    const [full, window] = figures;
    assert.deepEqual([full.loss.mean, full.loss.values.length], [0, 80]);
    assert.ok(window.loss.mean !== 0 && window.bytes < 0.6 * full.bytes);
    assert.equal(Math.exp(full.nats), full.perplexity);
    assert.equal(verdicts.length, 3);
  });

  it('G1 writes, certifies and repeats itself but for the times', async () => {
    const options = { subject, promptTokens: 120, outputTokens: 12, lines: 6, records: 1 };
    let streamed = '';
    const onText = (written: string) => {
      streamed += written;
    };
    const { figures } = await reproduceGeneration({ ...options, onText });
    assert.equal(streamed, figures.output);
    assert.match(figures.prompt, /\.$/);
    assert.ok(figures.pairsShare < 1 && figures.bytes.held < figures.bytes.full);
    assert.equal(figures.errors.both.length, figures.outputTokens);
    const { attention, cache } = figures.certificates;
    assert.ok(attention.audit?.kept && cache.audit?.kept);
    const again = await reproduceGeneration(options);
    const timeless = ({ promptSeconds, tokensPerSecond, ...rest }: typeof figures) => rest;
    assert.deepEqual(timeless(again.figures), timeless(figures));
  });

  it('stop when they are told to', async () => {
    const common = { subject, text, signal: AbortSignal.abort(new Error('enough')), tokens: 160, pieces: 1 };
    for (const protocol of [
      ...[reproducePatchedLayers, reproduceHeadParameters, reproduceRetrieval],
      ...[reproducePrefixCompression, reproduceGeneration],
    ])
      await assert.rejects(protocol({ ...common, tail: 10 } as never), { message: 'enough' });
  });
});
