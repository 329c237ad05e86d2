// The tour's station: a noisy picture cleaned by attention among its pixels, exactly and in linear time.

import type { DenoisingFigures, InputFigures } from '../../../attention/reproduce/denoising.ts';
import { shortNumber } from '../../../core/certificate.ts';
import type { Chart, NamedCertificate, Table } from '../../../report/index.ts';
import type { ProtocolReport } from '../../../reproduce/protocol.ts';
import {
  runOptions,
  runSeeds,
  settingLine,
  verdictFigures,
  verdictSentence,
  verdictTable,
} from '../common.ts';
import type { Experiment, ExperimentResult } from '../station.ts';

export const denoisingTour: Experiment = {
  id: 'tour',
  title: 'Attention: a picture cleaned in linear time',
  expectedSeconds: { full: 8, quick: 3 },
  async run(options) {
    const { reproduceDenoising } = await import('../../../attention/reproduce/denoising.ts');
    const quick = options.quick ? { across: 3, plantedRows: 4096 } : {};
    return describe(
      await reproduceDenoising({ ...runOptions(options), ...quick, seeds: runSeeds(options, 1) }),
    );
  },
};

function describe(report: ProtocolReport<DenoisingFigures>): ExperimentResult {
  const { figures, verdicts } = report;
  const { inputs, noisy, exact, hyper, sampled, sampledError } = figures;
  const [real, planted] = inputs;
  const faster = ({ exactSeconds, hyperSeconds }: InputFigures) => exactSeconds / hyperSeconds;
  return {
    value: {
      ...{ inputs, verdicts },
      decibels: { noisy, exact, hyper, sampled },
    },
    figures: {
      ...{ noisyDecibels: noisy, exactDecibels: exact, hyperDecibels: hyper, sampledDecibels: sampled },
      ...{
        speedUp: faster(real),
        relativeError: real.difference.relativeError,
        relativeErrorSampled: sampledError,
      },
      ...{ speedUpPlanted: faster(planted), relativeErrorPlanted: planted.difference.relativeError },
      ...verdictFigures(verdicts),
    },
    section: {
      title: 'Attention',
      question: `Each of ${real.rows} pixels looks at all others. Must all ${shortNumber(real.rows ** 2)} pairs be computed?`,
      answer:
        `With ${shortNumber(100 * real.pairsShare)} % of the pairs the picture gets ${(hyper - noisy).toFixed(1)} dB cleaner instead of ${(exact - noisy).toFixed(1)} dB, ` +
        `${faster(real).toFixed(1)} times faster. ${verdictSentence(verdicts)}`,
      input: settingLine(report),
      figures: [
        {
          label: 'Exact attention',
          value: `${shortNumber(real.exactSeconds)} s`,
          note: `${exact.toFixed(1)} dB, noisy: ${noisy.toFixed(1)}`,
        },
        {
          label: 'HyperAttention',
          value: `${shortNumber(real.hyperSeconds)} s`,
          note: `${hyper.toFixed(1)} dB`,
        },
        {
          label: 'Faster',
          value: `${faster(real).toFixed(1)}×`,
          note: `planted input: ${faster(planted).toFixed(1)}×`,
        },
        {
          label: 'Relative error',
          value: shortNumber(real.difference.relativeError),
          note: `planted input: ${shortNumber(planted.difference.relativeError)}`,
        },
      ],
      charts: [pictures(figures), sortedMap(figures, real)],
      tables: [
        verdictTable(verdicts),
        { caption: 'The picture, by method', table: pictureTable(figures) },
        { caption: 'Both inputs', table: inputTable(inputs) },
      ],
      certificates: inputs.map(certificateOf),
    },
  };
}

/** One picture of the sheet in four states, side by side. */
function pictures({ panels }: DenoisingFigures): Chart {
  const { side } = panels;
  const states = [panels.clean, panels.noisy, panels.exact, panels.hyper];
  const columns = states.length * side;
  return {
    kind: 'shade-map',
    title: 'Clean, noisy, exact, approximate',
    description:
      'One picture of the sheet: as it was, with noise, cleaned by exact attention, cleaned by HyperAttention. Darker is brighter.',
    value: 'brightness',
    x: { label: 'pixels', end: columns },
    y: { label: 'pixels', end: side },
    rows: side,
    columns,
    values: Array.from({ length: side * columns }, (_, i) => {
      const [x, y] = [i % columns, Math.floor(i / columns)];
      return Math.min(1, Math.max(0, states[Math.floor(x / side)][y * side + (x % side)]));
    }),
    equalScales: true,
  };
}

function sortedMap(
  { map: { bins, values, blocks, samples } }: DenoisingFigures,
  { rows }: InputFigures,
): Chart {
  return {
    kind: 'shade-map',
    title: 'The attention matrix, sorted by hash',
    description:
      'Dark is attention, on a logarithmic shade. Pixels are sorted by hash, so that those that look alike lie together: the outlined blocks are computed exactly, the rest is estimated from the sampled keys ticked above.',
    value: 'attention against uniform (1)',
    x: { label: 'keys, sorted', end: rows },
    y: { label: 'queries, sorted', end: rows },
    rows: bins,
    columns: bins,
    values,
    shade: 'log',
    outlines: {
      name: 'computed exactly',
      rectangles: blocks.map(({ rows: y, keys: x }) => ({ x, y })),
    },
    ticks: { name: 'sampled', positions: Array.from(samples) },
  };
}

function pictureTable({
  inputs: [real],
  noisy,
  exact,
  hyper,
  sampled,
  sampledError,
}: DenoisingFigures): Table {
  return {
    columns: ['method', 'peak signal-to-noise (dB)', 'error against exact'],
    rows: [
      ['noisy', noisy, ''],
      ['exact attention', exact, 0],
      ['HyperAttention', hyper, real.difference.relativeError],
      ['as many keys, all sampled', sampled, sampledError],
    ],
    note: 'Sampling alone is farther from exact attention, yet may look clean: it blurs more.',
  };
}

function inputTable(inputs: readonly InputFigures[]): Table {
  return {
    columns: [
      'input',
      'rows',
      'exact (s)',
      'hyper (s)',
      'speed-up',
      'pairs (%)',
      'error',
      'row sums off (nats)',
    ],
    rows: inputs.map(({ input, rows, exactSeconds, hyperSeconds, pairsShare, difference }) => [
      ...[input, rows, exactSeconds, hyperSeconds, exactSeconds / hyperSeconds, 100 * pairsShare],
      ...[difference.relativeError, difference.lseErrorMean],
    ]),
    note: 'Times are medians of three interleaved rounds, without the certificate; the error is relative, of the output.',
  };
}

function certificateOf({ input, rows, difference, certificate }: InputFigures): NamedCertificate {
  return {
    title: `Attention of ${rows} rows, ${input}`,
    value: `relative error ${shortNumber(difference.relativeError)}`,
    certificate,
  };
}
