// Work in batches, results on the beat: who waits learns how many beats his answer took, and nothing finer.

/** A batch that was worked on: what settles its promises. */
export type Settle = () => void;

/** Time, as the cadence sees it. */
export interface BeatClock {
  /** Milliseconds, from any origin. */
  now(): number;
  /** Calls back after at most about `milliseconds`, possibly much sooner: whoever is called looks at the time again. */
  wake(milliseconds: number, call: () => void): void;
}

export interface CadenceOptions<Job> {
  /** Milliseconds between beats, > 0. */
  period: number;
  /** Does a batch; must not throw. @returns what tells its results */
  work(jobs: Job[]): Settle;
  /** Size of a job; a batch ends before its weight passes `maxWeight`, but holds at least one job. */
  weight(job: Job): number;
  maxWeight: number;
  /** Default: the machine's. */
  clock?: BeatClock | undefined;
}

/**
 * Takes jobs as they come, works on all that wait at each beat, and settles them at the next beat after the work is done.
 *
 * Beats lie a fixed time apart from the first on. Jobs of one beat share one batch (one commit). Nothing runs while nothing waits.
 */
export class Cadence<Job> {
  private readonly options: CadenceOptions<Job>;
  private readonly clock: BeatClock;
  private readonly start: number;
  private waiting: Job[] = [];
  private settle: Settle | undefined;
  private scheduled = false;
  private onIdle: (() => void)[] = [];

  constructor(options: CadenceOptions<Job>) {
    this.options = options;
    this.clock = options.clock ?? machineClock;
    this.start = this.clock.now();
  }

  add(job: Job): void {
    this.waiting.push(job);
    this.schedule();
  }

  /** Resolves when nothing waits any more. */
  idle(): Promise<void> {
    if (!this.scheduled) return Promise.resolve();
    return new Promise((resolve) => this.onIdle.push(resolve));
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    const { period } = this.options;
    const passed = this.clock.now() - this.start;
    this.awaitBeat(this.start + (Math.floor(passed / period) + 1) * period);
  }

  private awaitBeat(beat: number): void {
    const left = beat - this.clock.now();
    if (left <= 0) this.beat();
    else this.clock.wake(left, () => this.awaitBeat(beat));
  }

  private beat(): void {
    this.scheduled = false;
    this.settle?.();
    this.settle = this.waiting.length > 0 ? this.options.work(this.takeBatch()) : undefined;
    if (this.settle || this.waiting.length > 0) {
      this.schedule();
      return;
    }
    for (const resolve of this.onIdle.splice(0)) resolve();
  }

  private takeBatch(): Job[] {
    const { weight, maxWeight } = this.options;
    let total = 0;
    let count = 0;
    while (count < this.waiting.length) {
      total += weight(this.waiting[count]);
      if (count > 0 && total > maxWeight) break;
      count++;
    }
    return this.waiting.splice(0, count);
  }
}

/** Timers know whole milliseconds of a clock of their own: the rest is waited for turn by turn, so that no answer tells when its work was done. */
const machineClock: BeatClock = {
  now: () => performance.now(),
  wake(milliseconds, call) {
    if (milliseconds >= 2) setTimeout(call, Math.floor(milliseconds) - 1);
    else setImmediate(call);
  },
};
