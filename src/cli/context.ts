// What a command gets of the world outside: injected by main.ts, so that commands can be run and tested without a process.

import pc from 'picocolors';

export interface TextOutput {
  write(text: string): unknown;
  /** True when a person is looking: bars and colours are allowed. */
  isTTY?: boolean;
  /** Characters in a line. */
  columns?: number;
}

export interface CliContext {
  /** Results. */
  stdout: TextOutput;
  /** Progress and errors. */
  stderr: TextOutput;
  env: Readonly<Record<string, string | undefined>>;
  /** Aborted by Ctrl-C. */
  signal: AbortSignal;
  /** Version of this package. */
  version: string;
  /** What runs it, for `info`: "24.21.0" and "linux x64". */
  runtime: { node: string; platform: string };
}

export type Colors = ReturnType<typeof pc.createColors>;

/** Colours for `output`, or none: NO_COLOR wins, then FORCE_COLOR, then whether it is a terminal. */
export function colorsFor(output: TextOutput, env: CliContext['env']): Colors {
  if (env.NO_COLOR) return pc.createColors(false);
  const forced = env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== '0';
  return pc.createColors(forced || (output.isTTY === true && env.TERM !== 'dumb'));
}
