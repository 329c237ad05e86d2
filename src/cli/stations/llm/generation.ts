// The tour's station: a language model writes from a prompt that was read in blocks and kept in part, and shows what was kept.

import { shortNumber } from '../../../core/certificate.ts';
import { agreement, type GenerationFigures, READINGS } from '../../../llm/reproduce/generation.ts';
import { FATES, keptShares, type TokenFate } from '../../../llm/reproduce/kept-tokens.ts';
import type { Chart, NamedCertificate, ShadedText, Table } from '../../../report/index.ts';
import type { ProtocolReport } from '../../../reproduce/protocol.ts';
import { describeBytes } from '../../llm/describe.ts';
import {
  runOptions,
  runSeeds,
  settingLine,
  verdictFigures,
  verdictSentence,
  verdictTable,
} from '../common.ts';
import type { Experiment, ExperimentResult } from '../station.ts';
import { accuracyChart, retrievalTable } from './retrieval.ts';
import { openSubject } from './subject.ts';

export const generationTour: Experiment = {
  id: 'tour',
  title: 'Language model: a text from half of its cache',
  expectedSeconds: { full: 4, quick: 2 },
  async run(options) {
    const { reproduceGeneration } = await import('../../../llm/reproduce/generation.ts');
    const quick = options.quick ? { outputTokens: 48, records: 2 } : {};
    const subject = await openSubject(options);
    return describe(
      await reproduceGeneration({
        ...{ ...runOptions(options), onText: options.onText, subject, ...quick },
        seeds: runSeeds(options, 1),
      }),
    );
  },
};

function describe(report: ProtocolReport<GenerationFigures>): ExperimentResult {
  const { figures, verdicts } = report;
  const { shown, bytes, errors, tokensPerSecond, promptTokens, promptSeconds, retrieval } = figures;
  const [first] = errors.both;
  const of = (name: string) => retrieval.find(({ policy }) => policy === name);
  const [full] = retrieval;
  const { recommended } = figures;
  const best = of(recommended) ?? full;
  const same = 100 * agreement(errors.both);
  return {
    value: {
      ...{ output: figures.output, shown, bytes, retrieval, verdicts },
      errors: Object.fromEntries(READINGS.map((name) => [name, errors[name][0]])),
    },
    figures: {
      ...{ tokensPerSecond, promptSeconds, pairsShare: figures.pairsShare },
      ...{ cacheBytes: bytes.held, fullCacheBytes: bytes.full },
      ...{ firstDivergenceNats: first.divergence, firstLogitError: first.logitError },
      ...{ meanDivergenceNats: meanDivergence(figures, 'both'), samePercent: same },
      ...Object.fromEntries(retrieval.map(({ policy, accuracy }) => [`retrieval ${policy}`, accuracy])),
      ...verdictFigures(verdicts),
    },
    section: {
      title: 'Language models',
      question: 'A model goes on with a text. Must it meet all pairs of tokens, and keep them all?',
      answer:
        `${promptTokens} tokens are read by HyperAttention, which meets ${(100 * figures.pairsShare).toFixed(0)} % of the pairs, and ${shown} keeps them in ${(100 * (bytes.held / bytes.full)).toFixed(0)} % of the bytes: ` +
        `of the tokens it writes, ${same.toFixed(0)} % are predicted as with exact attention and all kept. Asked for lines of a record, ${recommended} finds ${best.right} of ${best.asked} in ${(100 * best.bytesShare).toFixed(0)} % of the bytes, ${shown} ${of(shown)?.right ?? 0}; with all kept ${full.right} are found. ${verdictSentence(verdicts)}`,
      input: settingLine(report),
      figures: [
        {
          label: 'Speed',
          value: `${tokensPerSecond.toFixed(0)} tokens/s`,
          note: `prompt: ${(promptTokens / promptSeconds).toFixed(0)} tokens/s`,
        },
        {
          label: 'Cache',
          value: describeBytes(bytes.held),
          note: `of ${describeBytes(bytes.full)} for all tokens`,
        },
        {
          label: 'Divergence',
          value: `${shortNumber(meanDivergence(figures, 'both'))} nats`,
          note: `mean of the tokens; the first: ${shortNumber(first.divergence)}`,
        },
        {
          label: 'Lines found',
          value: `${best.right} of ${best.asked}`,
          note: `${recommended}; all kept: ${full.right}`,
        },
      ],
      texts: [keptText(figures)],
      charts: [
        keptChart(figures),
        divergenceChart(figures),
        ...retrieval.slice(-1).map(({ share }) => accuracyChart(retrieval, share, recommended)),
      ],
      tables: [
        verdictTable(verdicts),
        { caption: 'Predictions against exact attention with all kept', table: errorTable(figures) },
        { caption: 'Line retrieval at equal bytes', table: retrievalTable(retrieval) },
      ],
      certificates: certificatesOf(figures),
    },
  };
}

function meanDivergence({ errors }: GenerationFigures, reading: (typeof READINGS)[number]): number {
  const own = errors[reading];
  return own.reduce((sum, { divergence }) => sum + divergence, 0) / own.length;
}

