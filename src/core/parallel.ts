// A pool of workers that run exported functions of a module: threads in Node, Web Workers in browsers.

import { requireInteger } from './check.ts';
import { WorkerError } from './errors.ts';
import { decodeError, type ResultMessage } from './worker-protocol.ts';
import { startWorkerThread, type WorkerFactory, type WorkerThread } from './worker-thread.ts';

export type { WorkerFactory } from './worker-thread.ts';

export interface WorkerPoolOptions {
  /** Workers at most, ≥ 1; each starts when first needed. Default: `defaultPoolSize()`. */
  size?: number;
}

export interface RunJobOptions {
  /** Takes the job out of the queue, or ends the worker that runs it; `run` then rejects with `signal.reason`. */
  signal?: AbortSignal | undefined;
  /** Buffers in `args` to be moved instead of copied; they are empty here afterwards. Default: none. */
  transfer?: Transferable[] | undefined;
}

export interface WorkerPool extends AsyncDisposable {
  /** Workers at most. */
  readonly size: number;
  /**
   * Calls an exported function in a worker.
   *
   * @param exportName - name of the function in the module
   * @param args - its arguments, copied by structured clone (shared memory is shared)
   * @returns what it returns or resolves to. Typed arrays that fill their buffer are moved, not copied: a task keeps none it returns
   * @throws the error of the function, with its message, code and stack; `signal.reason`; or
   *   {WorkerError} the worker died, or the pool is closed
   */
  run<T>(exportName: string, args: readonly unknown[], options?: RunJobOptions): Promise<T>;
}

interface Job {
  exportName: string;
  args: readonly unknown[];
  transfer: Transferable[];
  resolve(value: unknown): void;
  reject(reason: unknown): void;
}

interface Slot {
  thread: WorkerThread;
  job: Job | undefined;
}

/**
 * Makes a pool of workers. Nothing starts before the first job; idle workers do not keep the process alive.
 *
 * A worker that dies takes down its own job only, and the next job starts another.
 *
 * @param tasks - URL of the module whose exports are run (`new URL('./tasks.ts', import.meta.url)`), or a function that makes
 *   a Web Worker whose module calls `serveTasks`: the form that bundlers understand
 * @throws {InvalidArgumentError} `size` is not an integer ≥ 1
 */
export function createWorkerPool(
  tasks: URL | WorkerFactory,
  { size = defaultPoolSize() }: WorkerPoolOptions = {},
): WorkerPool {
  requireInteger('createWorkerPool: size', size, 1);
  return new Pool(tasks, size);
}

/** Threads to use: PROVABLY_THREADS when it is an integer ≥ 1, else what the machine offers this process. */
export function defaultPoolSize(): number {
  const forced = Number(globalThis.process?.env?.PROVABLY_THREADS);
  if (Number.isInteger(forced) && forced >= 1) return forced;
  return globalThis.navigator?.hardwareConcurrency || 1;
}

class Pool implements WorkerPool {
  readonly size: number;
  private readonly module: string | undefined;
  private readonly factory: WorkerFactory | undefined;
  private readonly slots = new Set<Slot>();
  private readonly queue = new Set<Job>(); // in order of arrival
  private nextId = 0;
  private closed = false;

  constructor(tasks: URL | WorkerFactory, size: number) {
    this.size = size;
    this.module = tasks instanceof URL ? tasks.href : undefined;
    this.factory = tasks instanceof URL ? undefined : tasks;
  }

  run<T>(
    exportName: string,
    args: readonly unknown[],
    { signal, transfer = [] }: RunJobOptions = {},
  ): Promise<T> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.closed) return Promise.reject(closedError(exportName));
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const job: Job = { exportName, args, transfer, resolve: resolve as Job['resolve'], reject };
    const abort = () => this.cancel(job, signal?.reason);
    signal?.addEventListener('abort', abort, { once: true });
    this.queue.add(job);
    this.dispatch();
    return promise.finally(() => signal?.removeEventListener('abort', abort));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.closed = true;
    const slots = [...this.slots];
    this.slots.clear();
    for (const job of [...this.queue, ...slots.map(({ job }) => job)]) {
      job?.reject(closedError(job.exportName));
    }
    this.queue.clear();
    await Promise.all(slots.map(({ thread }) => thread.terminate()));
  }

  /** Hands waiting jobs to idle workers, starting workers while there are fewer than `size`. */
  private dispatch(): void {
    for (const job of this.queue) {
      const slot = this.idleSlot(job);
      if (slot === 'none') return;
      this.queue.delete(job);
      if (slot) this.start(slot, job);
    }
  }

  /** An idle worker; 'none' when all are busy; undefined when none can start, which rejects the job. */
  private idleSlot(job: Job): Slot | 'none' | undefined {
    for (const slot of this.slots) if (!slot.job) return slot;
    if (this.slots.size >= this.size) return 'none';
    try {
      const slot: Slot = {
        job: undefined,
        thread: startWorkerThread(this.factory, {
          onResult: (message) => this.finish(slot, message),
          onDeath: (why, cause) => this.bury(slot, why, cause),
        }),
      };
      this.slots.add(slot);
      return slot;
    } catch (error) {
      job.reject(error);
      return undefined;
    }
  }

  private start(slot: Slot, job: Job): void {
    const { exportName, args, transfer } = job;
    try {
      slot.thread.post({ id: this.nextId++, module: this.module, exportName, args }, transfer);
    } catch (error) {
      job.reject(error); // an argument that cannot be cloned; the worker has seen nothing
      return;
    }
    slot.job = job;
    slot.thread.setBusy(true);
  }

  private finish(slot: Slot, message: ResultMessage): void {
    const { job } = slot;
    slot.job = undefined;
    slot.thread.setBusy(false);
    if ('error' in message) job?.reject(decodeError(message.error));
    else job?.resolve(message.value);
    this.dispatch();
  }

  private bury(slot: Slot, why: string, cause: unknown): void {
    this.slots.delete(slot);
    slot.job?.reject(
      new WorkerError(`WorkerPool.run: the worker died during "${slot.job.exportName}" (${why}).`, { cause }),
    );
    this.dispatch();
  }

  private cancel(job: Job, reason: unknown): void {
    job.reject(reason);
    if (this.queue.delete(job)) return;
    for (const slot of this.slots) {
      if (slot.job !== job) continue;
      // JavaScript that runs cannot be interrupted: its worker is ended, and replaced when the next job comes.
      this.slots.delete(slot);
      void slot.thread.terminate();
    }
    this.dispatch();
  }
}

function closedError(exportName: string): WorkerError {
  return new WorkerError(`WorkerPool.run: the pool is closed; "${exportName}" has no result.`);
}
