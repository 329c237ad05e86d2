// Attention at work on a real picture: noise is taken away by averaging pixels whose surroundings look alike, exactly and approximately.

import type { Certificate } from '../../core/certificate.ts';
import { type LabelledDataset, loadFashionMnist } from '../../data/datasets/index.ts';
import {
  firstSeeds,
  judge,
  type ProtocolOptions,
  type ProtocolReport,
  partOf,
} from '../../reproduce/protocol.ts';
import { raceSeconds } from '../../reproduce/timing.ts';
import { type AttentionMap, attentionMap } from '../attention-map.ts';
import { auditAttention } from '../audit.ts';
import { type AttentionDifference, compareAttention } from '../compare.ts';
import { exactAttention } from '../exact.ts';
import { type HyperResult, hyperAttention } from '../hyper.ts';
import type { AttentionInput, AttentionResult } from '../types.ts';
import { crop, patchAttention, peakSignalToNoise, pictureSheet, withNoise } from './patches.ts';
import { plantedInput } from './planted.ts';

/** Rows that the certificate is audited on, drawn anew. */
const auditedRows = 2048;

export interface DenoisingOptions extends ProtocolOptions {
  /** Default: Fashion-MNIST. */
  dataset?: LabelledDataset | undefined;
  /** The picture is a sheet of across² pictures of the data set. Default 5. */
  across?: number | undefined;
  /** Standard deviation of the noise; pixels are in [0, 1]. Default 0.15. */
  noise?: number | undefined;
  /** Of the square around a pixel. Default 2: 25 pixels. */
  radius?: number | undefined;
  /** Logit of a square with itself. Default 12: exact attention cleans best with it. */
  strength?: number | undefined;
  /** b = m. Default 256. */
  size?: number | undefined;
  /** Rows whose exact answer the certificate rests on. Default 2048. */
  certifyRows?: number | undefined;
  /** Queries and keys of the planted input beside it. Default 16384. */
  plantedRows?: number | undefined;
}

/** Both on one input. */
export interface InputFigures {
  input: string;
  rows: number;
  exactSeconds: number;
  hyperSeconds: number;
  /** Pairs computed, over those of exact attention. */
  pairsShare: number;
  difference: AttentionDifference;
  /** With the error measured on some exact rows. */
  certificate: Certificate;
}

export interface DenoisingFigures {
  /** The picture, then the planted input. */
  inputs: InputFigures[];
  /** Peak signal-to-noise ratios, dB. */
  noisy: number;
  exact: number;
  hyper: number;
  /** As many keys a query, all sampled: may be cleaner than it is close to exact, since it blurs more. */
  sampled: number;
  /** ‖Õ − O‖_F / ‖O‖_F of that. */
  sampledError: number;
  /** The attention matrix of the picture. */
  map: AttentionMap;
  /** The first picture of the sheet, (side, side) each. */
  panels: {
    side: number;
    clean: Float32Array;
    noisy: Float32Array;
    exact: Float32Array;
    hyper: Float32Array;
  };
}

/**
 * Non-local means as attention on a sheet of pictures with noise, and the planted input of E1 for comparison; one seed.
 *
 * Time about 6 s on two cores.
 */
export async function reproduceDenoising(
  options: DenoisingOptions = {},
): Promise<ProtocolReport<DenoisingFigures>> {
  const { across = 5, noise = 0.15, radius = 2, strength = 12, size = 256, plantedRows = 16_384 } = options;
  const [seed] = options.seeds ?? firstSeeds(1);
  const { certifyRows = 2048 } = options;
  const step = (done: number) => partOf(options, 'attention on a picture', done, 4);
  const dataset = options.dataset ?? (await loadFashionMnist(step(0)));
  const clean = pictureSheet(dataset, across);
  const noisy = withNoise(clean, noise, seed);
  const { input, pictureOf } = patchAttention(noisy, radius, strength);
  const sampling = 'stratified' as const;
  const settings = { blockSize: size, sampleSize: size, minSequence: 1, sampling, certifyRows, seed };
  const run = step(1);
  const real = await compareOn(input, `${across * across} pictures of ${dataset.name}, noisy`, settings, run);
  const alone = { ...settings, blocks: 'none' as const, sampleSize: 2 * size, certifyRows: 0, ...run };
  const sampled = await hyperAttention(input, alone);
  step(2);
  const map = attentionMap(input, real.hyper.trace, { bins: Math.min(64, clean.width), rowsPerBin: 4 });
  const planted = await compareOn(
    plantedInput({ rows: plantedRows, clusters: Math.ceil(plantedRows / 8), seed }),
    'planted: eight heavy keys a query',
    settings,
    step(3),
  );
  const [exact, hyper] = [pictureOf(real.exact), pictureOf(real.hyper)];
  const side = clean.width / across;
  const panel = (picture: typeof clean) => crop(picture, 0, 0, side);
  const figures: DenoisingFigures = {
    inputs: [real.figures, planted.figures],
    noisy: peakSignalToNoise(noisy, clean),
    exact: peakSignalToNoise(exact, clean),
    hyper: peakSignalToNoise(hyper, clean),
    sampled: peakSignalToNoise(pictureOf(sampled.value), clean),
    sampledError: compareAttention(sampled.value, real.exact).relativeError,
    map,
    panels: {
      ...{ side, clean: panel(clean), noisy: panel(noisy) },
      ...{ exact: panel(exact), hyper: panel(hyper) },
    },
  };
  return {
    id: 'D1',
    title: 'A noisy picture, cleaned by attention among its pixels',
    setting: {
      ...{ data: dataset.name, pixels: clean.pixels.length, noise, square: (2 * radius + 1) ** 2, strength },
      ...{ size, sampling, seed },
    },
    figures,
    verdicts: verdictsOf(figures),
  };
}

async function compareOn(
  input: AttentionInput,
  name: string,
  settings: Parameters<typeof hyperAttention>[1] & { seed: number },
  run: ReturnType<typeof partOf>,
): Promise<{ figures: InputFigures; exact: AttentionResult; hyper: HyperResult }> {
  const certified = await hyperAttention(input, { ...settings, ...run });
  let exact!: AttentionResult;
  const [hyperSeconds, exactSeconds] = await raceSeconds(
    [
      () => hyperAttention(input, { ...settings, certifyRows: 0, ...run }),
      async () => {
        exact = await exactAttention(input, run);
      },
    ],
    3,
  );
  const { value: hyper } = certified;
  const { certificate } = await auditAttention(input, certified, { rows: auditedRows, ...run });
  const figures: InputFigures = {
    ...{ input: name, rows: input.queries.rows, exactSeconds, hyperSeconds },
    pairsShare: hyper.trace.pairs / hyper.trace.exactPairs,
    difference: compareAttention(hyper, exact),
    certificate,
  };
  return { figures, exact, hyper };
}

function verdictsOf({ inputs: [real], noisy, exact, hyper, sampledError }: DenoisingFigures) {
  const gain = exact - noisy;
  return [
    judge('exact attention takes noise away', gain, { low: 1, unit: 'dB' }),
    judge('HyperAttention keeps most of that', (hyper - noisy) / gain, {
      low: 0.6,
      unit: 'share of the gain',
    }),
    judge('hashing helps: closer to exact than samples alone', real.difference.relativeError / sampledError, {
      ...{ high: 0.9, unit: 'ratio of errors' },
    }),
    judge('it is faster', real.exactSeconds / real.hyperSeconds, { low: 3, unit: 'times' }),
  ];
}
