// `provably aggregate plan`: bag size, loss and ε to expected error, before anything is asked.

import { Command, Option } from 'commander';
import type { CliContext } from '../context.ts';
import { requireExtension } from '../extensions.ts';
import { UsageError } from '../failure.ts';
import {
  bounds,
  count,
  nonNegativeNumber,
  nonNegativeNumbers,
  positiveInteger,
  positiveNumber,
  probability,
  seedInteger,
  share,
} from '../parse.ts';

export interface PlanFlags {
  n: number;
  d: number;
  snr?: number;
  r2?: number;
  signal?: number;
  noise?: number;
  bounds?: [number, number];
  epsilon?: number;
  minBag?: number;
  maxBag?: number;
  design: 'random' | 'curated';
  priorCorrelation?: number;
  rhos?: number[];
  maxRho?: number;
  ridge?: number;
  repeats?: number;
  seed: number;
  out?: string;
  report?: string;
  json: boolean;
}

export function aggregatePlanCommand(context: CliContext): Command {
  return new Command('plan')
    .description('expected error by bag size, loss and ε against individual labels, and what to do')
    .optionsGroup('Setting:')
    .requiredOption('-n, --n <count>', 'samples that can be put in bags', positiveInteger)
    .requiredOption('-d, --d <count>', 'features', positiveInteger)
    .option('--snr <ratio>', 'variance of the mean response ÷ variance about it', nonNegativeNumber)
    .option('--r2 <share>', 'instead of --snr: the R² that a model of all labels would have', probability)
    .option('--signal <variance>', 'instead of --snr: variance of the mean response', nonNegativeNumber)
    .option('--noise <variance>', 'variance of the response about its mean (default: 1)', positiveNumber)
    .option('--epsilon <number>', 'ε of each label (default: exact means)', positiveNumber)
    .option('--bounds <L,U>', 'public bounds of the labels, with --epsilon', bounds)
    .option('--min-bag <count>', 'smallest bag that may be asked for (default: 1)', positiveInteger)
    .option('--max-bag <count>', 'largest bag considered (default: 64)', positiveInteger)
    .addOption(
      new Option('--design <design>', 'random bags, or bags cut from the order of a prior model')
        .choices(['random', 'curated'])
        .default('random'),
    )
    .option(
      '--prior-correlation <number>',
      'curated: correlation of a prior from elsewhere with the true means (default: a first stage on half of the samples)',
      share,
    )
    .option('--rhos <list>', 'values of ρ in the table (default: 0,0.01,0.03,0.1,0.3,1)', nonNegativeNumbers)
    .option('--max-rho <number>', 'largest ρ for the best one (default: 1)', positiveNumber)
    .option('--ridge <number>', 'λ of the ridge λ·d·‖θ‖² (default: 0)', nonNegativeNumber)
    .option('--repeats <count>', 'simulated runs for each bag size (default: 60)', count)
    .option('--seed <integer>', 'seed of the simulation', seedInteger, 0)
    .optionsGroup('Output:')
    .option('-o, --out <file>', 'the chart: .svg or .png')
    .option('--report <file>', 'write a report: .json or .html')
    .option('--json', 'print one JSON object instead of text', false)
    .addHelpText(
      'after',
      '\nExample:\n  $ provably aggregate plan --n 20000 --d 10 --r2 0.3 --noise 1 --epsilon 1 --bounds -4,4 --out plan.svg',
    )
    .action(async (flags: PlanFlags) => {
      checkPlanFlags(flags);
      // Loaded when needed: --help and mistakes should not wait for it.
      const { runPlan } = await import('./plan-run.ts');
      await runPlan(flags, context);
    });
}

function checkPlanFlags(flags: PlanFlags): void {
  const { snr, r2, signal, epsilon, bounds: labels, noise, design, priorCorrelation, out, report } = flags;
  if ([snr, r2, signal].filter((given) => given !== undefined).length !== 1) {
    throw new UsageError('how much is there to learn? Give one of --snr, --r2 and --signal.');
  }
  if (epsilon !== undefined && (labels === undefined || noise === undefined)) {
    throw new UsageError(
      '--epsilon needs --bounds L,U and --noise: privacy noise grows with U − L and is measured against the noise of the responses.',
    );
  }
  if (priorCorrelation !== undefined && design !== 'curated') {
    throw new UsageError('--prior-correlation is for --design curated.');
  }
  if (out !== undefined) requireExtension('--out', out, ['.svg', '.png']);
  if (report !== undefined) requireExtension('--report', report, ['.json', '.html']);
}
