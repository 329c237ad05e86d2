// `provably perplexity`: how well a model predicts a text, and what approximate attention or a smaller cache costs.

import { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { addAttentionFlags, addCacheFlags, addModelFlags } from '../llm/flags.ts';
import type { PerplexityFlags } from '../llm/perplexity.ts';
import { positiveInteger } from '../parse.ts';

export function perplexityCommand(context: CliContext): Command {
  const command = new Command('perplexity')
    .description(
      'measure how well a language model predicts a text, beside exact attention with a full cache',
    )
    .argument('<file>', 'a text file')
    .option(
      '--tokens <count>',
      'tokens of the text (default: as many as the model’s context)',
      positiveInteger,
    )
    .option(
      '--prefix <count>',
      'tokens read at once and kept by the cache; the rest is predicted one by one (default: none with a full cache, else half)',
      positiveInteger,
    )
    .option('--no-exact', 'leave out the comparison with exact attention and a full cache');
  addCacheFlags(addAttentionFlags(addModelFlags(command)));
  return command
    .optionsGroup('Output:')
    .option('--json', 'print one JSON object instead of text', false)
    .addHelpText(
      'after',
      '\nExamples:\n  $ provably perplexity book.txt -m model.gguf --attention hyper --min-sequence 512 --layers 10-29\n  $ provably perplexity book.txt -m model.gguf --tokens 4096 --cache hybrid --budget 1024',
    )
    .action(async (file: string, flags: PerplexityFlags) => {
      // Loaded when needed: --help and mistakes should not wait for it.
      const { runPerplexity } = await import('../llm/perplexity.ts');
      await runPerplexity(file, flags, context);
    });
}
