// Protocols F1, F2, F3, C1: the findings of the abstract of arXiv 2311.10679, looked for on both of our generators in one sweep of certified
// equilibria.

import { judge, type ProtocolOptions, type ProtocolReport, type Verdict } from '../../reproduce/protocol.ts';
import {
  type Sweep,
  type SweepComparison,
  type SweepGenerator,
  type SweepSearch,
  sweep,
} from '../sweep/index.ts';
import { AUCTION_FORMATS, type AuctionFormat } from '../types.ts';

export interface SweepFindingsOptions extends ProtocolOptions {
  /** Auctions of each market. Default: the generator's, 2000 and 1500. */
  auctions?: number | undefined;
  /** Default: both. */
  generators?: readonly SweepGenerator['name'][] | undefined;
  /** How equilibria are searched for. Default: as `sweep`. */
  search?: SweepSearch | undefined;
  /** Workers, ≥ 1; the report is the same for any number. Default: all cores. */
  workers?: number | undefined;
}

/** What one generator shows. */
export interface GeneratorFindings extends Pick<Sweep, 'cells' | 'comparisons'> {
  generator: SweepGenerator['name'];
  /** Largest certified value-weighted regret of a cell. */
  worstRegret: number;
}

/** The sweep that all findings are read from. */
export interface SweptFindings {
  generators: GeneratorFindings[];
  seeds: readonly number[];
  auctions: number | undefined;
}

export type FindingsReport = ProtocolReport<{ generators: GeneratorFindings[] }>;

export const FINDING_LEVELS: readonly number[] = [1, 2, 4, 8];

const ORDERS = [
  ['fpa', 'gsp'],
  ['gsp', 'vcg'],
] as const;

/** Certified regret that is wanted: shares of value. */
const REGRET = { few: 0.001, many: 0.003, one: 0.02 };

/**
 * All formats at K = 1, 2, 4, 8 on markets of both generators: pure equilibria, mixed where pure strategies come to no rest. Default seeds
 * 200 … 209.
 *
 * @throws as `sweep`
 */
export async function sweepFindings(options: SweepFindingsOptions = {}): Promise<SweptFindings> {
  const { generators = ['provably', 'gamma-topic'], auctions, workers, search } = options;
  const { signal, onProgress } = options;
  const { seeds = Array.from({ length: 10 }, (_, s) => 200 + s) } = options;
  const found: GeneratorFindings[] = [];
  for (const name of generators) {
    const { value, certificate } = await sweep({
      generator: { name, ...(auctions === undefined ? {} : { auctions }) },
      ...{ seeds, formats: AUCTION_FORMATS, levels: FINDING_LEVELS, search, workers, signal },
      onProgress: onProgress && ((now) => onProgress({ ...now, phase: `${name}: ${now.phase}` })),
    });
    const { cells, comparisons } = value;
    found.push({ generator: name, cells, comparisons, worstRegret: certificate.bound.value });
  }
  return { generators: found, seeds, auctions };
}

/** F1: FPA > GSP > VCG in welfare and in profit, at every level of non-uniformity. */
export function reportFormats(found: SweptFindings): FindingsReport {
  return reportOf('F1', 'Formats: welfare and profit', found, (one) => {
    const { generator, cells } = one;
    const uniform = cells.filter(({ format, level }) => format === 'fpa' && level === 1);
    const verdicts = [
      judge(
        `${generator}: P1, uniform first price takes all welfare as profit`,
        Math.max(...uniform.flatMap(({ welfare, profit }) => [Math.abs(1 - welfare), Math.abs(1 - profit)])),
        { high: 1e-9, unit: 'off W*' },
      ),
    ];
    for (const measure of ['welfare', 'profit'] as const) {
      for (const level of FINDING_LEVELS) {
        for (const [a, b] of ORDERS) {
          const claim = `${generator}: ${measure} ${a.toUpperCase()} > ${b.toUpperCase()} at K = ${level}`;
          verdicts.push(clearlyAbove(claim, comparisonOf(one, measure, [a, level], [b, level])));
        }
      }
    }
    if (generator === 'provably') {
      const orders = [1, 2, 4, 8].flatMap((level) =>
        ORDERS.filter(([a]) => a === 'gsp' || level <= 2).map(([a, b]) =>
          comparisonOf(one, 'welfare', [a, level], [b, level]),
        ),
      );
      verdicts.push(
        judge(
          `${generator}: P2, FPA > GSP at K ≤ 2 and GSP > VCG at every K, market by market`,
          Math.min(...orders.map(({ above }) => above)) / found.seeds.length,
          { low: 0.9, unit: 'of the markets, least order' },
        ),
      );
    }
    return verdicts;
  });
}

