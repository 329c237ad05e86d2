// Protocol E3: time of HyperAttention against exact attention, and how it grows with the length.

import {
  firstSeeds,
  judge,
  logLogSlope,
  type ProtocolOptions,
  type ProtocolReport,
  partOf,
} from '../../reproduce/protocol.ts';
import { raceSeconds } from '../../reproduce/timing.ts';
import { compareAttention } from '../compare.ts';
import { exactAttention } from '../exact.ts';
import { hyperAttention } from '../hyper.ts';
import { plantedInput } from './planted.ts';

export interface SpeedOptions extends ProtocolOptions {
  /** Queries and keys, ascending. Default [4096, 8192, 16384, 32768, 65536]. */
  rows?: readonly number[] | undefined;
  /** Exact attention is run up to this length. Default 32768. */
  mostExact?: number | undefined;
  /** b = m. Default 256. */
  size?: number | undefined;
  /** Rounds of which the median time counts. Default 3. */
  rounds?: number | undefined;
}

export interface SpeedFigures {
  rows: number;
  causal: boolean;
  /** Of HyperAttention, hashing and sorting included. */
  hyperSeconds: number;
  /** Undefined above `mostExact`. */
  exactSeconds: number | undefined;
  /** Exact pairs over computed pairs: the speed-up that equal speed per pair would give. */
  ideal: number;
  /** ‖Õ − O‖_F / ‖O‖_F at that speed; undefined above `mostExact`. */
  error: number | undefined;
}

/**
 * One head of d = 64 with eight heavy keys a query. Causal attention has exact leaves of 512 rows here.
 *
 * The first seed only. Time about a minute on two cores.
 */
export async function reproduceSpeed(options: SpeedOptions = {}): Promise<ProtocolReport<SpeedFigures[]>> {
  const { rows = [4096, 8192, 16_384, 32_768, 65_536], mostExact = 32_768, size = 256, rounds = 3 } = options;
  const [seed] = options.seeds ?? firstSeeds(1);
  const leaf = Math.min(512, rows[0] / 2);
  const figures: SpeedFigures[] = [];
  const cases = rows.flatMap((count) => [false, true].map((causal) => ({ count, causal })));
  for (const [i, { count, causal }] of cases.entries()) {
    const run = partOf(options, `${count} rows`, i, cases.length);
    const input = plantedInput({ rows: count, clusters: Math.ceil(count / 8), seed }, { causal });
    const settings = {
      ...{ ...run, blockSize: size, sampleSize: size, certifyRows: 0, seed },
      ...{ minSequence: causal ? leaf : 1, hashBits: 'auto' as const },
    };
    const hyper = () => hyperAttention(input, settings);
    const { value } = await hyper(); // warms up, too
    const affordable = count <= mostExact;
    const exact = affordable ? await exactAttention(input, run) : undefined;
    const competitors = affordable ? [hyper, () => exactAttention(input, run)] : [hyper];
    const [hyperSeconds, exactSeconds] = await raceSeconds(competitors, rounds);
    const ideal = value.trace.exactPairs / value.trace.pairs;
    const error = exact && compareAttention(value, exact).relativeError;
    figures.push({ rows: count, causal, hyperSeconds, exactSeconds, ideal, error });
  }
  return {
    id: 'E3',
    title: 'Time against exact attention, and against the length',
    setting: { rows, dim: 64, size, causalLeaf: leaf, hashBits: 'auto', rounds, seed },
    figures,
    verdicts: verdictsOf(figures),
  };
}

function verdictsOf(figures: readonly SpeedFigures[]) {
  const verdicts = [];
  for (const causal of [false, true]) {
    const kind = causal ? 'causal' : 'not causal';
    const own = figures.filter((row) => row.causal === causal);
    const longest = own.findLast(({ exactSeconds }) => exactSeconds !== undefined);
    if (longest?.exactSeconds !== undefined) {
      const share = longest.exactSeconds / longest.hyperSeconds / longest.ideal;
      verdicts.push(
        judge(`${kind}, ${longest.rows} rows: share of the ideal speed-up`, share, {
          low: 0.5,
          unit: 'ratio',
        }),
      );
    }
    if (!causal && own.length > 1) {
      const slope = logLogSlope(
        own.map(({ rows }) => rows),
        own.map(({ hyperSeconds }) => hyperSeconds),
      );
      verdicts.push(
        judge('time grows linearly with the length', slope, { low: 0.85, high: 1.15, unit: 'slope' }),
      );
    }
  }
  return verdicts;
}
