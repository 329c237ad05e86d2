import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { Worker as NodeWorker } from 'node:worker_threads';
import { createWorkerPool, defaultPoolSize } from './parallel.ts';

const tasks = moduleOf(`
  let calls = 0;
  export const add = (a, b) => a + b;
  export const calledBefore = () => calls++;
  export const fill = (n) => ({ parts: [new Float64Array(n).fill(1.5)], label: 'filled' });
  export const part = () => new Uint8Array(100).fill(7).subarray(10, 20);
  export const wasm = () => new Uint8Array(new WebAssembly.Memory({ initial: 1 }).buffer);
  export const lengthOf = (array) => array.length;
  export const fail = () => { throw Object.assign(new RangeError('too far'), { code: 'OUT' }); };
  export const failText = () => { throw 'plain text'; };
  export const uncloneable = () => () => 1;
  export const spin = () => { for (;;); };
  export const die = () => process.exit(3);
  export const dieLater = () => { setTimeout(() => { throw new Error('late'); }); return new Promise(() => {}); };
  export const sleep = (ms) => new Promise((resolve) => setTimeout(() => resolve(ms), ms));
  export const notAFunction = 5;
`);

describe('createWorkerPool', () => {
  it('runs many jobs on few workers and gives each its own result', async () => {
    await using pool = createWorkerPool(tasks, { size: 2 });
    const sums = await Promise.all(Array.from({ length: 40 }, (_, i) => pool.run<number>('add', [i, 1])));
    assert.deepEqual(
      sums,
      Array.from({ length: 40 }, (_, i) => i + 1),
    );
    const before = await Promise.all(Array.from({ length: 10 }, () => pool.run<number>('calledBefore', [])));
    assert.equal(before.filter((count) => count === 0).length, 2, 'two workers, each with its own module');
  });

  it('runs an exported function of a TypeScript module', async () => {
    await using pool = createWorkerPool(new URL('./check.ts', import.meta.url), { size: 1 });
    // requireSeed throws an InvalidArgumentError, which is one here too.
    const { InvalidArgumentError } = await import('./errors.ts');
    await assert.rejects(pool.run('requireSeed', ['seed', -1]), (error) => {
      assert.ok(error instanceof InvalidArgumentError);
      assert.match(error.message, /^seed is -1/);
      return true;
    });
  });

  it('brings results with typed arrays, whole, in part, or of memory that cannot be moved', async () => {
    await using pool = createWorkerPool(tasks, { size: 1 });
    const { parts, label } = await pool.run<{ parts: Float64Array[]; label: string }>('fill', [5]);
    assert.deepEqual(parts, [new Float64Array(5).fill(1.5)]);
    assert.equal(label, 'filled');
    assert.deepEqual(await pool.run('part', []), new Uint8Array(10).fill(7));
    assert.equal((await pool.run<Uint8Array>('wasm', [])).length, 65536);
  });

  it('moves the arguments named in transfer, copies the others', async () => {
    await using pool = createWorkerPool(tasks, { size: 1 });
    const [moved, copied] = [new Float32Array(8), new Float32Array(8)];
    assert.equal(await pool.run('lengthOf', [moved], { transfer: [moved.buffer] }), 8);
    assert.equal(await pool.run('lengthOf', [copied]), 8);
    assert.deepEqual([moved.length, copied.length], [0, 8]);
  });

  it('rejects with message, name and code of an error thrown in the worker, and goes on', async () => {
    await using pool = createWorkerPool(tasks, { size: 1 });
    await assert.rejects(pool.run('fail', []), { name: 'RangeError', message: 'too far', code: 'OUT' });
    await assert.rejects(pool.run('failText', []), { message: 'plain text' });
    await assert.rejects(pool.run('uncloneable', []), { name: 'DataCloneError' });
    await assert.rejects(pool.run('lengthOf', [() => 1]), { name: 'DataCloneError' });
    assert.equal(await pool.run('add', [1, 2]), 3);
  });

  it('names what the module offers when the function is missing', async () => {
    await using pool = createWorkerPool(tasks, { size: 1 });
    const expected = { code: 'INVALID_ARGUMENT', message: /is not a function of .*expected one of .*add/s };
    await assert.rejects(pool.run('subtract', []), expected);
    await assert.rejects(pool.run('notAFunction', []), expected);
    await assert.rejects(pool.run('toString', []), expected);
    await using lost = createWorkerPool(new URL('./no-such-file.ts', import.meta.url), { size: 1 });
    await assert.rejects(lost.run('add', []), { code: 'ERR_MODULE_NOT_FOUND' });
  });

  it('rejects with the reason of the signal: before, in the queue, and while running', async () => {
    await using pool = createWorkerPool(tasks, { size: 1 });
    const reason = new Error('changed my mind');
    await assert.rejects(pool.run('add', [1, 2], { signal: AbortSignal.abort(reason) }), reason);
    const running = new AbortController();
    const queued = new AbortController();
    const jobs = [
      pool.run('spin', [], { signal: running.signal }),
      pool.run('add', [1, 2], { signal: queued.signal }),
      pool.run('add', [3, 4]),
    ];
    queued.abort(reason);
    await assert.rejects(jobs[1], reason);
    setTimeout(() => running.abort(reason), 50);
    await assert.rejects(jobs[0], reason);
    assert.equal(await jobs[2], 7, 'the job behind gets a new worker');
    running.abort(new Error('again')); // has no effect on what comes
    assert.equal(await pool.run('add', [5, 6]), 11);
  });

  it('rejects the job of a worker that dies, and replaces the worker', async () => {
    await using pool = createWorkerPool(tasks, { size: 1 });
    const [dead, next] = [pool.run('die', []), pool.run('add', [1, 1])];
    await assert.rejects(dead, { code: 'WORKER', message: /died during "die" \(exit code 3\)/ });
    assert.equal(await next, 2);
    await assert.rejects(pool.run('dieLater', []), { code: 'WORKER', message: /\(late\)/ });
    assert.equal(await pool.run('add', [2, 2]), 4);
  });

  it('closes: what runs and what waits is rejected, and so is what comes later', async () => {
    const pool = createWorkerPool(tasks, { size: 1 });
    const jobs = [pool.run('spin', []), pool.run('add', [1, 1])];
    const settled = Promise.allSettled(jobs);
    await pool[Symbol.asyncDispose]();
    for (const result of await settled) assert.equal(result.status, 'rejected');
    await assert.rejects(pool.run('add', [1, 1]), { code: 'WORKER', message: /closed/ });
  });

  it('lets the process end when idle, and keeps it alive while a job runs', () => {
    const script = `
      const { createWorkerPool } = await import(${JSON.stringify(new URL('./parallel.ts', import.meta.url))});
      const pool = createWorkerPool(new URL(${JSON.stringify(tasks)}), { size: 2 });
      pool.run('sleep', [30]).then((ms) => console.log('slept ' + ms));
    `;
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], { timeout: 20_000 });
    assert.equal(String(output), 'slept 30\n');
  });

  it('takes a Web Worker from a factory, which serves the tasks it was built with', async () => {
    await using pool = createWorkerPool(
      webWorker(`
        serveTasks({ add: (a, b) => a + b, die: () => { setTimeout(() => { throw new Error('late'); }); return new Promise(() => {}); } });
      `),
      { size: 1 },
    );
    assert.equal(await pool.run('add', [1, 2]), 3);
    await assert.rejects(pool.run('constructor', []), { code: 'INVALID_ARGUMENT' });
    await assert.rejects(pool.run('die', []), { code: 'WORKER', message: /late/ });
    assert.equal(await pool.run('add', [3, 4]), 7);
    const reason = new Error('stop');
    const controller = new AbortController();
    const job = pool.run('add', [1, 2], { signal: controller.signal });
    controller.abort(reason);
    await assert.rejects(job, reason);
  });

  it('refuses a size that is no count', () => {
    for (const size of [0, -1, 1.5, NaN]) {
      assert.throws(() => createWorkerPool(tasks, { size }), {
        code: 'INVALID_ARGUMENT',
        message: /size is/,
      });
    }
    assert.ok(defaultPoolSize() >= 1);
  });
});

function moduleOf(source: string): URL {
  return new URL(`data:text/javascript,${encodeURIComponent(source)}`);
}

/** A thread that looks like a browser's Worker from outside. */
function webWorker(source: string): () => Worker {
  const serve = JSON.stringify(new URL('./worker-serve.ts', import.meta.url));
  return () => {
    const thread = new NodeWorker(moduleOf(`import { serveTasks } from ${serve};\n${source}`));
    thread.unref();
    const worker = {
      onmessage: (_event: { data: unknown }) => {},
      onerror: (_event: { message: string }) => {},
      postMessage: (message: unknown) => thread.postMessage(message),
      terminate: () => void thread.terminate(),
    };
    thread.on('message', (data) => worker.onmessage({ data }));
    thread.on('error', ({ message }) => worker.onerror({ message }));
    return worker as unknown as Worker;
  };
}
