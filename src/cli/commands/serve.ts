// `provably serve`: a language model behind the protocol of the OpenAI API, or labels behind an aggregator.

import { Command, Option } from 'commander';
import { type AggregatorFlags, addAggregatorFlags } from '../aggregate/serve-flags.ts';
import type { CliContext } from '../context.ts';
import { UsageError } from '../failure.ts';
import { addAttentionFlags, addCacheFlags, addModelFlags } from '../llm/flags.ts';
import type { ServeFlags } from '../llm/serve.ts';
import { addNetworkFlags, type NetworkFlags } from '../network-flags.ts';
import { count, positiveInteger } from '../parse.ts';

export function serveCommand(context: CliContext): Command {
  const command = new Command('serve').description(
    'serve a language model by the protocol of the OpenAI API, or guard labels and answer noisy means of bags',
  );
  const modelOptions = added(command, () => {
    addCacheFlags(addAttentionFlags(addModelFlags(command)))
      .option('--model-name <name>', 'what clients call the model (default: the file’s name)')
      .option('--client-policies', 'let requests choose cache and attention in the field "provably"', false)
      .optionsGroup('Requests to a model:')
      .option('--max-active <count>', 'texts that grow at the same time', positiveInteger, 16)
      .option('--max-waiting <count>', 'requests that wait; more are told to come again', count, 64)
      .option('--max-context <tokens>', 'of prompt and output (default: the model’s)', positiveInteger)
      .option('--prefix-bytes <bytes>', 'of caches kept for prompts that begin alike', count, 256e6)
      .addOption(new Option('--pooling <kind>', 'of embeddings').choices(['mean', 'last']).default('mean'));
  });
  const labelOptions = added(command, () => addAggregatorFlags(command));
  return addNetworkFlags(command, '600; 60 with --labels')
    .addHelpText(
      'after',
      `
Examples:
  $ provably serve --model SmolLM2-135M-Instruct.Q4_1.gguf
  $ provably serve -m model.gguf --attention hyper --cache hybrid --budget 2048 --host 0.0.0.0 --api-keys-file keys.txt
  $ provably serve --labels labels.parquet --id id --label spent --bounds 0,50 --min-bag 50 --epsilon 1 --ledger ledger.db`,
    )
    .action(async (flags: ServeFlags & AggregatorFlags & NetworkFlags) => {
      const labels = flags.labels !== undefined;
      refuseGiven(command, labels ? modelOptions : labelOptions, labels);
      // Loaded when needed: --help and mistakes should not wait for it.
      if (labels) {
        const { runAggregatorServe } = await import('../aggregate/serve-run.ts');
        await runAggregatorServe(flags, context);
      } else {
        const { runServe } = await import('../llm/serve.ts');
        await runServe(flags, context);
      }
    });
}

/** Options that `add` adds. */
function added(command: Command, add: () => void): readonly Option[] {
  const before = command.options.length;
  add();
  return command.options.slice(before);
}

/** Options of the other server do nothing here, so giving one is a mistake. */
function refuseGiven(command: Command, options: readonly Option[], labels: boolean): void {
  const given = options.filter((option) => command.getOptionValueSource(option.attributeName()) === 'cli');
  if (given.length === 0) return;
  const names = given.map(({ long }) => long).join(', ');
  throw new UsageError(
    labels
      ? `${names}: not with --labels. One server has a model or guards labels; start two for both.`
      : `${names}: only with --labels, the table of labels to guard.`,
  );
}
