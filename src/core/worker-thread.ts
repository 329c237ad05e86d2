// One worker behind one interface: a thread of Node or a Web Worker of a browser.

import { UnsupportedError } from './errors.ts';
import type { JobMessage, ResultMessage } from './worker-protocol.ts';

/** What a pool needs of a worker. */
export interface WorkerThread {
  post(job: JobMessage, transfer: Transferable[]): void;
  /** While busy, a Node worker keeps the process alive; idle, it does not. */
  setBusy(busy: boolean): void;
  terminate(): Promise<void>;
}

export interface WorkerEvents {
  onResult(message: ResultMessage): void;
  /** The worker is gone, or unusable. Called at most once, and not after `terminate`. */
  onDeath(why: string, cause?: unknown): void;
}

/** Makes the worker that serves a pool; its module calls `serveTasks`. */
export type WorkerFactory = () => Worker;

/** Starts a worker: by the factory, else the entry beside this file, which imports what a job names. */
export function startWorkerThread(factory: WorkerFactory | undefined, events: WorkerEvents): WorkerThread {
  if (factory) return browserThread(factory(), events);
  // Run from source this file ends in .ts, built in .js; no bundler can rename it without being handed a factory.
  const entry = new URL(`./worker-entry${import.meta.url.slice(-3)}`, import.meta.url);
  const threads = globalThis.process?.getBuiltinModule?.('node:worker_threads');
  if (threads) return nodeThread(threads, entry, events);
  if (typeof Worker === 'undefined') {
    throw new UnsupportedError('createWorkerPool: this platform has neither worker threads nor Web Workers.');
  }
  return browserThread(new Worker(entry, { type: 'module' }), events);
}

function nodeThread(
  threads: typeof import('node:worker_threads'),
  entry: URL,
  { onResult, onDeath }: WorkerEvents,
): WorkerThread {
  // A worker inherits the flags of its process, but refuses --input-type (of `node -e`), which is about that text only.
  const inherits = !process.execArgv.some((flag) => flag.startsWith('--input-type'));
  const worker = new threads.Worker(entry, inherits ? {} : { execArgv: [] });
  let cause: unknown;
  worker.on('message', onResult);
  worker.on('error', (error) => {
    cause = error; // 'exit' follows
  });
  worker.on('exit', (code) => {
    const reason = cause instanceof Error ? cause.message : `exit code ${code}`;
    onDeath(reason, cause);
  });
  worker.unref();
  return {
    post: (job, transfer) =>
      worker.postMessage(job, transfer as Parameters<typeof worker.postMessage>[1] & object[]),
    setBusy: (busy) => (busy ? worker.ref() : worker.unref()),
    async terminate() {
      worker.removeAllListeners();
      worker.on('error', () => {}); // one that fails while it is being ended must not end the process
      await worker.terminate();
    },
  };
}

function browserThread(worker: Worker, { onResult, onDeath }: WorkerEvents): WorkerThread {
  let ended = false;
  const die = (why: string) => {
    if (ended) return;
    ended = true;
    worker.terminate();
    onDeath(why);
  };
  worker.onmessage = ({ data }: MessageEvent<ResultMessage>) => onResult(data);
  worker.onmessageerror = () => die('its message could not be read');
  worker.onerror = (event) => die(event.message || 'its script did not load');
  return {
    post: (job, transfer) => worker.postMessage(job, transfer),
    setBusy() {},
    async terminate() {
      ended = true;
      worker.terminate();
    },
  };
}
