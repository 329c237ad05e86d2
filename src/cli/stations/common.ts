// What the selection experiments show alike: verdicts, means with their spread, and progress of the runs.

import { shortNumber } from '../../core/certificate.ts';
import type { Bar, Table } from '../../report/index.ts';
import type { Measured, ProtocolReport, Verdict } from '../../reproduce/protocol.ts';
import type { ExperimentOptions, Figures } from './station.ts';

/** "69.9 ± 0.7": mean and standard error. */
export function plusMinus({ mean, standardError }: Measured): string {
  return `${mean.toFixed(1)} ± ${standardError.toFixed(1)}`;
}

/** A bar a name, whiskers two standard errors to either side. */
export function measuredBars(measured: Readonly<Record<string, Measured>>, emphasis: string): Bar[] {
  return Object.entries(measured)
    .toSorted(([, a], [, b]) => b.mean - a.mean)
    .map(([label, { mean, standardError }]) => ({
      ...{ label, value: mean, emphasis: label === emphasis },
      ...{ low: mean - 2 * standardError, high: mean + 2 * standardError },
    }));
}

/** Each claim, what was measured and whether it is what was expected. */
export function verdictTable(verdicts: readonly Verdict[]): { caption: string; table: Table } {
  const rows = verdicts.map(({ claim, measured, unit, required, passed }) => [
    ...[claim, `${shortNumber(measured)} ${unit}`, required],
    passed ? '✓ shown' : '✗ not shown',
  ]);
  return {
    caption: 'What was to show',
    table: { columns: ['claim', 'measured', 'required', 'verdict'], rows },
  };
}

/** "3 of 3 expected findings show." */
export function verdictSentence(verdicts: readonly Verdict[]): string {
  const shown = verdicts.filter(({ passed }) => passed).length;
  return `${shown} of ${verdicts.length} expected findings show.`;
}

/** Verdicts as figures, by their place: 1 shown, 0 not. */
export function verdictFigures(verdicts: readonly Verdict[]): Figures {
  return { claims: verdicts.length, claimsShown: verdicts.filter(({ passed }) => passed).length };
}

/** The setting of a protocol in one line: "pool 20000, k 200, seeds 0, 1, 2". */
export function settingLine({ setting }: ProtocolReport<unknown>): string {
  return Object.entries(setting)
    .map(([name, value]) => `${spaced(name)} ${Array.isArray(value) ? value.join(', ') : value}`)
    .join(' · ');
}

/** Seeds of `count` runs from the seed of the experiment on; neighbouring experiments share no run. */
export function runSeeds({ seed }: ExperimentOptions, count: number): number[] {
  return Array.from({ length: count }, (_, i) => (seed * 1000 + i) >>> 0);
}

/** Options of a protocol that come from the runner. */
export function runOptions({
  signal,
  onProgress,
}: ExperimentOptions): Pick<ExperimentOptions, 'signal' | 'onProgress'> {
  return { signal, onProgress };
}

function spaced(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
