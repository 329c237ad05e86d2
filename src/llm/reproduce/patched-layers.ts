// Protocol E5: what a model's predictions lose when some of its layers read by HyperAttention.

import {
  firstSeeds,
  judge,
  type Measured,
  measure,
  type ProtocolReport,
  partOf,
} from '../../reproduce/protocol.ts';
import { perplexity } from '../evaluate/perplexity.ts';
import { defaultTokens, hyperFor, piecesOf, type TextProtocolOptions } from './subject.ts';

export interface PatchedLayersOptions extends TextProtocolOptions {
  /** Tokens of a piece of text. Default: the model's context, at most 2048. */
  tokens?: number | undefined;
  /** Pieces. Default 4. */
  pieces?: number | undefined;
}

export interface PatchedFigures {
  /** Which end of the model is patched. */
  from: 'last' | 'first';
  /** Layers that read by HyperAttention. */
  patched: number;
  /** Mean of −ln p over the pieces, nats a token. */
  nats: Measured;
  perplexity: number;
  /** Of the perplexity without patches. */
  ratio: number;
}

/** The paper's perplexity with 14 of 28 layers patched over that without, 6.3 / 5.6: allowed here for a third of the layers. */
const ALLOWED = 6.3 / 5.6;

/**
 * One seed. Time: pieces times twice seven prefills with all logits. Source: HyperAttention, arXiv 2310.05869, language models with the last ℓ
 * layers patched; patching the first ones is ours.
 */
export async function reproducePatchedLayers(
  options: PatchedLayersOptions,
): Promise<ProtocolReport<PatchedFigures[]>> {
  const { subject, text, tokens = defaultTokens(subject), pieces = 4 } = options;
  const [seed] = options.seeds ?? firstSeeds(1);
  const { model } = subject;
  const { layers } = model.config;
  const hyper = hyperFor(tokens);
  const parts = piecesOf(subject, text, tokens, pieces);
  const counts = [...new Set(Array.from({ length: 7 }, (_, k) => Math.floor((k * layers) / 6)))];
  const settings = (['last', 'first'] as const).flatMap((from) =>
    counts.map((patched) => ({ from, patched, nats: [] as number[] })),
  );
  for (const [i, setting] of settings.entries()) {
    const { from, patched, nats } = setting;
    for (const [piece, part] of parts.entries()) {
      const { signal } = partOf(
        options,
        'perplexity of patched layers',
        i * pieces + piece,
        settings.length * pieces,
      );
      // Both ends begin with the unpatched model, which is read once.
      const known = patched === 0 && from === 'first' ? settings[0].nats[piece] : undefined;
      const isPatched = (layer: number) => (from === 'last' ? layer >= layers - patched : layer < patched);
      const own = { ...hyper, seed: seed + piece };
      nats.push(
        known ??
          (
            await perplexity(model, part, {
              attention: (layer) => (isPatched(layer) ? own : 'exact'),
              signal,
            })
          ).nats,
      );
    }
  }
  const exact = measure(settings[0].nats).mean;
  const figures = settings.map(({ from, patched, nats }): PatchedFigures => {
    const measured = measure(nats);
    const ratio = Math.exp(measured.mean - exact);
    return { from, patched, nats: measured, perplexity: Math.exp(measured.mean), ratio };
  });
  const { blockSize, minSequence } = hyper;
  return {
    id: 'E5',
    title: 'Perplexity against patched layers',
    setting: {
      ...{ model: subject.name, text: text.name, tokens, pieces },
      ...{ blockAndSamples: blockSize, minSequence, seed },
    },
    figures,
    verdicts: verdictsOf(
      figures.filter(({ from }) => from === 'last'),
      layers,
    ),
  };
}

function verdictsOf(last: readonly PatchedFigures[], layers: number) {
  const steps = last.slice(1).map(({ perplexity: own }, i) => own / last[i].perplexity);
  const third = Math.floor(layers / 3);
  const { ratio } = last.find(({ patched }) => patched === third)!;
  return [
    judge('the more of the last layers are patched, the worse, up to 1 %', Math.min(...steps), {
      ...{ low: 0.99, unit: 'least ratio from step to step' },
    }),
    judge(`patching the last ${third} of ${layers} layers costs little`, ratio, {
      ...{ high: ALLOWED, unit: 'times the perplexity' },
    }),
  ];
}
