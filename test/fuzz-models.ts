// Damages valid model files and opens them: whatever comes out must be a model or an error of ours, soon, and in memory of the file's size.
// Every case follows from seed, target and number, so that one that fails can be run again alone.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProvablyError } from '../src/core/errors.ts';
import { createRng, type Rng } from '../src/core/rng.ts';
import { listTensors, safetensorsSource } from '../src/data/safetensors.ts';
import { bytesSource } from '../src/llm/files/byte-source.ts';
import { openGgufModel, openHubModel, openLanguageModel, type StoredModel } from '../src/llm/index.ts';
import { damageBytes, damageJson, damageSafetensors } from './damage.ts';
import { servingGguf } from './serving-model.ts';

/** Processor time that a case may take; one takes some tens of milliseconds. */
const MAX_SECONDS = 5;
/** Bytes that a case may allocate: what all reading takes, and some times the file. */
const FIXED_BYTES = 48e6;
const BYTES_PER_BYTE = 16;

export interface FuzzOutcome {
  /** Why it was refused; undefined: it was opened. */
  refusal: string | undefined;
}

export interface FuzzTarget extends Disposable {
  name: string;
  run(rng: Rng): Promise<FuzzOutcome>;
}

/** All kinds of files, each to be disposed of. */
export function fuzzTargets(): FuzzTarget[] {
  const gguf = servingGguf({ tied: true, format: 'Q4_1' });
  const hub = new Map(
    ['config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json'].map((name) => [
      name,
      new Uint8Array(readFileSync(new URL(`../models/tiny-lm/${name}`, import.meta.url))),
    ]),
  );
  // The small model goes on with text only.
  const chat = { chat_template: '{% for message in messages %}{{ message.content }}{% endfor %}' };
  const settings = JSON.parse(new TextDecoder().decode(hub.get('tokenizer_config.json')));
  hub.set('tokenizer_config.json', new TextEncoder().encode(JSON.stringify({ ...settings, ...chat })));
  const weights = hub.get('model.safetensors') as Uint8Array;
  const folder = mkdtempSync(join(tmpdir(), 'provably-fuzz-'));
  const openGguf = (bytes: Uint8Array) => openGgufModel([bytesSource(bytes, 'damaged.gguf')]);
  const damagedFile = (name: string, damage: (bytes: Uint8Array, rng: Rng) => Uint8Array) =>
    target(`hub ${name}`, hub.get(name) as Uint8Array, damage, async (bytes) => {
      const files = new Map([...hub, [name, bytes]]);
      await useModel(
        await openHubModel(async (file) => {
          const found = files.get(file);
          return found && bytesSource(found, file);
        }),
      );
    });
  return [
    // The header: metadata, tokens and the list of tensors; the numbers behind it cannot be wrong.
    target(
      'gguf header',
      gguf,
      (bytes, rng) => damageBytes(bytes, rng, 60_000),
      async (bytes) => {
        await useModel(await openGguf(bytes));
      },
    ),
    target('gguf anywhere', gguf, damageBytes, async (bytes) => {
      await useModel(await openGguf(bytes));
    }),
    damagedFile('model.safetensors', damageSafetensors),
    damagedFile('config.json', damageJson),
    damagedFile('tokenizer.json', damageJson),
    damagedFile('tokenizer_config.json', damageJson),
    {
      ...target('matrix .safetensors', weights, damageSafetensors, async (bytes) => {
        const path = join(folder, 'damaged.safetensors');
        writeFileSync(path, bytes);
        for (const { name } of (await listTensors(path)).slice(0, 4)) await safetensorsSource(path, name);
      }),
      [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
    },
  ];
}

/** @throws {Error} the case breaks the rules */
export function fuzzCase(target: FuzzTarget, seed: number, number: number): Promise<FuzzOutcome> {
  return target.run(createRng(seed).fork(target.name).fork(number));
}

/** What everything that opens a model goes on to do with it. */
async function useModel(stored: StoredModel): Promise<void> {
  const { tokenizer, chatTemplate } = await openLanguageModel(stored);
  tokenizer.decode(tokenizer.encode('The whale, 42 naïve 水 🙂\n'));
  chatTemplate().encode([{ role: 'user', content: 'Call me Ishmael.' }]);
}

function target(
  name: string,
  valid: Uint8Array,
  damage: (bytes: Uint8Array, rng: Rng) => Uint8Array,
  open: (bytes: Uint8Array) => Promise<void>,
): FuzzTarget {
  return {
    name,
    async run(rng) {
      const bytes = damage(valid, rng);
      const before = process.memoryUsage().arrayBuffers;
      const start = process.cpuUsage();
      let refusal: string | undefined;
      try {
        await open(bytes);
      } catch (error) {
        if (!(error instanceof ProvablyError)) throw error;
        refusal = error.message;
      }
      const { user, system } = process.cpuUsage(start);
      const allocated = process.memoryUsage().arrayBuffers - before;
      if ((user + system) / 1e6 > MAX_SECONDS)
        throw new Error(`it took ${((user + system) / 1e6).toFixed(1)} s of the processor: ${refusal}`);
      if (allocated > FIXED_BYTES + BYTES_PER_BYTE * bytes.length)
        throw new Error(`it allocated ${allocated} bytes for a file of ${bytes.length}: ${refusal}`);
      return { refusal };
    },
    [Symbol.dispose]() {},
  };
}
