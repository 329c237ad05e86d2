// Progress on standard error: a bar for a person, one line a phase for a log, nothing in the first second.

import { Presets, SingleBar } from 'cli-progress';
import type { Progress } from '../core/progress.ts';
import type { CliContext } from './context.ts';

export interface ProgressDisplay extends Disposable {
  /** To be handed to the library as `onProgress`. */
  report: (progress: Progress) => void;
  /** Takes the bar away, until the next report: something else is to be written. */
  clear: () => void;
}

export interface ProgressOptions {
  /** Say nothing at all. Default false. */
  quiet?: boolean;
  /** Milliseconds of silence before the first sign. Default 1000. */
  delay?: number;
  /** What a bar says of a phase beside its share, as "12 MB of 90 MB". Default: nothing. */
  describe?: (progress: Progress) => string;
}

/** Shows progress until disposed: `using progress = showProgress(context)`. */
export function showProgress(
  { stderr }: CliContext,
  { quiet = false, delay = 1000, describe }: ProgressOptions = {},
): ProgressDisplay {
  const start = performance.now();
  let phase = '';
  let bar: SingleBar | undefined;
  let stopped = false;
  let lastDrawn = Number.NEGATIVE_INFINITY;

  function report(progress: Progress): void {
    const { phase: next, done, total } = progress;
    const now = performance.now();
    if (stopped || quiet || now - start < delay) return;
    if (!stderr.isTTY) {
      if (next !== phase) stderr.write(`${next} …\n`);
      phase = next;
      return;
    }
    bar ??= startBar(stderr as NodeJS.WritableStream);
    // A bar redrawn for each of a million reports would be the slowest part of the run.
    if (next === phase && now - lastDrawn < 80 && done < total) return;
    phase = next;
    lastDrawn = now;
    bar.setTotal(Math.max(1, total));
    bar.update(Math.min(done, total), { phase: describe ? `${phase}  ${describe(progress)}` : phase });
  }

  return {
    report,
    clear() {
      bar?.stop();
      bar = undefined;
    },
    [Symbol.dispose]() {
      stopped = true; // a late report must not start the bar again: its timer would keep the process alive
      bar?.stop();
    },
  };
}

function startBar(stream: NodeJS.WritableStream): SingleBar {
  const format = '{bar} {percentage} %  {phase}  {duration_formatted}';
  const options = {
    stream,
    format,
    clearOnComplete: true,
    hideCursor: true,
    barsize: 28,
    gracefulExit: false,
  };
  const bar = new SingleBar(options, Presets.shades_classic);
  bar.start(1, 0, { phase: '' });
  return bar;
}
