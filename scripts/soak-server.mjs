// Wears out `provably serve`: 16 clients for some minutes, of whom some leave in the middle, send nonsense, ask for too much or read slowly.
// Checks that every request is answered, refused or cancelled, that nothing stays behind, and that memory does not grow; prints
// "N passed, N failed". `npm run soak:server -- --minutes 10 [--model file.gguf]`; without a model, a small one with random weights.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createRng } from '../src/core/rng.ts';
import { servingGguf } from '../test/serving-model.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    clients: { type: 'string', default: '16' },
    model: { type: 'string' },
    seed: { type: 'string', default: '1' },
  },
});
const minutes = Number(values.minutes);
const clients = Number(values.clients);
/** A shorter run has not seen enough to tell growth from warming up. */
const MINUTES_FOR_DRIFT = 2;

const folder = mkdtempSync(join(tmpdir(), 'provably-soak-'));
const model = values.model ?? join(folder, 'tiny.gguf');
if (!values.model) writeFileSync(model, servingGguf());

const main = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url));
const limits = [
  '--max-active',
  '16',
  '--max-waiting',
  '12',
  '--max-context',
  '512',
  '--prefix-bytes',
  '16000000',
];
const child = spawn(
  process.execPath,
  [main, 'serve', '-m', model, '--port', '0', '--model-name', 'soak', '--json', '--quiet', ...limits],
  { stdio: ['ignore', 'pipe', 'inherit'] },
);
const [first] = await once(createInterface(child.stdout), 'line');
const { url } = JSON.parse(first);
const counts = { answered: 0, cancelled: 0, refused: 0, busy: 0, failed: 0, tokens: 0 };
const failures = new Map();
const gaps = [];
const end = performance.now() + minutes * 60_000;

const post = (path, body, signal) =>
  fetch(`${url}/v1/${path}`, {
    ...{ method: 'POST', signal, body: typeof body === 'string' ? body : JSON.stringify(body) },
    headers: { 'content-type': 'application/json' },
  });

/** Reads a stream of events. @param each - called with each, may end it by throwing */
async function readEvents(response, each) {
  let rest = '';
  let last = '';
  for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
    const events = (rest + text).split('\n\n');
    rest = events.pop();
    for (const event of events.filter((line) => line.startsWith('data: '))) {
      last = event.slice(6);
      if (last.startsWith('{"error"')) throw new Error(last);
      await each();
    }
  }
  assert.equal(last, '[DONE]');
}

const words = ['the', 'river', 'and', 'code', 'of', 'light', '42', 'naïve', '水', '🙂'];

async function client(number) {
  const rng = createRng(Number(values.seed)).fork(number);
  const below = (n) => Math.floor(rng.next() * n);
  const text = (n) => Array.from({ length: n }, () => words[below(words.length)]).join(' ');
  while (performance.now() < end) {
    const kind = rng.next();
    const leaving = new AbortController();
    const chat = {
      ...{ model: 'soak', stream: true, n: 1 + below(2), max_tokens: 8 + below(90), ignore_eos: true },
      messages: [{ role: 'user', content: text(1 + below(40)) }],
    };
    try {
      let response;
      if (kind < 0.1) response = await post('completions', `{"model":"soak","prompt":${text(3)}`);
      else if (kind < 0.15) response = await post('chat/completions', { ...chat, temperature: 'hot' });
      else if (kind < 0.2) response = await post('completions', { model: 'soak', prompt: text(2000) });
      else if (kind < 0.22) response = await post('completions', `"${'x'.repeat(2 ** 20)}"`);
      else if (kind < 0.3) response = await post('embeddings', { model: 'soak', input: [text(20), text(5)] });
      else if (kind < 0.4) response = await post('chat/completions', { ...chat, stream: false });
      else response = await post('chat/completions', chat, leaving.signal);
      if (response.status !== 200) {
        const { error } = await response.json();
        assert.ok(typeof error.message === 'string');
        if (response.status === 429) {
          counts.busy++;
          await delay(1000 * Number(response.headers.get('retry-after')));
        } else {
          assert.ok([400, 413].includes(response.status), `${response.status} ${error.message}`);
          assert.ok(kind < 0.22, `${response.status} ${error.message}`);
          counts.refused++;
        }
        continue;
      }
      assert.ok(kind >= 0.22, 'nonsense was answered');
      if (kind < 0.4) await response.json();
      else {
        const leaveAfter = kind < 0.65 ? 1 + below(30) : Infinity;
        const slow = kind >= 0.9;
        let seen = 0;
        let before;
        await readEvents(response, async () => {
          counts.tokens++;
          const now = performance.now();
          // Two texts of one stream come together: only single ones tell a gap.
          if (!slow && chat.n === 1 && before !== undefined) gaps.push(now - before);
          // The first chunk tells the role at once: what follows it is the wait for the first token.
          if (seen > 0) before = now;
          if (++seen === leaveAfter) leaving.abort();
          if (slow) await delay(below(60));
        });
      }
      counts.answered++;
    } catch (error) {
      if (leaving.signal.aborted) counts.cancelled++;
      else {
        counts.failed++;
        failures.set(String(error), (failures.get(String(error)) ?? 0) + 1);
      }
    }
  }
}