/** What becomes of the tokens that no head keeps as rows. */
function restOf({ kept: { fates } }: GenerationFigures): string {
  return fates.includes(FATES.indexOf('merged')) ? 'merged into other tokens’ rows' : 'dropped';
}

function keptText(figures: GenerationFigures): ShadedText {
  const { kept, promptTokens } = figures;
  const shares = keptShares(kept);
  const pieces = kept.pieces.map((text, i) => ({ text, share: shares[i] }));
  pieces.splice(promptTokens, 0, { text: ' ¦ ', share: 0 });
  return {
    title: 'What was kept of the prompt and of what was written (after ¦)',
    description: `The darker a token, the more of the ${kept.layers * kept.keyHeads} key heads keep it as a row of their cache; where none does it was ${restOf(figures)}.`,
    legend: ['every head keeps it', restOf(figures)],
    pieces,
  };
}

/** As many tracks as can be told apart. */
const mostTracks = 24;

const NAMES: Record<TokenFate, { name: string; height: number }> = {
  kept: { name: 'kept as it is', height: 1 },
  center: { name: 'kept, and stands for others', height: 0.62 },
  merged: { name: 'merged into another', height: 0.16 },
  dropped: { name: 'dropped', height: 0 },
};

function keptChart({ kept, promptTokens }: GenerationFigures): Chart {
  const { layers, keyHeads, fates, pieces } = kept;
  const shownLayers = Math.min(layers, Math.max(1, Math.floor(mostTracks / keyHeads)));
  const chosen = Array.from({ length: shownLayers }, (_, i) =>
    shownLayers === 1 ? 0 : Math.round((i * (layers - 1)) / (shownLayers - 1)),
  );
  const tracks = chosen.flatMap((layer) => Array.from({ length: keyHeads }, (_, head) => ({ layer, head })));
  const present = FATES.filter((fate) => fates.includes(FATES.indexOf(fate)));
  const values = tracks.flatMap(({ layer, head }) => {
    const start = (layer * keyHeads + head) * pieces.length;
    return Array.from(fates.subarray(start, start + pieces.length), (fate) => present.indexOf(FATES[fate]));
  });
  return {
    kind: 'tracks',
    title: 'What each head kept',
    description:
      'A bar a token: full where a head keeps its own row, lower where that row stands for other tokens, too, lowest where another row stands for it.',
    x: { label: 'token' },
    rowLabel: 'layer · key head',
    rows: tracks.map(({ layer, head }) => `${layer} · ${head}`),
    columns: pieces.length,
    categories: present.map((fate) => NAMES[fate]),
    values,
    divider: { at: promptTokens, label: 'end of the prompt' },
  };
}

function divergenceChart({ errors, shown }: GenerationFigures): Chart {
  const names: Record<(typeof READINGS)[number], string> = {
    HyperAttention: 'HyperAttention, all kept',
    cache: `exact attention, ${shown}`,
    both: 'both',
  };
  return {
    kind: 'line',
    title: 'How far predictions are off, token by token',
    description:
      'Divergence of the next token’s distribution from that of exact attention with all kept, along the same text. 0 is the token right after the prompt.',
    x: { label: 'tokens after the prompt' },
    y: { label: 'KL(exact ‖ approximate), nats', include: [0] },
    series: READINGS.map((reading) => ({
      name: names[reading],
      points: errors[reading].map(({ divergence }, x) => ({ x, y: divergence })),
    })),
  };
}

function errorTable(figures: GenerationFigures): Table {
  const { errors, shown } = figures;
  const rows: [string, (typeof READINGS)[number]][] = [
    ['HyperAttention, all kept', 'HyperAttention'],
    [`exact attention, ${shown}`, 'cache'],
    [`HyperAttention, ${shown}`, 'both'],
  ];
  return {
    columns: [
      'read by',
      'first: KL (nats)',
      'first: max |Δlogit|',
      'mean KL',
      'largest KL',
      'same token (%)',
    ],
    rows: rows.map(([name, reading]) => {
      const own = errors[reading];
      return [
        ...[name, own[0].divergence, own[0].logitError, meanDivergence(figures, reading)],
        ...[Math.max(...own.map(({ divergence }) => divergence)), 100 * agreement(own)],
      ];
    }),
    note: 'First: right after the prompt, which attention alone decides; caches come in with the next token. No theorem carries errors of attention over to logits: these are measured.',
  };
}

function certificatesOf({
  certificates,
  pairsShare,
  shown,
  promptTokens,
}: GenerationFigures): NamedCertificate[] {
  const { layer, attention, cache } = certificates;
  return [
    {
      title: `Attention of layer ${layer} over the prompt`,
      value: `${(100 * pairsShare).toFixed(0)} % of the pairs of ${promptTokens} tokens`,
      certificate: attention,
    },
    { title: `Answers of the cache of layer ${layer}`, value: shown, certificate: cache },
  ];
}
