// `provably tour`: every system once, on real input.

import { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { UsageError } from '../failure.ts';
import { list, seedInteger } from '../parse.ts';
import { stations } from '../stations/index.ts';

interface TourOptions {
  only?: string[];
  quick: boolean;
  seed: number;
  model?: string;
  report: string;
  json: boolean;
}

export function tourCommand(context: CliContext): Command {
  return new Command('tour')
    .description('let every system do its job on real input, with certificates and a report')
    .option('--only <systems>', `some of them, comma-separated: ${names().join(', ')}`, list)
    .option('--quick', 'small inputs and few repeats', false)
    .option('--seed <integer>', 'seed of everything random', seedInteger, 0)
    .option(
      '--model <path>',
      'a language model for station llm: a .gguf file or a folder (default: $PROVABLY_MODEL, else a small one that comes along)',
    )
    .option('--report <file>', 'where the HTML report goes', 'report/index.html')
    .option('--json', 'print one JSON object a system instead of text', false)
    .addHelpText('after', '\nExample:\n  $ provably tour --only selection --report tour.html')
    .action(async ({ only = names(), quick, seed, report, json, ...options }: TourOptions) => {
      const unknown = only.find((name) => !names().includes(name));
      if (unknown) throw new UsageError(`--only names ${unknown}; expected some of ${names().join(', ')}.`);
      if (options.model !== undefined && !only.includes('llm')) {
        throw new UsageError(
          '--model is for station llm, which --only leaves out. Name it, or drop --model.',
        );
      }
      const model = options.model ?? (context.env.PROVABLY_MODEL || undefined);
      const requests = stations
        .filter(({ system }) => only.includes(system))
        .map(({ system, tour }) => ({ system, experiment: tour }));
      const { languageFlags, runExperiments } = await import('../stations/run.ts');
      await runExperiments(requests, context, {
        title: 'Provably: the tour',
        lead: 'Each system does with less what is usually done with more, on real input, and says how far its answer can be off.',
        seed,
        quick,
        model,
        json,
        report,
        commandOf: ({ system }) =>
          `provably tour --only ${system}${quick ? ' --quick' : ''} --seed ${seed}${languageFlags(system, { model })}`,
      });
    });
}

function names(): string[] {
  return stations.map(({ system }) => system);
}
