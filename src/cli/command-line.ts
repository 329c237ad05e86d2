// The command line that repeats a run.

export interface CommandLineOptions {
  /** What follows the command itself. */
  operands?: readonly string[];
  /** Options that have nothing to do with the result. */
  leaveOut?: readonly string[];
  /** Values that need not be said. */
  defaults?: Readonly<Record<string, unknown>>;
}

/** The command line with every option that is not as by default; quoted for a shell. @param command - "select", "aggregate fit" */
export function commandLine(
  command: string,
  flags: object,
  { operands = [], leaveOut = [], defaults = {} }: CommandLineOptions = {},
): string {
  const words = ['provably', ...command.split(' '), ...operands];
  for (const [name, value] of Object.entries(flags)) {
    const standard = value === undefined || value === false || defaults[name] === value;
    if (standard || leaveOut.includes(name)) continue;
    words.push(`--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`);
    if (value !== true) words.push(String(value));
  }
  return words
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`))
    .join(' ');
}
