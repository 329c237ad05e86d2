// The log: JSON, one line a request, never with what was said.

import type { RequestLife } from './request-life.ts';

const whole = (milliseconds: number) => Math.round(milliseconds * 10) / 10;

/** @param log - takes a line with its end */
export function writeReport(log: (line: string) => void, { report, failure }: RequestLife): void {
  const { milliseconds, firstToken, ...rest } = report;
  writeLine(log, report.status >= 500 ? 'error' : 'info', 'request', {
    ...rest,
    milliseconds: whole(milliseconds),
    ...(firstToken === undefined ? {} : { firstToken: whole(firstToken) }),
    ...(failure === undefined ? {} : { stack: stackOf(failure) }),
  });
}

export function writeLine(
  log: (line: string) => void,
  level: 'info' | 'warn' | 'error',
  event: string,
  fields: object,
): void {
  const time = new Date(performance.timeOrigin + performance.now()).toISOString();
  log(`${JSON.stringify({ time, level, event, ...fields })}\n`);
}

/** Where it happened; not the message, which may quote the request. */
function stackOf(failure: unknown): string {
  if (!(failure instanceof Error)) return typeof failure;
  const frames = (failure.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  return [failure.name, ...frames.slice(0, 8).map((line) => line.trim())].join(' | ');
}
