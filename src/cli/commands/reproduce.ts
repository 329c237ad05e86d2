// `provably reproduce <system>`: a paper's findings, run again here.

import { Argument, Command } from 'commander';
import type { CliContext } from '../context.ts';
import { UsageError } from '../failure.ts';
import { list, seedInteger } from '../parse.ts';
import { stations } from '../stations/index.ts';

interface ReproduceOptions {
  only?: string[];
  list: boolean;
  quick: boolean;
  seed: number;
  model?: string;
  text?: string;
  report?: string;
  json: boolean;
}

export function reproduceCommand(context: CliContext): Command {
  const systems = stations.map(({ system }) => system);
  return new Command('reproduce')
    .description("run a system's experiments and report what shows")
    .addArgument(new Argument('<system>', 'whose experiments').choices(systems))
    .option('--only <ids>', 'some experiments, comma-separated, e.g. X2b', list)
    .option('--list', 'list the experiments and stop', false)
    .option('--quick', 'small inputs and few repeats', false)
    .option('--seed <integer>', 'seed of everything random', seedInteger, 0)
    .option(
      '--model <path>',
      'llm: a .gguf file or a folder (default: $PROVABLY_MODEL, else a small one that comes along)',
    )
    .option('--text <file>', 'llm: text to read (default: texts of the Brown corpus)')
    .option('--report <file>', 'where the HTML report goes (default: report/<system>.html)')
    .option('--json', 'print one JSON object an experiment instead of text', false)
    .addHelpText('after', '\nExample:\n  $ provably reproduce selection --only X2b --quick')
    .action(async (system: string, options: ReproduceOptions) => {
      const { only, quick, seed, json, text, report = `report/${system}.html` } = options;
      const protocols = stations.find((station) => station.system === system)?.protocols ?? [];
      if (options.list) {
        for (const { id, title } of protocols) context.stdout.write(`${id.padEnd(6)}${title}\n`);
        return;
      }
      if (system !== 'llm' && (options.model ?? text) !== undefined) {
        throw new UsageError(`--model and --text are for llm; ${system} takes neither.`);
      }
      const model = options.model ?? (context.env.PROVABLY_MODEL || undefined);
      const ids = protocols.map(({ id }) => id);
      const unknown = only?.find((id) => !ids.some((known) => known.toLowerCase() === id.toLowerCase()));
      if (unknown) throw new UsageError(`--only names ${unknown}; ${system} has ${ids.join(', ')}.`);
      const wanted = only?.map((id) => id.toLowerCase());
      const requests = protocols
        .filter(({ id }) => wanted === undefined || wanted.includes(id.toLowerCase()))
        .map((experiment) => ({ system, experiment }));
      const { languageFlags, runExperiments } = await import('../stations/run.ts');
      await runExperiments(requests, context, {
        title: `Provably: ${system}, reproduced`,
        lead: 'Every finding is measured here; what the paper reports is not quoted.',
        seed,
        quick,
        model,
        text,
        json,
        report,
        commandOf: ({ experiment }) =>
          `provably reproduce ${system} --only ${experiment.id}${quick ? ' --quick' : ''} --seed ${seed}${languageFlags(system, { model, text })}`,
      });
    });
}
