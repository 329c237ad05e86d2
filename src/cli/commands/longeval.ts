// `provably longeval`: which caches still find a line in a long record.

import { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { addModelFlags } from '../llm/flags.ts';
import type { LongevalFlags } from '../llm/longeval.ts';
import { list, positiveInteger, seedInteger } from '../parse.ts';

export function longevalCommand(context: CliContext): Command {
  const command = new Command('longeval')
    .description('line retrieval (LongEval) by caches of equal bytes: accuracy with 95 % intervals')
    .option('--lines <count>', 'lines of a record', positiveInteger, 100)
    .option('--records <count>', 'records', positiveInteger, 10)
    .option('--questions <count>', 'lines asked for in each record', positiveInteger, 10)
    .option('--largest <number>', 'numbers are from 1 to this', positiveInteger, 50_000)
    .option(
      '--policies <names>',
      'comma-separated, with a storage of its own as full:k4v2 (default: all that take a budget, and full:k4v2)',
      list,
    )
    .option('--shares <shares>', 'of a full cache’s bytes that the others may take, comma-separated', list, [
      '0.25',
    ])
    .option(
      '--storage <kind>',
      'of the full cache, and of caches that name none: float32, float16, bfloat16',
      'float16',
    )
    .option('--plain', 'ask by plain text, without the model’s chat template', false)
    .option('--seed <integer>', 'seed of records and questions', seedInteger, 0);
  addModelFlags(command);
  return command
    .optionsGroup('Output:')
    .option('--json', 'print one JSON object instead of text', false)
    .addHelpText(
      'after',
      '\nExample:\n  $ provably longeval -m model.gguf --lines 200 --policies hybrid,h2o,snapkv,sink-window --shares 0.125,0.25,0.5',
    )
    .action(async (flags: LongevalFlags) => {
      // Loaded when needed: --help and mistakes should not wait for it.
      const { runLongeval } = await import('../llm/longeval.ts');
      await runLongeval(flags, context);
    });
}
