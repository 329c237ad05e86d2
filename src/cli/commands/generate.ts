// `provably generate`: a text goes on.

import { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { addAttentionFlags, addCacheFlags, addModelFlags, addSamplingFlags } from '../llm/flags.ts';
import type { GenerateFlags } from '../llm/generate.ts';
import { positiveInteger } from '../parse.ts';

export function generateCommand(context: CliContext): Command {
  const command = new Command('generate')
    .description('continue a text with a language model whose attention and cache you choose')
    .argument('[prompt]', 'the text to go on with (default: standard input)')
    .option('--file <path>', 'read the prompt from a file')
    .option('--chat', 'put the prompt into the model’s chat template, as what a user says', false)
    .option('--max-tokens <count>', 'tokens at most', positiveInteger, 256)
    .option('--stop <text...>', 'texts to stop at')
    .option('--beyond-context', 'read prompts that are longer than what the model was trained for', false);
  addSamplingFlags(addCacheFlags(addAttentionFlags(addModelFlags(command))));
  return command
    .optionsGroup('Output:')
    .option('--json', 'print one JSON object instead of text', false)
    .addHelpText(
      'after',
      '\nExamples:\n  $ provably generate --model SmolLM2-135M-Instruct.Q4_1.gguf --chat "What is a cache?"\n  $ provably generate -m model.gguf --file book.txt --attention hyper --cache hybrid --budget 2048 --max-tokens 64',
    )
    .action(async (prompt: string | undefined, flags: GenerateFlags) => {
      // Loaded when needed: --help and mistakes should not wait for it.
      const { runGenerate } = await import('../llm/generate.ts');
      await runGenerate(prompt, flags, context);
    });
}
