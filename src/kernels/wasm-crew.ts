// Who does the pieces of a WASM kernel: workers when there are several threads and enough work, else this thread.

import { createWorkerPool, type WorkerFactory, type WorkerPool } from '../core/parallel.ts';
import { yieldToEventLoop } from '../core/progress.ts';
import { attentionPiece, backwardPiece, linearPiece, nearestPiece, productPiece } from './wasm-tasks.ts';

/** Multiply-adds of one piece: about 20 ms, between two looks at the event loop. */
export const WORK_PER_PIECE = 4e8;

/** Multiply-adds below which sending arrays to a worker costs more than it saves. */
const WORK_WORTH_SENDING = 1e8;

interface Tasks {
  nearestPiece: typeof nearestPiece;
  productPiece: typeof productPiece;
  attentionPiece: typeof attentionPiece;
  backwardPiece: typeof backwardPiece;
  linearPiece: typeof linearPiece;
}

const tasks: Tasks = { nearestPiece, productPiece, attentionPiece, backwardPiece, linearPiece };

export class Crew {
  readonly threads: number;
  private readonly worker: WorkerFactory | undefined;
  private pool: WorkerPool | undefined;
  private hasWorkers: boolean;

  constructor(threads: number, worker: WorkerFactory | undefined) {
    this.threads = threads;
    this.worker = worker;
    this.hasWorkers = threads > 1;
  }

  /** Pieces that `work` multiply-adds on `items` things should be cut into: even for the workers, short, and never empty. */
  pieces(items: number, work: number): number {
    const short = Math.ceil(work / WORK_PER_PIECE);
    const shared = this.sends(work) ? Math.ceil(short / this.threads) * this.threads : short;
    return Math.max(1, Math.min(items, shared));
  }

  /**
   * Runs a task once per piece.
   *
   * @param count - pieces
   * @param work - multiply-adds of all pieces together
   * @param piece - makes the argument of piece i; it is called late, so that few copies exist at a time
   * @param take - receives the result of piece i, in any order
   */
  async run<Name extends keyof Tasks>(
    name: Name,
    count: number,
    work: number,
    piece: (i: number) => Parameters<Tasks[Name]>[0],
    take: (i: number, result: Awaited<ReturnType<Tasks[Name]>>) => void,
  ): Promise<void> {
    const here = tasks[name] as (piece: unknown) => ReturnType<Tasks[Name]>;
    let next = 0;
    const send = this.sends(work) && count > 1;
    const lane = async () => {
      while (next < count) {
        const i = next++;
        const result = send && this.hasWorkers ? await this.send(name, piece(i)) : undefined;
        take(i, (result ?? (await here(piece(i)))) as Awaited<ReturnType<Tasks[Name]>>);
        if (!send && next < count) await yieldToEventLoop();
      }
    };
    // One lane more than workers, so that the next piece is on its way while all are busy.
    await Promise.all(Array.from({ length: send ? this.threads + 1 : 1 }, lane));
  }

  /** Whether that many multiply-adds go to workers, in more than one piece. */
  sends(work: number): boolean {
    return this.hasWorkers && work >= WORK_WORTH_SENDING;
  }

  /** The result from a worker; undefined when workers cannot be used on this platform or in this bundle. */
  private async send<Name extends keyof Tasks>(name: Name, piece: object): Promise<unknown> {
    this.pool ??= createWorkerPool(
      this.worker ?? new URL(`./wasm-tasks${import.meta.url.slice(-3)}`, import.meta.url),
      {
        size: this.threads,
      },
    );
    const [argument, transfer] = detached(piece);
    try {
      return await this.pool.run(name, [argument], { transfer });
    } catch {
      // A platform without module workers, or a bundle that does not hold the worker's module. Whatever else was wrong will
      // show again when this thread does the piece.
      this.hasWorkers = false;
      return undefined;
    }
  }
}

/** The piece with copies of its arrays that can be moved; shared memory goes as it is. */
function detached(piece: object): [object, ArrayBuffer[]] {
  const transfer: ArrayBuffer[] = [];
  const entries = Object.entries(piece).map(([name, value]) => {
    const isHeld =
      value instanceof Float32Array ||
      value instanceof Float64Array ||
      value instanceof Uint16Array ||
      value instanceof Uint8Array;
    if (!isHeld || !(value.buffer instanceof ArrayBuffer)) return [name, value];
    // A view would be cloned with the whole buffer behind it.
    const copy = value.slice();
    transfer.push(copy.buffer);
    return [name, copy];
  });
  return [Object.fromEntries(entries), transfer];
}