/** F2: finer bidding lowers welfare in first price and in GSP. */
export function reportNonUniformity(found: SweptFindings): FindingsReport {
  return reportOf('F2', 'Finer bidding: what it costs', found, (one) =>
    (['fpa', 'gsp'] as const).flatMap((format) => {
      const fall = comparisonOf(one, 'welfare', [format, 1], [format, 8]);
      const name = `${one.generator}: welfare of ${format.toUpperCase()} falls from K = 1 to 8`;
      return [
        clearlyAbove(name, fall),
        judge(`${name}, market by market`, fall.above / found.seeds.length, {
          ...{ low: 0.9, unit: 'of the markets' },
        }),
        ...(one.generator === 'provably'
          ? [
              judge(`${name} by as much as the prototype's`, fall.difference, {
                ...{ low: format === 'fpa' ? 0.004 : 0.0015, unit: 'of W*, mean' },
              }),
            ]
          : []),
      ];
    }),
  );
}

/** F3: in VCG the number of multipliers changes nothing. */
export function reportVcgFlat(found: SweptFindings): FindingsReport {
  return reportOf('F3', 'VCG: finer bidding changes nothing', found, (one) => {
    const means = FINDING_LEVELS.map((level) => {
      const column = one.cells.filter((cell) => cell.format === 'vcg' && cell.level === level);
      return column.reduce((sum, { welfare }) => sum + welfare, 0) / column.length;
    });
    return [
      judge(
        `${one.generator}: P4, spread of mean welfare over K = ${FINDING_LEVELS.join(', ')}`,
        Math.max(...means) - Math.min(...means),
        { high: 0.001, unit: 'of W*' },
      ),
    ];
  });
}

/** C1: how near to rest the bidders of every cell are. */
export function reportCertificates(found: SweptFindings): FindingsReport {
  return reportOf('C1', 'Certificates: how near to rest', found, ({ generator, cells }) => {
    const few = cells.filter(({ level }) => level <= 2);
    const many = cells.filter(({ level }) => level > 2);
    const worst = (some: typeof cells, of: 'meanRegretBound' | 'maxRegretBound' | 'maxOverspend') =>
      Math.max(...some.map((cell) => cell[of]));
    const wanted = (claim: string, measured: number, high: number, unit: string) =>
      judge(`${generator}: ${claim}`, measured, { high, unit });
    return [
      wanted('targets are kept', worst(cells, 'maxOverspend'), 1e-4, 'spend ÷ value − 1'),
      wanted(
        'regret weighted by value, worst cell of K ≤ 2',
        worst(few, 'meanRegretBound'),
        REGRET.few,
        'of value',
      ),
      wanted(
        'regret weighted by value, worst cell of K > 2',
        worst(many, 'meanRegretBound'),
        REGRET.many,
        'of value',
      ),
      wanted(
        'regret of any one advertiser in any cell',
        worst(cells, 'maxRegretBound'),
        REGRET.one,
        'of its value',
      ),
    ];
  });
}

/** "separated", or why not: an order of means may not be separated from chance and regret. */
export function verdictText({ separated, interval, difference, regret }: SweepComparison): string {
  if (separated) return 'separated';
  const reasons = [
    ...(interval.low > 0 || interval.high < 0 ? [] : ['interval']),
    ...(Math.abs(difference) > regret ? [] : ['regret']),
  ];
  return `not separated: within ${reasons.join(' and ')}`;
}

/** Above 0 when the difference is, and is separated. */
function clearlyAbove(claim: string, one: SweepComparison): Verdict {
  const clear = Math.min(one.interval.low, one.difference - one.regret);
  return judge(`${claim} (${verdictText(one)})`, clear, {
    ...{ low: 0, unit: 'of W*, less interval and regret' },
  });
}

function reportOf(
  id: string,
  title: string,
  { generators, seeds, auctions }: SweptFindings,
  verdictsOf: (found: GeneratorFindings) => Verdict[],
): FindingsReport {
  const names = generators.map(({ generator }) => generator);
  const size = auctions === undefined ? {} : { auctions };
  return {
    ...{ id, title },
    setting: { generators: names, formats: AUCTION_FORMATS, levels: FINDING_LEVELS, seeds, ...size },
    figures: { generators },
    verdicts: generators.flatMap(verdictsOf),
  };
}

function comparisonOf(
  { comparisons }: GeneratorFindings,
  measure: SweepComparison['measure'],
  [a, aLevel]: readonly [AuctionFormat, number],
  [b, bLevel]: readonly [AuctionFormat, number],
): SweepComparison {
  return comparisons.find(
    (one) =>
      one.measure === measure &&
      one.a.format === a &&
      one.a.level === aLevel &&
      one.b.format === b &&
      one.b.level === bLevel,
  )!;
}
