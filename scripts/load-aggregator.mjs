// How many queries a second `provably serve --labels` answers, and whether time tells about labels.
//
// Load: a table of --labels rows behind the command itself, a ledger on disk, and another process with --connections keep-alive
// connections that asks for bags of 50 new samples, one after the other on each. Every answer is then looked up in the ledger.
// Timing: one connection asks for bags of lowest labels and bags of highest ones, in random order. If time told which, ranks of the
// two samples would differ; |z| of Mann and Whitney's test above 5 fails (false alarm: 6e-7, since the order is random). Large bags
// among them are the control: their times must differ.
//
// node scripts/load-aggregator.mjs [--labels 1000000] [--seconds 10] [--connections 32] [--pairs 4000] [--rate 1000]
// Prints one JSON object; exit code 1 when an answer is unaccounted for, time tells, or --rate was not reached.

import assert from 'node:assert/strict';
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createRng } from '../src/core/rng.ts';

const BAG = 50;
/** Requests that find cold code. */
const WARM_UP = 200;
const main = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url));

/** One POST on a kept connection. @returns [status, body, milliseconds] */
function ask(agent, url, body) {
  return new Promise((resolve, reject) => {
    const text = JSON.stringify(body);
    const start = performance.now();
    const asked = request(
      `${url}/v1/aggregator/query`,
      {
        ...{ method: 'POST', agent },
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) },
      },
      (response) => {
        let received = '';
        response.setEncoding('utf8').on('data', (part) => {
          received += part;
        });
        response.on('end', () => resolve([response.statusCode, received, performance.now() - start]));
      },
    );
    asked.on('error', reject).end(text);
  });
}

/** Ids of bag `number` of a stage in which bags go through all `labels` ids with a stride that is coprime to them. */
function idsOf(number, labels) {
  const stride = 1_000_003 % labels;
  return Array.from({ length: BAG }, (_, i) => ((BAG * number + i) * stride) % labels);
}

/** The process of the clients: asks until time is over, and tells what it got. */
async function clients({ url, labels, seconds, connections }) {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const bagsOfStage = Math.floor(labels / BAG);
  const latencies = [];
  const answers = [];
  let asked = 0;
  const cpu = process.cpuUsage();
  const start = performance.now();
  const end = start + seconds * 1000;
  const client = async () => {
    while (performance.now() < end) {
      const number = asked++;
      const stage = `load-${Math.floor(number / bagsOfStage)}`;
      const [status, text, milliseconds] = await ask(agent, url, {
        ...{ stage, bags: [idsOf(number % bagsOfStage, labels)] },
      });
      assert.equal(status, 200, text);
      latencies.push(milliseconds);
      const { entry, head, bags } = JSON.parse(text);
      answers.push([entry, head, bags[0].mean, bags[0].charged]);
    }
  };
  await Promise.all(Array.from({ length: connections }, client));
  const took = (performance.now() - start) / 1000;
  agent.destroy();
  const { user, system } = process.cpuUsage(cpu);
  return { latencies, answers, took, clientCpu: (user + system) / 1e6 };
}

/** Kinds of bags whose times are compared: `large` must show, or the comparison sees nothing. */
const kindsOfBags = {
  low: { share: 0.45, size: BAG, isHigh: false },
  high: { share: 0.45, size: BAG, isHigh: true },
  large: { share: 0.1, size: 20_000, isHigh: false },
};

/**
 * Bags by one connection, in random order. Ids below half of the labels have the lowest label, the others the highest.
 *
 * @returns milliseconds of each kind
 */
async function timing(url, { labels, pairs }) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const rng = createRng(7);
  const half = Math.floor(labels / 2);
  const asked = { low: 0, high: 0, large: 0 };
  const times = { low: [], high: [], large: [] };
  for (let i = 0; i < 2 * pairs + WARM_UP; i++) {
    let draw = rng.next();
    const kind = Object.keys(kindsOfBags).find((name) => {
      draw -= kindsOfBags[name].share;
      return draw < 0;
    });
    const { size, isHigh } = kindsOfBags[kind ?? 'low'];
    const bagsOfHalf = Math.floor(half / size);
    const number = asked[kind]++;
    const first = (isHigh ? half : 0) + size * (number % bagsOfHalf);
    const bags = [Array.from({ length: size }, (_, j) => first + j)];
    const [status, text, milliseconds] = await ask(agent, url, {
      ...{ stage: `${kind}-${Math.floor(number / bagsOfHalf)}`, bags },
    });
    assert.equal(status, 200, text);
    if (i >= WARM_UP) times[kind].push(milliseconds);
  }
  agent.destroy();
  return times;
}

/** z of Mann and Whitney's rank test of two samples, ties at their mean rank. */
function rankTest(one, other) {
  const times = [...one, ...other];
  const order = Array.from(times.keys()).sort((a, b) => times[a] - times[b]);
  const n = times.length;
  let sum = 0;
  let ties = 0;
  for (let i = 0; i < n; ) {
    let j = i;
    while (j < n && times[order[j]] === times[order[i]]) j++;
    for (let k = i; k < j; k++) if (order[k] >= one.length) sum += (i + j + 1) / 2;
    ties += (j - i) ** 3 - (j - i);
    i = j;
  }
  const variance = ((one.length * other.length) / 12) * (n + 1 - ties / (n * (n - 1)));
  return (sum - (other.length * (n + 1)) / 2) / Math.sqrt(variance);
}

function quantile(values, p) {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(p * sorted.length))];
}

