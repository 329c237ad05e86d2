// `provably serve`: a language model behind the protocol of the OpenAI API.

import { Command, Option } from 'commander';
import type { CliContext } from '../context.ts';
import { addAttentionFlags, addCacheFlags, addModelFlags } from '../llm/flags.ts';
import type { ServeFlags } from '../llm/serve.ts';
import { count, positiveInteger, positiveNumber } from '../parse.ts';

export function serveCommand(context: CliContext): Command {
  const command = new Command('serve').description(
    'serve a language model by the protocol of the OpenAI API, with attention and cache of your choice',
  );
  addCacheFlags(addAttentionFlags(addModelFlags(command)));
  return command
    .option('--model-name <name>', 'what clients call the model (default: the file’s name)')
    .option('--client-policies', 'let requests choose cache and attention in the field "provably"', false)
    .optionsGroup('Network:')
    .option('--host <address>', 'to listen on; 0.0.0.0 for all of this machine', '127.0.0.1')
    .option('--port <number>', 'to listen on; 0 for any that is free', count, 8080)
    .option('--api-keys-file <path>', 'only callers with a key of this file; see `provably api-key`')
    .option('--cors-origin <origins...>', 'origins whose pages may call, or *')
    .optionsGroup('Limits:')
    .option('--max-active <count>', 'texts that grow at the same time', positiveInteger, 16)
    .option('--max-waiting <count>', 'requests that wait; more are told to come again', count, 64)
    .option('--max-context <tokens>', 'of prompt and output (default: the model’s)', positiveInteger)
    .option('--prefix-bytes <bytes>', 'of caches kept for prompts that begin alike', count, 256e6)
    .option('--max-body <bytes>', 'of a request', positiveInteger, 2 ** 20)
    .option('--request-timeout <seconds>', 'that an answer may take', positiveNumber, 600)
    .option('--shutdown-timeout <seconds>', 'that answers get when the server ends', positiveNumber, 30)
    .addOption(new Option('--pooling <kind>', 'of embeddings').choices(['mean', 'last']).default('mean'))
    .optionsGroup('Output:')
    .option('--quiet', 'no line for each request', false)
    .option('--json', 'print where it listens as one JSON object', false)
    .addHelpText(
      'after',
      '\nExamples:\n  $ provably serve --model SmolLM2-135M-Instruct.Q4_1.gguf\n  $ provably serve -m model.gguf --attention hyper --cache hybrid --budget 2048 --host 0.0.0.0 --api-keys-file keys.txt',
    )
    .action(async (flags: ServeFlags) => {
      // Loaded when needed: --help and mistakes should not wait for it.
      const { runServe } = await import('../llm/serve.ts');
      await runServe(flags, context);
    });
}
