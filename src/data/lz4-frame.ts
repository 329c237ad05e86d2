// Decompression of LZ4 frames, which Feather files consist of. Written from the LZ4 frame and block format descriptions.

import { DataError } from '../core/errors.ts';

const MAGIC = 0x184d2204;
/** In the size of a block: it is stored as it is. */
const STORED = 0x80000000;

/**
 * Decompresses one LZ4 frame. Checksums are skipped: Arrow checks lengths, and a damaged block shows as one here.
 *
 * @throws {DataError} the data are no LZ4 frame, or end too soon
 */
export function decompressLz4Frame(data: Uint8Array): Uint8Array {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  if (data.length < 7 || view.getUint32(0, true) !== MAGIC) throw damaged('no LZ4 frame');
  const flags = data[4];
  const [blockChecksum, contentSize, dictionary] = [flags & 0x10, flags & 0x08, flags & 0x01];
  const out = new Output(contentSize ? Number(view.getBigUint64(6, true)) : 4 * data.length);
  let at = 6 + (contentSize ? 8 : 0) + (dictionary ? 4 : 0) + 1; // the header ends with one byte of checksum
  for (;;) {
    if (at + 4 > data.length) throw damaged('cut off');
    const size = view.getUint32(at, true);
    at += 4;
    if (size === 0) return out.bytes();
    const end = at + (size % STORED);
    if (end > data.length) throw damaged('cut off');
    if (size >= STORED) out.append(data.subarray(at, end));
    else decompressBlock(data.subarray(at, end), out);
    at = end + (blockChecksum ? 4 : 0);
  }
}

/** Sequences of literals and of copies from what is already there. */
function decompressBlock(block: Uint8Array, out: Output): void {
  let at = 0;
  const extended = (length: number): number => {
    if (length < 15) return length;
    let total = length;
    for (;;) {
      if (at >= block.length) throw damaged('cut off');
      const more = block[at++];
      total += more;
      if (more < 255) return total;
    }
  };
  while (at < block.length) {
    const token = block[at++];
    const literals = extended(token >> 4);
    if (at + literals > block.length) throw damaged('cut off');
    out.append(block.subarray(at, at + literals));
    at += literals;
    if (at >= block.length) return; // the last sequence has no copy
    const distance = block[at] | (block[at + 1] << 8);
    at += 2;
    out.repeat(distance, extended(token & 15) + 4);
  }
}

class Output {
  private data: Uint8Array;
  private length = 0;

  constructor(capacity: number) {
    this.data = new Uint8Array(capacity);
  }

  append(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.data.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** Appends `count` bytes from `distance` back; they may overlap what is being written. */
  repeat(distance: number, count: number): void {
    if (!(distance > 0) || distance > this.length) throw damaged('damaged');
    this.reserve(count);
    const { data, length } = this;
    if (distance >= count) data.copyWithin(length, length - distance, length - distance + count);
    else for (let i = length; i < length + count; i++) data[i] = data[i - distance];
    this.length += count;
  }

  bytes(): Uint8Array {
    return this.data.subarray(0, this.length);
  }

  private reserve(count: number): void {
    if (this.length + count <= this.data.length) return;
    const grown = new Uint8Array(Math.max(2 * this.data.length, this.length + count));
    grown.set(this.data.subarray(0, this.length));
    this.data = grown;
  }
}

function damaged(what: string): DataError {
  return new DataError(`Arrow: LZ4 data is ${what}; expected a whole LZ4 frame. Write the file anew.`);
}