/** `provably serve --labels` on a free port. */
async function startServer(table, ledger, words) {
  const child = spawn(
    process.execPath,
    [
      ...[main, 'serve', '--labels', table, '--id', 'id', '--label', 'y', '--bounds', '0,1'],
      ...['--min-bag', String(BAG), '--ledger', ledger, '--port', '0', '--json', '--quiet', ...words],
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const [line] = await once(createInterface(child.stdout), 'line');
  const stop = async () => {
    child.kill('SIGTERM');
    const [code] = await once(child, 'exit');
    assert.equal(code, 0, 'the server ends well');
  };
  return { url: JSON.parse(line).url, stop };
}

/** Processor time that the server has taken so far. */
async function cpuSeconds(url) {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^process_cpu_seconds_total (\S+)/m.exec(text)[1]);
}

async function measure(options) {
  const { verifyLedger } = await import('../src/aggregate/aggregator/index.ts');
  const { writeTable } = await import('../src/data/index.ts');
  const folder = mkdtempSync(join(tmpdir(), 'provably-load-'));
  try {
    const { labels } = options;
    const rng = createRng(1);
    const id = Int32Array.from({ length: labels }, (_, i) => i);
    const random = join(folder, 'labels.parquet');
    await writeTable(random, { id, y: Float64Array.from({ length: labels }, () => rng.next()) });
    const ledger = join(folder, 'ledger.db');
    const budget = ['--epsilon', '1000', '--epsilon-per-release', '1'];
    const opening = performance.now();
    const server = await startServer(random, ledger, budget);
    const startSeconds = (performance.now() - opening) / 1000;
    const before = await cpuSeconds(server.url);
    const worker = fork(fileURLToPath(import.meta.url), ['--clients'], { serialization: 'advanced' });
    worker.send({ url: server.url, ...options });
    const [{ latencies, answers, took, clientCpu }] = await once(worker, 'message');
    const serverCpu = (await cpuSeconds(server.url)) - before;
    await server.stop();
    const verifying = performance.now();
    const report = await verifyLedger(ledger);
    const verifySeconds = (performance.now() - verifying) / 1000;
    const unaccounted = unaccountedFor(ledger, report, answers);

    const split = join(folder, 'split.parquet');
    await writeTable(split, { id, y: Float64Array.from(id, (i) => Number(i >= Math.floor(labels / 2))) });
    const timed = await startServer(split, join(folder, 'timing.db'), budget);
    const { low, high, large } = await timing(timed.url, options);
    await timed.stop();
    return {
      machine: `${cpus().length} × ${cpus()[0].model}`,
      labels,
      bag: BAG,
      connections: options.connections,
      startSeconds,
      queries: answers.length,
      seconds: took,
      perSecond: answers.length / took,
      // What it would cost on an idle machine: other work shares the cores with a run.
      serverCpuMilliseconds: (1000 * serverCpu) / answers.length,
      clientCpuMilliseconds: (1000 * clientCpu) / answers.length,
      p50: quantile(latencies, 0.5),
      p99: quantile(latencies, 0.99),
      ledgerBytes: statSync(ledger).size,
      verifySeconds,
      unaccounted,
      timing: {
        queries: low.length + high.length + large.length,
        lowP50: quantile(low, 0.5),
        highP50: quantile(high, 0.5),
        largeP50: quantile(large, 0.5),
        z: rankTest(low, high),
        controlZ: rankTest(low, large),
      },
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Answers whose entry is not in the ledger with the hash that was told, and charges that do not add up. */
function unaccountedFor(ledger, { value: report }, answers) {
  const db = new DatabaseSync(ledger, { readOnly: true });
  const hash = db.prepare("SELECT hash FROM entry WHERE entry = ? AND kind = 'answer'");
  const mean = db.prepare('SELECT mean FROM bag WHERE entry = ? AND position = 0');
  const doubleOf = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, 8).getFloat64(0);
  const lost = answers.filter(([entry, head, answered, charged]) => {
    const kept = hash.get(entry);
    const told = mean.get(entry)?.mean;
    return (
      !kept || Buffer.from(kept.hash).toString('hex') !== head || charged !== 1 || doubleOf(told) !== answered
    );
  });
  db.close();
  const count = (what, ours, theirs) =>
    ours === theirs ? [] : [`${what}: ${theirs} in the ledger, ${ours} told`];
  return [
    ...(report.valid ? [] : [report.problem]),
    ...count('answers', answers.length, report.answers),
    ...count('bags', answers.length, report.bagsCharged),
    ...lost.slice(0, 10).map(([entry]) => `entry ${entry}`),
  ];
}

if (process.argv[2] === '--clients') {
  const [options] = await once(process, 'message');
  process.send(await clients(options), () => process.disconnect());
} else {
  const option = (value) => ({ type: 'string', default: String(value) });
  const { values } = parseArgs({
    options: {
      ...{ labels: option(1_000_000), seconds: option(10), connections: option(32) },
      ...{ pairs: option(4000), rate: option(1000) },
    },
  });
  const numbers = Object.fromEntries(Object.entries(values).map(([name, text]) => [name, Number(text)]));
  const result = await measure(numbers);
  process.stdout.write(`${JSON.stringify(result)}\n`);
  const { z, controlZ } = result.timing;
  // A large bag takes longer to read, but the beat that answers it is then nearer: either sign is a sign.
  const isSound = result.unaccounted.length === 0 && Math.abs(z) < 5 && Math.abs(controlZ) > 5;
  process.exitCode = isSound && result.perSecond >= numbers.rate ? 0 : 1;
}
