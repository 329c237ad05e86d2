// F1, F2, F3: formats and finer bidding on both generators.

import type { FindingsOptions, FindingsReport } from '../../../autobidding/reproduce/findings.ts';
import { percent } from '../../autobid/words.ts';
import { runOptions, settingLine, verdictFigures, verdictSentence, verdictTable } from '../common.ts';
import type { Experiment, ExperimentOptions, ExperimentResult } from '../station.ts';
import { comparisonsTable, meansTable, OWN_DESIGN, welfareChart } from './shown.ts';

type Protocols = typeof import('../../../autobidding/reproduce/findings.ts');

export const formats: Experiment = finding({
  ...{ id: 'F1', title: 'Formats: welfare and profit', expectedSeconds: { full: 60, quick: 8 } },
  question: 'Which format has more welfare and profit: first price, GSP or VCG?',
  run: ({ reproduceFormats }, options) => reproduceFormats(options),
});

export const nonUniformity: Experiment = finding({
  ...{ id: 'F2', title: 'Finer bidding: what it costs', expectedSeconds: { full: 80, quick: 10 } },
  question: 'Advertisers that bid apart on more segments do so for themselves. What becomes of welfare?',
  run: ({ reproduceNonUniformity }, options) => reproduceNonUniformity(options),
});

export const vcgFlat: Experiment = finding({
  ...{ id: 'F3', title: 'VCG: finer bidding changes nothing', expectedSeconds: { full: 30, quick: 5 } },
  question: 'Does it matter in VCG how finely advertisers bid?',
  run: ({ reproduceVcgFlat }, options) => reproduceVcgFlat(options),
});

function finding({
  question,
  run,
  ...about
}: Pick<Experiment, 'id' | 'title' | 'expectedSeconds'> & {
  question: string;
  run: (protocols: Protocols, options: FindingsOptions) => Promise<FindingsReport>;
}): Experiment {
  return {
    ...about,
    async run(options) {
      const protocols = await import('../../../autobidding/reproduce/findings.ts');
      const report = await run(protocols, { ...runOptions(options), ...sizes(options) });
      return describe(question, report);
    },
  };
}

/** Seeds 200 … 209 by default, as the protocol says; other seeds of the command shift them. */
function sizes({ seed, quick }: ExperimentOptions): Pick<FindingsOptions, 'seeds' | 'auctions'> {
  const first = 200 + 1000 * seed;
  const seeds = Array.from({ length: quick ? 3 : 10 }, (_, s) => (first + s) >>> 0);
  return { seeds, ...(quick ? { auctions: 400 } : {}) };
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
      charts: generators.map(welfareChart),
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
