// `provably model`: what a model file holds, and whether the engine can run it; only headers are read.

import { Command } from 'commander';
import type { CliContext } from '../context.ts';

export interface ModelFlags {
  tensors: boolean;
  json: boolean;
}

export function modelCommand(context: CliContext): Command {
  return new Command('model')
    .description(
      'show architecture, sizes, formats and cache bytes of a language model, and whether it can run',
    )
    .argument(
      '<path>',
      'a .gguf file, a folder with config.json and model.safetensors or its shards, or owner/name that was pulled',
    )
    .option('--tensors', 'list every tensor too', false)
    .option('--json', 'print one JSON object instead of text', false)
    .addHelpText('after', '\nExample:\n  $ provably model SmolLM2-135M-Instruct.Q4_1.gguf')
    .action(async (path: string, flags: ModelFlags) => {
      // Loaded when needed: --help and mistakes should not wait for it.
      const { runModel } = await import('../llm/model.ts');
      await runModel(path, flags, context);
    });
}
