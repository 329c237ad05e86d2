// What commands print: tables, certificates and JSON.

import { type Certificate, formatCertificate, shortNumber } from '../core/certificate.ts';
import { type CliContext, colorsFor } from './context.ts';

export interface TextColumn {
  title: string;
  /** Numbers stand right. Default 'left'. */
  align?: 'left' | 'right';
}

/** Columns padded to their widest cell, two spaces between, titles dimmed on a terminal. */
export function formatTable(
  columns: readonly TextColumn[],
  rows: readonly (readonly (string | number)[])[],
  dim: (text: string) => string = (text) => text,
): string {
  const text = rows.map((row) => row.map((cell) => (typeof cell === 'number' ? shortNumber(cell) : cell)));
  const widths = columns.map(({ title }, j) =>
    Math.max(displayWidth(title), ...text.map((row) => displayWidth(row[j]))),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, j) => {
        const space = ' '.repeat(widths[j] - displayWidth(cell));
        return columns[j].align === 'right' ? space + cell : cell + space;
      })
      .join('  ')
      .trimEnd();
  return `${[dim(line(columns.map(({ title }) => title))), ...text.map(line)].join('\n')}\n`;
}

/** Prints a table on standard output. */
export function printTable(
  { stdout, env }: CliContext,
  columns: readonly TextColumn[],
  rows: readonly (readonly (string | number)[])[],
): void {
  stdout.write(formatTable(columns, rows, colorsFor(stdout, env).dim));
}

/** Prints `name  value` lines, names dimmed and padded. */
export function printFields(
  { stdout, env }: CliContext,
  fields: readonly (readonly [string, string | number])[],
): void {
  const { dim } = colorsFor(stdout, env);
  const width = Math.max(...fields.map(([name]) => displayWidth(name)));
  for (const [name, value] of fields) {
    const text = typeof value === 'number' ? shortNumber(value) : value;
    stdout.write(`${dim(name.padEnd(width))}  ${text}\n`);
  }
}

/** Prints a certificate: its two lines, then its warnings. */
export function printCertificate({ stdout, env }: CliContext, certificate: Certificate): void {
  const { bold, yellow, red } = colorsFor(stdout, env);
  const broken =
    certificate.audit?.kept === false || certificate.assumptions.some((a) => a.status === 'violated');
  const title = broken ? red('certificate') : bold('certificate');
  stdout.write(`${title} ${formatCertificate(certificate)}\n`);
  for (const { statement, measure, measured } of certificate.assumptions.filter(
    (a) => a.status === 'violated',
  )) {
    const figure =
      measured === undefined ? '' : ` (${measure ? `${measure}: ` : ''}${shortNumber(measured)})`;
    stdout.write(`  ${red('violated')} ${statement}${figure}\n`);
  }
  for (const warning of certificate.warnings) stdout.write(`  ${yellow('warning')} ${warning}\n`);
}

/** Prints one JSON object on one line. */
export function printJson({ stdout }: CliContext, value: object): void {
  stdout.write(`${toJson(value)}\n`);
}

/** JSON text: typed arrays become lists; NaN and infinities, which JSON has not, become null. */
export function toJson(value: unknown, space?: number): string {
  const replacer = (_key: string, item: unknown): unknown =>
    ArrayBuffer.isView(item) && !(item instanceof DataView) ? Array.from(item as Float64Array) : item;
  return JSON.stringify(value, replacer, space);
}

/** Characters a text takes in a terminal; colour codes take none. */
function displayWidth(text: string): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character starts a colour code
  return [...text.replace(/\u001b\[[0-9;]*m/g, '')].length;
}
