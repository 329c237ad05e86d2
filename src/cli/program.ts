// The command tree, and one run of it.

import { Command } from 'commander';
import { aggregateCommand } from './commands/aggregate.ts';
import { apiKeyCommand } from './commands/api-key.ts';
import { attentionCommand } from './commands/attention.ts';
import { autobidCommand } from './commands/autobid.ts';
import { cacheCommand } from './commands/cache.ts';
import { chatCommand } from './commands/chat.ts';
import { clusterCommand } from './commands/cluster.ts';
import { embedCommand } from './commands/embed.ts';
import { generateCommand } from './commands/generate.ts';
import { infoCommand } from './commands/info.ts';
import { longevalCommand } from './commands/longeval.ts';
import { modelCommand } from './commands/model.ts';
import { perplexityCommand } from './commands/perplexity.ts';
import { pullCommand } from './commands/pull.ts';
import { reproduceCommand } from './commands/reproduce.ts';
import { selectCommand } from './commands/select.ts';
import { serveCommand } from './commands/serve.ts';
import { tourCommand } from './commands/tour.ts';
import type { CliContext } from './context.ts';
import { type ExitCode, exitCodes, reportFailure } from './failure.ts';

/** Every command, in the order of `--help`. To add one: write `commands/<name>.ts` and name it here. */
const commands = [
  tourCommand,
  attentionCommand,
  cacheCommand,
  selectCommand,
  clusterCommand,
  aggregateCommand,
  autobidCommand,
  chatCommand,
  generateCommand,
  embedCommand,
  longevalCommand,
  modelCommand,
  pullCommand,
  perplexityCommand,
  serveCommand,
  apiKeyCommand,
  reproduceCommand,
  infoCommand,
];

/**
 * Runs one command line.
 *
 * @param words - what follows the program's name
 * @returns the exit code: 0 ok, 1 failed, 2 bad usage, 130 interrupted
 */
export async function run(words: readonly string[], context: CliContext): Promise<ExitCode> {
  const json = words.includes('--json');
  const program = createProgram(context);
  if (words.length === 0) {
    program.outputHelp({ error: true });
    return exitCodes.usage;
  }
  try {
    await program.parseAsync(words, { from: 'user' });
    return exitCodes.ok;
  } catch (error) {
    return reportFailure(error, context, json);
  }
}

function createProgram(context: CliContext): Command {
  const { stdout, stderr, version } = context;
  const program = new Command('provably')
    .description('Approximate AI you can check: every approximate answer carries a certificate.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .addHelpText('after', examples);
  for (const create of commands) program.addCommand(create(context));
  for (const command of [program, ...program.commands.flatMap((one) => [one, ...one.commands])]) {
    command.exitOverride().configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      outputError: () => {}, // said once, by reportFailure
    });
  }
  return program;
}

const examples = `
Examples:
  $ provably tour
  $ provably select embeddings.parquet --column embedding --losses loss --size 1% --out picked.parquet
  $ provably cluster vectors.npy --k 100 --out labels.parquet

Every command takes --json. Exit codes: 0 ok, 1 failed, 2 bad usage, 130 interrupted.
PROVABLY_KERNELS=native|wasm|ts, PROVABLY_SIMD and PROVABLY_THREADS force a choice of kernels; "provably info" shows it.`;
