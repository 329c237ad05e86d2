// Work in batches, results on the beat: who waits learns how many beats his answer took, and nothing finer.

/** A batch that was worked on: what settles its promises. */
export type Settle = () => void;

/**
 * Takes jobs as they come, works on all that wait at each beat, and settles them at the next beat after the work is done.
 *
 * Beats lie a fixed time apart from the first on. Jobs of one beat share one batch (one commit). Nothing runs while nothing waits.
 */
export class Cadence<Job> {
  private readonly period: number;
  private readonly work: (jobs: Job[]) => Settle;
  private readonly weight: (job: Job) => number;
  private readonly maxWeight: number;
  private readonly start = performance.now();
  private waiting: Job[] = [];
  private settle: Settle | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private onIdle: (() => void)[] = [];

  /**
   * @param period - milliseconds between beats, > 0
   * @param work - does a batch; must not throw
   * @param weight - size of a job; a batch ends before its weight passes `maxWeight`, but holds at least one job
   */
  constructor(
    period: number,
    work: (jobs: Job[]) => Settle,
    weight: (job: Job) => number,
    maxWeight: number,
  ) {
    this.period = period;
    this.work = work;
    this.weight = weight;
    this.maxWeight = maxWeight;
  }

  add(job: Job): void {
    this.waiting.push(job);
    this.schedule();
  }

  /** Resolves when nothing waits any more. */
  idle(): Promise<void> {
    if (this.timer === undefined) return Promise.resolve();
    return new Promise((resolve) => this.onIdle.push(resolve));
  }

  private schedule(): void {
    if (this.timer !== undefined) return;
    const sinceBeat = (performance.now() - this.start) % this.period;
    this.timer = setTimeout(() => this.beat(), this.period - sinceBeat);
  }

  private beat(): void {
    this.timer = undefined;
    this.settle?.();
    this.settle = this.waiting.length > 0 ? this.work(this.takeBatch()) : undefined;
    if (this.settle || this.waiting.length > 0) {
      this.schedule();
      return;
    }
    for (const resolve of this.onIdle.splice(0)) resolve();
  }

  private takeBatch(): Job[] {
    let weight = 0;
    let count = 0;
    while (count < this.waiting.length) {
      weight += this.weight(this.waiting[count]);
      if (count > 0 && weight > this.maxWeight) break;
      count++;
    }
    return this.waiting.splice(0, count);
  }
}
