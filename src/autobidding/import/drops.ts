// Rows that are left out, counted by reason.

/** Why rows were left out of a market. */
export interface DroppedRows {
  readonly reason: string;
  readonly count: number;
  /** The first of them, counted from 0, with what was wrong. */
  readonly examples: readonly { readonly row: number; readonly found: string }[];
}

const EXAMPLES = 3;

/** Counts rows by reason and keeps the first examples of each. */
export class DropCounter {
  private readonly reasons = new Map<string, { count: number; examples: { row: number; found: string }[] }>();

  add(reason: string, row: number, found: string): void {
    const entry = this.reasons.get(reason) ?? { count: 0, examples: [] };
    if (entry.count++ < EXAMPLES) entry.examples.push({ row, found });
    this.reasons.set(reason, entry);
  }

  report(): DroppedRows[] {
    return [...this.reasons].map(([reason, { count, examples }]) => ({ reason, count, examples }));
  }
}
