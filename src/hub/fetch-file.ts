// One file of a repository into a folder: goes on where an earlier run stopped, and counts only when size and hash are right.
//
// `downloadFile` of @huggingface/hub gives a Blob that reads the file from its start, checks no hash, and reads large files by the xet protocol,
// of whose pieces a broken run keeps nothing. The plain address serves every file, xet-backed ones too, takes ranges, and the listing has told
// size and hash, so that is what is asked for here.

import { DataError, ProvablyError } from '../core/errors.ts';
import { ConnectionError, requireOk, withRetries } from './connection.ts';
import { isComplete, PartFile } from './part-file.ts';
import type { Hub, RemoteFile } from './repository.ts';

export interface FetchFileOptions extends Hub {
  url: string;
  /** Bytes of the file that are there. */
  onBytes?: ((bytes: number) => void) | undefined;
  /** Called when the file is not there with the right content, before it is fetched. */
  onMissing?: (() => Promise<void>) | undefined;
  /** Milliseconds without a byte after which a connection counts as broken. Default 60 000. */
  stallTimeout?: number | undefined;
}

/** A connection that brought so many bytes before it broke was a good one. */
const GOOD = 2 ** 20;

/**
 * @returns bytes that came over the network; 0 when the file was there already
 * @throws {DataError} the hash is wrong (the part is removed), the server refuses, connections keep failing, or the disk is full (the part is kept)
 */
export async function fetchFile(
  file: RemoteFile,
  target: string,
  options: FetchFileOptions,
): Promise<number> {
  if (await isComplete(target, file, options)) return 0;
  await options.onMissing?.();
  await using part = await PartFile.open(target, file, options);
  let last = part.received;
  const gotFurther = () => {
    const brought = part.received - last;
    last = part.received;
    return brought >= GOOD;
  };
  for (;;) {
    if (!part.isWhole) await withRetries(options, () => fetchRest(part, options), gotFurther);
    if (part.matches()) break;
    if (part.resumed === 0) {
      await part.remove();
      throw new DataError(
        `pull: the ${file.size} bytes of ${file.path} do not have the hash that the hub tells, ${file.checksum.hex}; they are removed. Run the command again; if it stays so, a mirror or proxy changes files.`,
      );
    }
    // What an earlier run left may have been of an earlier version of the file.
    await part.restart();
  }
  await part.moveTo(target);
  return part.received;
}

/** @throws {ConnectionError} it ended before the file did */
async function fetchRest(part: PartFile, options: FetchFileOptions): Promise<void> {
  const { url, token, signal, onBytes, stallTimeout = 60_000 } = options;
  const stall = new AbortController();
  const timer = setTimeout(() => stall.abort(new Error('no bytes came for a while')), stallTimeout);
  try {
    const response = await fetch(url, {
      headers: {
        'accept-encoding': 'identity', // a range of compressed bytes would be of no use
        ...(part.written > 0 ? { range: `bytes=${part.written}-` } : {}),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), // fetch drops it when it is sent on to another host
      },
      signal: signal ? AbortSignal.any([signal, stall.signal]) : stall.signal,
    });
    await beginAt(part, response);
    for await (const chunk of response.body ?? []) {
      timer.refresh();
      await part.append(chunk);
      onBytes?.(part.written);
    }
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof ProvablyError || error instanceof ConnectionError) throw error;
    throw new ConnectionError(error);
  } finally {
    clearTimeout(timer);
  }
  if (!part.isWhole) {
    throw new ConnectionError(
      new Error(`${part.written} of the ${part.file.size} bytes of ${part.file.path} came`),
    );
  }
}

/** Makes the part and the answer begin at the same byte. @throws as `requireOk`; {ConnectionError} the answer is of no use, and the part starts anew */
async function beginAt(part: PartFile, response: Response): Promise<void> {
  const { status, headers } = response;
  const { path, size } = part.file;
  const isRange =
    status === 206 && headers.get('content-range') === `bytes ${part.written}-${size - 1}/${size}`;
  if (status === 416 || (status === 206 && !isRange)) {
    await response.body?.cancel();
    await part.restart();
    throw new ConnectionError(new Error(`the server does not give the end of ${path}`));
  }
  await requireOk(response);
  // The whole although the rest was asked for.
  if (!isRange && part.written > 0) await part.restart();
  const length = headers.get('content-length');
  if (length !== null && !headers.has('content-encoding') && Number(length) !== size - part.written) {
    await response.body?.cancel();
    throw new DataError(
      `pull: the server has ${length} bytes of ${path}; expected ${size - part.written}, as the hub lists. Check --endpoint.`,
    );
  }
}
