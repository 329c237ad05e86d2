// `provably embed`: texts as vectors, for `provably select` and `provably cluster`.

import { Command, Option } from 'commander';
import type { CliContext } from '../context.ts';
import { isTextFile, requireExtension, tableExtensions } from '../extensions.ts';
import { UsageError } from '../failure.ts';
import type { EmbedFlags } from '../llm/embed.ts';
import { addModelFlags } from '../llm/flags.ts';

export function embedCommand(context: CliContext): Command {
  const command = new Command('embed')
    .description('turn texts into vectors with a language model, for select and cluster')
    .argument(
      '<texts>',
      'a .txt file with one text a line, or a table (.jsonl, .csv, .parquet …; - is standard input)',
    )
    .option('--column <name>', 'of a table: its texts (default: text, or the only column)')
    .addOption(
      new Option('--pooling <kind>', 'of the tokens of a text').choices(['mean', 'last']).default('mean'),
    )
    .option('--no-normalise', 'leave vectors as long as they are (default: length 1)')
    .option('--truncate', 'cut texts to the context of the model (default: refuse longer ones)', false);
  addModelFlags(command);
  return command
    .optionsGroup('Output:')
    .requiredOption('-o, --out <file>', `.npy, .safetensors, or a table: ${tableExtensions.join(', ')}`)
    .option(
      '--copy',
      'of a table as output: keep the columns of the input beside the column "embedding"',
      false,
    )
    .option('--json', 'print one JSON object instead of text', false)
    .addHelpText('after', examples)
    .action(async (texts: string, flags: EmbedFlags) => {
      requireExtension('--out', flags.out, ['.npy', '.safetensors', ...tableExtensions]);
      if (flags.copy && /\.(npy|safetensors)$/i.test(flags.out)) {
        throw new UsageError(
          `--copy does not go with --out ${flags.out}, which holds vectors only; name a table.`,
        );
      }
      if (flags.copy && texts === '-') {
        throw new UsageError('--copy reads the input twice, and standard input comes once; name a file.');
      }
      if (flags.column !== undefined && isTextFile(texts)) {
        throw new UsageError(`${texts} has lines and no columns; leave --column out.`);
      }
      // Loaded when needed: --help and mistakes should not wait for it.
      const { runEmbed } = await import('../llm/embed.ts');
      await runEmbed(texts, flags, context);
    });
}

const examples = `
Examples:
  $ provably embed titles.txt -m SmolLM2-135M-Instruct.Q4_1.gguf --out titles.npy
  $ provably embed corpus.jsonl --column text -m models/tiny-lm --truncate --copy --out corpus.parquet
  $ provably select corpus.parquet --column embedding --losses loss --size 1% --out picked.parquet`;
