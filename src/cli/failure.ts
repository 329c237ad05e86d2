// How a command fails: what is said on standard error, and the exit code.

import { CommanderError } from 'commander';
import { ProvablyError } from '../core/errors.ts';
import { type CliContext, colorsFor } from './context.ts';

export const exitCodes = { ok: 0, failed: 1, usage: 2, interrupted: 130 } as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Options that do not fit each other, or a command that needs more of them: said like a parse error. */
export class UsageError extends Error {
  override name = 'UsageError';
}

/** Ctrl-C where something is left behind on purpose: the message says what. */
export class InterruptedError extends Error {
  override name = 'InterruptedError';
}

const issues = 'the issue page of the project';

/**
 * Says what went wrong and returns the exit code.
 *
 * A user's mistake is one line. Anything else is our mistake: its message, and how to report it; the stack is shown
 * with PROVABLY_DEBUG=1.
 *
 * @param json - print one JSON object instead of text
 */
export function reportFailure(error: unknown, context: CliContext, json: boolean): ExitCode {
  const { stderr, env, signal } = context;
  if (error instanceof CommanderError && error.exitCode === 0) return exitCodes.ok; // --help, --version
  if (signal.aborted) {
    const kept = error instanceof InterruptedError ? error.message : 'interrupted; no partial file is left.';
    say(context, json, 'INTERRUPTED', kept);
    return exitCodes.interrupted;
  }
  const debug = env.PROVABLY_DEBUG === '1';
  if (debug && error instanceof Error) stderr.write(`${error.stack}\n`);
  if (error instanceof CommanderError && error.code === 'commander.help') return exitCodes.usage; // a group alone: its help is said
  if (error instanceof CommanderError || error instanceof UsageError) {
    say(context, json, 'USAGE', error.message.replace(/^error: /, ''));
    return exitCodes.usage;
  }
  if (error instanceof ProvablyError) {
    say(context, json, error.code, error.message);
    return exitCodes.failed;
  }
  const message = error instanceof Error ? error.message : String(error);
  const how = debug ? '' : ' Run again with PROVABLY_DEBUG=1 for details,';
  say(
    context,
    json,
    'UNEXPECTED',
    `${message}\nThis is a fault of provably, not of your input.${how} and please report it on ${issues}.`,
  );
  return exitCodes.failed;
}

function say({ stderr, env }: CliContext, json: boolean, code: string, message: string): void {
  if (json) stderr.write(`${JSON.stringify({ error: { code, message } })}\n`);
  else stderr.write(`${colorsFor(stderr, env).red('provably:')} ${message}\n`);
}
