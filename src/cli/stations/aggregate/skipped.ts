// An experiment whose table is not there says so, and how to get it, instead of failing the others.

import { MissingDependencyError } from '../../../core/errors.ts';
import type { ExperimentResult } from '../station.ts';

/** What `run` gives, or a section with the reason when a table is missing. */
export async function skippedWithout(
  table: string,
  run: () => Promise<ExperimentResult>,
): Promise<ExperimentResult> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof MissingDependencyError)) throw error;
    return {
      value: { skipped: error.message },
      figures: { skipped: 1 },
      section: {
        title: `${table}: skipped`,
        question: 'Is the table there?',
        answer: `Skipped: ${error.message}`,
        input: 'none',
        figures: [],
        charts: [],
        tables: [],
        certificates: [],
      },
    };
  }
}
