// `provably pull`: a model of the Hugging Face hub onto this machine.

import { Command } from 'commander';
import type { CliContext } from '../context.ts';

export interface PullFlags {
  file?: string;
  revision?: string;
  to?: string;
  endpoint?: string;
  json: boolean;
}

export function pullCommand(context: CliContext): Command {
  return new Command('pull')
    .description('fetch a model of the Hugging Face hub; goes on where it stopped, and checks hashes')
    .argument('<model>', 'owner/name, or owner/name:Q4_K_M for the GGUF file of that quantisation')
    .option('--file <name>', 'this .gguf file of the repository')
    .option('--revision <name>', 'branch, tag or commit (default: main)')
    .option('--to <folder>', 'where the files go (default: the folder of pulled models, see below)')
    .option('--endpoint <address>', 'of a mirror of the hub (default: $HF_ENDPOINT, https://huggingface.co)')
    .option('--json', 'print one JSON object instead of text', false)
    .addHelpText('after', pullExamples)
    .action(async (model: string, flags: PullFlags) => {
      // Loaded when needed: --help and mistakes should not wait for it.
      const { runPull } = await import('../llm/pull.ts');
      await runPull(model, flags, context);
    });
}

// No flag for the token: it would stay in the shell's history and in the list of processes.
const pullExamples = `
The folder of pulled models is $PROVABLY_CACHE/models, else provably/models in the user's cache folder: ~/.cache ($XDG_CACHE_HOME),
~/Library/Caches on macOS, %LOCALAPPDATA% on Windows. Other commands find models there: --model owner/name.
For gated and private models, HF_TOKEN holds an access token.

Examples:
  $ provably pull HuggingFaceTB/SmolLM2-135M-Instruct
  $ provably pull bartowski/SmolLM2-135M-Instruct-GGUF:Q4_K_M --to models`;