const metrics = async () => (await fetch(`${url}/metrics`)).text();

async function figure(name) {
  return Number((await metrics()).match(new RegExp(`^${name} (\\S+)$`, 'm'))?.[1]);
}

/** Milliseconds below which share q of a histogram lies, between the bounds of its bucket by proportion. */
async function histogramQuantile(name, q) {
  const buckets = [...(await metrics()).matchAll(new RegExp(`^${name}_bucket{le="([^"]+)"} (\\d+)$`, 'gm'))];
  const cumulative = buckets.map(([, bound, count]) => [
    bound === '+Inf' ? Infinity : Number(bound),
    Number(count),
  ]);
  const wanted = q * cumulative.at(-1)[1];
  const at = cumulative.findIndex(([, count]) => count >= wanted);
  const [low, below] = at === 0 ? [0, 0] : cumulative[at - 1];
  const [high, count] = cumulative[at];
  return 1000 * (low + ((high - low) * (wanted - below)) / Math.max(1, count - below));
}

const memory = [];
async function watch() {
  while (performance.now() < end) {
    memory.push(await figure('process_resident_memory_bytes'));
    await delay(1000);
  }
}

await Promise.all([watch(), ...Array.from({ length: clients }, (_, i) => client(i))]);

let [passed, failed] = [0, 0];
function check(what, holds) {
  if (holds) passed++;
  else failed++;
  console.log(`${holds ? 'ok     ' : 'FAILED '} ${what}`);
}
const quantile = (sorted, q) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
const median = (list) =>
  quantile(
    list.toSorted((a, b) => a - b),
    0.5,
  );
const part = (from, to) => memory.slice(Math.floor(from * memory.length), Math.ceil(to * memory.length));
// Pages settle in the first third: the code is compiled and the prefixes fill their share.
const [early, late] = [median(part(0.3, 0.45)), median(part(0.85, 1))];
const drift = late / early - 1;
const sorted = gaps.sort((a, b) => a - b);
const { tokens, ...requests } = counts;
console.log(`${minutes} minutes, ${clients} clients: ${JSON.stringify(requests)}, ${tokens} chunks`);
console.log(
  `between two chunks, as one process with all clients got them: p50 ${quantile(sorted, 0.5)?.toFixed(1)} ms, p99 ${quantile(sorted, 0.99)?.toFixed(1)} ms, n ${sorted.length}`,
);
const made = 'provably_inter_token_seconds';
const [p50, p99] = [await histogramQuantile(made, 0.5), await histogramQuantile(made, 0.99)];
console.log(`between two tokens, as they were made: p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`);
console.log(
  `memory: ${(early / 1e6).toFixed(0)} MB early, ${(late / 1e6).toFixed(0)} MB late, ${(100 * drift).toFixed(1)} % drift`,
);
for (const [message, times] of failures) console.log(`  ${times} × ${message}`);
check('every request was answered, refused or cancelled', counts.failed === 0);
check('there were some of each kind', counts.answered > 0 && counts.cancelled > 0 && counts.refused > 0);
await delay(500);
const { active, waiting } = await (await fetch(`${url}/health`)).json();
check(`nothing stays behind: ${active} texts, ${waiting} requests`, active === 0 && waiting === 0);
check('no cache stays behind', (await figure('provably_cache_bytes')) === 0);
if (minutes >= MINUTES_FOR_DRIFT) check('memory drifts by less than 5 %', drift < 0.05);
child.kill('SIGTERM');
const [code] = await once(child, 'close');
check(`it ends well: exit code ${code}`, code === 0);
rmSync(folder, { recursive: true });
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
