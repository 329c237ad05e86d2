// For fuzzing: valid files made wrong, by bytes and by structure.

import type { Rng } from '../src/core/rng.ts';

/** What lengths, counts and offsets are blown up to. */
const INTEGERS = [
  0n,
  1n,
  255n,
  2n ** 15n,
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 40n,
  2n ** 53n,
  2n ** 62n,
  2n ** 64n - 1n,
];

/** A copy with some bytes, words or stretches changed, or cut off. @param within - bytes from the start that change; default all */
export function damageBytes(bytes: Uint8Array, rng: Rng, within: number = bytes.length): Uint8Array {
  const end = Math.min(within, bytes.length);
  let out = bytes.slice();
  const view = () => new DataView(out.buffer, out.byteOffset, out.byteLength);
  for (let i = 1 + rng.integer(4); i > 0; i--) {
    const at = rng.integer(Math.max(1, Math.min(end, out.length) - 8));
    const value = INTEGERS[rng.integer(INTEGERS.length)];
    switch (rng.integer(7)) {
      case 0:
        out[at] ^= 1 << rng.integer(8);
        break;
      case 1:
        out[at] = rng.integer(256);
        break;
      case 2:
        if (out.length >= at + 8) view().setBigUint64(at, value, true);
        break;
      case 3:
        if (out.length >= at + 4) view().setUint32(at, Number(value & 0xffff_ffffn), true);
        break;
      case 4:
        out.copyWithin(at, rng.integer(end), rng.integer(end));
        break;
      case 5: {
        // A stretch is gone, and everything behind it lies elsewhere.
        const gone = 1 + rng.integer(64);
        out = Uint8Array.from([...out.subarray(0, at), ...out.subarray(at + gone)]);
        break;
      }
      default:
        if (rng.integer(4) === 0) out = out.slice(0, rng.integer(out.length + 1));
    }
  }
  return out;
}

/** A JSON file with some values replaced, removed or moved; now and then damaged as bytes. */
export function damageJson(bytes: Uint8Array, rng: Rng): Uint8Array {
  if (rng.integer(8) === 0) return damageBytes(bytes, rng);
  return encode(damageValue(JSON.parse(new TextDecoder().decode(bytes)), rng));
}

/** A .safetensors file whose header is damaged as JSON and given its new length; now and then damaged as bytes. */
export function damageSafetensors(bytes: Uint8Array, rng: Rng): Uint8Array {
  if (rng.integer(4) === 0) return damageBytes(bytes, rng, 4096);
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  const header = encode(
    damageValue(JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length))), rng),
  );
  const out = new Uint8Array(8 + header.length + bytes.length - 8 - length);
  new DataView(out.buffer).setBigUint64(0, BigInt(header.length), true);
  out.set(header, 8);
  out.set(bytes.subarray(8 + length), 8 + header.length);
  return out;
}

type Json = unknown;

function damageValue(root: Json, rng: Rng): Json {
  let value = root;
  for (let i = 1 + rng.integer(3); i > 0; i--) value = damageOnce(value, rng);
  return value;
}

/** Goes down by chance and changes one member where it ends. */
function damageOnce(root: Json, rng: Rng): Json {
  let holder = root as Record<string, Json>;
  for (;;) {
    const keys = isHolder(holder) ? Object.keys(holder) : [];
    if (keys.length === 0) return hostile(rng, root);
    const key = keys[rng.integer(keys.length)];
    if (isHolder(holder[key]) && rng.integer(5) > 0) {
      holder = holder[key] as Record<string, Json>;
      continue;
    }
    const other = holder[keys[rng.integer(keys.length)]];
    if (rng.integer(4) === 0 && !Array.isArray(holder)) delete holder[key];
    // A member of its own: ranges that overlap, ids that come twice.
    else holder[key] = rng.integer(3) === 0 ? structuredClone(other) : hostile(rng, holder[key]);
    return root;
  }
}

function isHolder(value: Json): boolean {
  return typeof value === 'object' && value !== null;
}

function hostile(rng: Rng, before: Json): Json {
  const numbers = [0, -1, 1, 0.5, 3, 65_537, 2 ** 31, 2 ** 40, 2 ** 53, 1e308, -1e308];
  const number = numbers[rng.integer(numbers.length)];
  const others: Json[] = [
    ...[null, true, false, '', 'x', '\u0000', 'x'.repeat(100_000), [], {}, [[]], [number, number]],
    ...[{ type: 'Sequence' }, { type: 'x' }, { __proto__: null, constructor: 1 }, '{{ x', '{% for a in b %}'],
    nested(20_000),
    Array.from({ length: 1000 }, () => before ?? null),
  ];
  if (typeof before === 'number' && rng.integer(4) > 0)
    return rng.integer(2) === 0 ? number : before + number;
  return others[rng.integer(others.length)];
}

/** As deep as no file is. A text, since no writer of JSON goes so deep. */
function nested(depth: number): string {
  return `\u0001${depth}\u0001`;
}

function encode(value: Json): Uint8Array {
  const deep = /"\\u0001(\d+)\\u0001"/g;
  // A thousand copies of it would be 40 MB, of which the parser alone makes more than the process may have.
  let left = 8;
  const text = (JSON.stringify(value) ?? 'null').replace(deep, (_, depth) =>
    left-- > 0 ? `${'['.repeat(depth)}${']'.repeat(depth)}` : '[]',
  );
  return new TextEncoder().encode(text);
}
