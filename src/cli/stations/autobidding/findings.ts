// F1, F2, F3, C1: formats and finer bidding on both generators, read from one sweep.

import type { FindingsReport, SweptFindings } from '../../../autobidding/reproduce/findings.ts';
import { percent } from '../../autobid/words.ts';
import { runOptions, settingLine, verdictFigures, verdictSentence, verdictTable } from '../common.ts';
import type { Experiment, ExperimentOptions, ExperimentResult } from '../station.ts';
import { comparisonsTable, levelChart, meansTable, OWN_DESIGN } from './shown.ts';

type Protocols = typeof import('../../../autobidding/reproduce/findings.ts');

/** Of the sweep; whichever experiment comes first runs it. */
const expectedSeconds = { full: 600, quick: 40 };

export const formats: Experiment = finding({
  ...{ id: 'F1', title: 'Formats: welfare and profit', expectedSeconds },
  question: 'Which format has more welfare and profit: first price, GSP or VCG?',
  report: ({ reportFormats }) => reportFormats,
});

export const nonUniformity: Experiment = finding({
  ...{ id: 'F2', title: 'Finer bidding: what it costs', expectedSeconds },
  question: 'Advertisers that bid apart on more segments do so for themselves. What becomes of welfare?',
  report: ({ reportNonUniformity }) => reportNonUniformity,
});

export const vcgFlat: Experiment = finding({
  ...{ id: 'F3', title: 'VCG: finer bidding changes nothing', expectedSeconds },
  question: 'Does it matter in VCG how finely advertisers bid?',
  report: ({ reportVcgFlat }) => reportVcgFlat,
});

export const certificates: Experiment = finding({
  ...{ id: 'C1', title: 'Certificates: how near to rest', expectedSeconds },
  question: 'How much could advertisers still gain by deviating from what is called an equilibrium here?',
  report: ({ reportCertificates }) => reportCertificates,
});

function finding({
  question,
  report,
  ...about
}: Pick<Experiment, 'id' | 'title' | 'expectedSeconds'> & {
  question: string;
  report: (protocols: Protocols) => (found: SweptFindings) => FindingsReport;
}): Experiment {
  return {
    ...about,
    async run(options) {
      const protocols = await import('../../../autobidding/reproduce/findings.ts');
      return describe(question, report(protocols)(await sweepOnce(protocols, options)));
    },
  };
}

/** Sweeps of this process, by what they depend on: the findings are about the same one. */
const sweeps = new Map<string, SweptFindings>();

/** Seeds 200 … 209 by default; other seeds of the command shift them. */
async function sweepOnce({ sweepFindings }: Protocols, options: ExperimentOptions): Promise<SweptFindings> {
  const { seed, quick } = options;
  const key = `${seed} ${quick}`;
  const first = 200 + 1000 * seed;
  const found =
    sweeps.get(key) ??
    (await sweepFindings({
      ...runOptions(options),
      seeds: Array.from({ length: quick ? 2 : 10 }, (_, s) => (first + s) >>> 0),
      auctions: quick ? 300 : undefined,
    }));
  sweeps.set(key, found);
  return found;
}

function describe(question: string, report: FindingsReport): ExperimentResult {
  const { figures, verdicts, title } = report;
  const { generators } = figures;
  const all = generators.flatMap(({ comparisons }) => comparisons);
  const separated = all.filter((one) => one.separated).length;
  return {
    value: { generators, verdicts },
    figures: {
      ...Object.fromEntries(
        generators.flatMap(({ generator, comparisons, worstRegret }) => [
          [`worstRegret ${generator}`, worstRegret],
          ...comparisons.map(({ measure, a, b, difference }) => [
            `${measure} ${generator} ${a.format} K=${a.level} − ${b.format} K=${b.level}`,
            difference,
          ]),
        ]),
      ),
      ...{ comparisons: all.length, separated },
      ...verdictFigures(verdicts),
    },
    section: {
      title,
      question,
      answer: `${verdictSentence(verdicts)} ${separated} of ${all.length} differences are separated from chance and regret. ${OWN_DESIGN}`,
      input: settingLine(report),
      figures: generators.map(({ generator, worstRegret }) => ({
        label: `Largest regret, ${generator}`,
        value: percent(worstRegret),
        note: 'value-weighted, certified',
      })),
      charts: generators.flatMap((found) => [levelChart(found, 'welfare'), levelChart(found, 'profit')]),
      tables: [
        verdictTable(verdicts),
        ...generators.flatMap((found) => [
          meansTable(found),
          comparisonsTable(found.generator, found.comparisons),
        ]),
      ],
      certificates: [],
    },
  };
}
