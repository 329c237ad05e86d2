// A shaded text in a terminal: bold and dim, or marks below each line where there are no colours.

import { SHADES, type ShadedText, shadeOf } from '../report/index.ts';
import { type CliContext, colorsFor, type TextOutput } from './context.ts';

/** Below a letter, by shade: no head keeps it, … all do. */
const MARKS = [' ', '.', '-', '='];

/** Lines no longer than the terminal's, 100 characters at most. */
export function formatShadedText(
  { title, pieces, legend: [all, none] }: ShadedText,
  output: TextOutput,
  env: CliContext['env'],
): string {
  const colors = colorsFor(output, env);
  const { dim, bold, isColorSupported } = colors;
  const width = Math.max(20, Math.min(100, output.columns ?? 100));
  const styles = [dim, dim, (text: string) => text, bold];
  const lines = wrap(pieces, width).map((letters) => {
    if (isColorSupported) return runsOf(letters, (text, shade) => styles[shade](text));
    const text = runsOf(letters, (own) => own);
    const marks = letters.map(({ shade }) => MARKS[shade]).join('');
    return `${text}\n${marks}`.trimEnd();
  });
  const key = isColorSupported
    ? `${bold('bold')}: ${all} · ${dim('dim')}: few or none (${none})`
    : `${MARKS[SHADES - 1]} ${all}, ${MARKS[2]} and ${MARKS[1]} some; unmarked: ${none}`;
  return `${dim(title)}\n${lines.join('\n')}\n${dim(key)}\n`;
}

interface Letter {
  text: string;
  shade: number;
}

/** Letters in lines, broken at spaces where there are some. */
function wrap(pieces: ShadedText['pieces'], width: number): Letter[][] {
  const lines: Letter[][] = [[]];
  const letters = pieces.flatMap(({ text, share }) =>
    [...text].map((letter) => ({ text: letter, shade: shadeOf(share) })),
  );
  for (const letter of letters) {
    let line = lines[lines.length - 1];
    if (letter.text === '\n') {
      if (line.length > 0) lines.push([]);
      continue;
    }
    if (line.length === width) {
      const space = line.findLastIndex(({ text }) => text === ' ');
      const rest = space < width / 2 ? [] : line.splice(space + 1);
      lines.push(rest);
      line = rest;
    }
    line.push(letter);
  }
  return lines.filter((line) => line.length > 0);
}

function runsOf(letters: readonly Letter[], show: (text: string, shade: number) => string): string {
  let shown = '';
  for (let from = 0; from < letters.length; ) {
    let to = from;
    let text = '';
    while (to < letters.length && letters[to].shade === letters[from].shade) text += letters[to++].text;
    shown += show(text, letters[from].shade);
    from = to;
  }
  return shown;
}
