// The worker's side of a pool: takes jobs one by one, calls the function, sends back its result or its error.

import { InvalidArgumentError } from './errors.ts';
import { encodeError, type JobMessage, type ResultMessage, transferableBuffers } from './worker-protocol.ts';

/** The functions a worker offers by name. */
export type WorkerTasks = Readonly<Record<string, unknown>>;

interface Port {
  postMessage(message: ResultMessage, transfer: ArrayBuffer[]): void;
  listen(handler: (job: JobMessage) => void): void;
}

/**
 * Answers the jobs of a pool inside a worker.
 *
 * @param tasks - functions by name. Default: each job's module, imported when first named. A bundler does not see such an import, so
 *   a bundled worker passes its tasks: `import * as tasks from './tasks.ts'; serveTasks(tasks)`
 */
export function serveTasks(tasks?: WorkerTasks): void {
  const port = openPort();
  port.listen((job) => void answer(port, job, tasks));
}

async function answer(port: Port, job: JobMessage, tasks: WorkerTasks | undefined): Promise<void> {
  const { id, module, exportName, args } = job;
  try {
    const offered = tasks ?? (await importModule(module));
    const task = Object.hasOwn(offered, exportName) ? offered[exportName] : undefined;
    if (typeof task !== 'function') {
      throw new InvalidArgumentError(
        `WorkerPool.run: "${exportName}" is not a function of ${module ?? 'this worker'}; expected one of ` +
          `${Object.keys(offered).join(', ') || 'none'}.`,
      );
    }
    send(port, id, await task(...args));
  } catch (error) {
    port.postMessage({ id, error: encodeError(error) }, []);
  }
}

function importModule(module: string | undefined): Promise<WorkerTasks> {
  if (module === undefined) {
    throw new InvalidArgumentError(
      'serveTasks: no tasks; expected them as argument in a worker made by a factory.',
    );
  }
  return import(/* @vite-ignore */ module);
}

function send(port: Port, id: number, value: unknown): void {
  const buffers = transferableBuffers(value);
  try {
    port.postMessage({ id, value }, buffers);
  } catch (error) {
    if (buffers.length === 0) throw error;
    port.postMessage({ id, value }, []); // memory that may not be moved (WebAssembly's, Node's pool) is copied
  }
}

function openPort(): Port {
  const parentPort = globalThis.process?.getBuiltinModule?.('node:worker_threads').parentPort;
  if (parentPort) {
    return {
      postMessage: (message, transfer) => parentPort.postMessage(message, transfer),
      listen: (handler) => parentPort.on('message', handler),
    };
  }
  return {
    postMessage: (message, transfer) => self.postMessage(message, { transfer }),
    listen: (handler) =>
      self.addEventListener('message', ({ data }: MessageEvent<JobMessage>) => handler(data)),
  };
}
