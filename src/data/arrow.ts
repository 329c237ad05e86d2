// The one door to apache-arrow, loaded when the first Arrow file is met.

import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type * as Arrow from 'apache-arrow';
import { MissingDependencyError } from '../core/errors.ts';
import { decompressLz4Frame } from './lz4-frame.ts';

let loaded: Promise<typeof Arrow> | undefined;

/** @throws {MissingDependencyError} `apache-arrow` is not installed */
export function loadArrow(): Promise<typeof Arrow> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<typeof Arrow> {
  try {
    const arrow = await import('apache-arrow');
    // Feather files are LZ4 by default, and apache-arrow brings no codec of its own.
    arrow.compressionRegistry.set(arrow.CompressionType.LZ4_FRAME, { decode: decompressLz4Frame });
    arrow.compressionRegistry.set(arrow.CompressionType.ZSTD, {
      decode: (data) => new Uint8Array(zstdDecompressSync(data)),
      encode: (data) => new Uint8Array(zstdCompressSync(data)),
    });
    return arrow;
  } catch (cause) {
    loaded = undefined;
    throw new MissingDependencyError(
      'openTable: Arrow files need the package apache-arrow, which could not be loaded. Install it: npm install apache-arrow',
      { cause },
    );
  }
}
