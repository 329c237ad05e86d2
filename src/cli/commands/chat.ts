// `provably chat`: a conversation in the terminal.

import { Command } from 'commander';
import type { CliContext } from '../context.ts';
import type { ChatFlags } from '../llm/chat.ts';
import { addAttentionFlags, addCacheFlags, addModelFlags, addSamplingFlags } from '../llm/flags.ts';
import { positiveInteger } from '../parse.ts';

export function chatCommand(context: CliContext): Command {
  const command = new Command('chat')
    .description('talk with a language model; after each answer its speed and the bytes of its cache')
    .option('--system <text>', 'what the model is told beforehand')
    .option('--max-tokens <count>', 'tokens of an answer at most', positiveInteger, 1024);
  addSamplingFlags(addCacheFlags(addAttentionFlags(addModelFlags(command))));
  return command
    .addHelpText(
      'after',
      '\nIn the chat: /reset begins anew, /kept shows which tokens the first layer keeps, /quit or Ctrl-D ends; Ctrl-C stops an answer.\n\nExample:\n  $ provably chat -m SmolLM2-135M-Instruct.Q4_1.gguf --cache hybrid --budget 512',
    )
    .action(async (flags: ChatFlags) => {
      // Loaded when needed: --help and mistakes should not wait for it.
      const { runChat } = await import('../llm/chat.ts');
      await runChat(flags, context);
    });
}
