// A file on its way: what is there of it, under the name `<target>.part`, and the hash of that.

import { createHash, type Hash } from 'node:crypto';
import { constants, type FileHandle, lstat, open, rename, rm } from 'node:fs/promises';
import { DataError } from '../core/errors.ts';
import type { RemoteFile } from './repository.ts';

const PIECE = 2 ** 20;

interface Run {
  signal?: AbortSignal | undefined;
  /** Bytes that are known to be there. */
  onBytes?: ((bytes: number) => void) | undefined;
}

/** Whether `target` holds the content of `file`: size, then hash. */
export async function isComplete(target: string, file: RemoteFile, run: Run = {}): Promise<boolean> {
  const found = await lstat(target).catch(() => undefined);
  if (!found?.isFile() || found.size !== file.size) return false;
  await using handle = await open(target, 'r');
  const digest = await hashFile(handle, file, file.size, run);
  return digest.digest('hex') === file.checksum.hex;
}

export class PartFile implements AsyncDisposable {
  readonly path: string;
  readonly file: RemoteFile;
  /** Bytes that an earlier run left and that still count. */
  resumed: number;
  /** Bytes that this run brought, those that were forgotten too. */
  received = 0;
  private readonly handle: FileHandle;
  private digest: Hash;
  private bytes: number;

  private constructor(path: string, file: RemoteFile, handle: FileHandle, digest: Hash, bytes: number) {
    this.path = path;
    this.file = file;
    this.handle = handle;
    this.digest = digest;
    this.bytes = bytes;
    this.resumed = bytes;
  }

  /** Goes on with what is there, if anything. @throws {DataError} it is a link, or cannot be written */
  static async open(target: string, file: RemoteFile, run: Run = {}): Promise<PartFile> {
    const path = `${target}.part`;
    // Not through links: they could lead anywhere.
    const flags = constants.O_RDWR | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0);
    const handle = await open(path, flags).catch((error) => {
      throw writeFailure(path, error);
    });
    try {
      const stats = await handle.stat();
      if (!stats.isFile()) throw new DataError(`pull: ${path} is no file; expected one. Move it away.`);
      // More bytes than the file has are not its own.
      const size = stats.size > file.size ? 0 : stats.size;
      if (size !== stats.size) await handle.truncate(0);
      return new PartFile(path, file, handle, await hashFile(handle, file, size, run), size);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** Bytes written so far. */
  get written(): number {
    return this.bytes;
  }

  get isWhole(): boolean {
    return this.bytes === this.file.size;
  }

  /** @throws {DataError} more bytes than there should be, or the disk takes no more */
  async append(bytes: Uint8Array): Promise<void> {
    const { path, size } = this.file;
    if (this.bytes + bytes.length > size) {
      throw new DataError(
        `pull: the server sends more than the ${size} bytes of ${path}. Run the command again.`,
      );
    }
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await this.handle
        .write(bytes, done, bytes.length - done, this.bytes + done)
        .catch((error) => {
          throw writeFailure(this.path, error);
        });
      done += bytesWritten;
    }
    this.digest.update(bytes);
    this.bytes += bytes.length;
    this.received += bytes.length;
  }

  /** Forgets what is there. */
  async restart(): Promise<void> {
    await this.handle.truncate(0);
    this.digest = startHash(this.file);
    this.bytes = 0;
    this.resumed = 0;
  }

  /** Whether the bytes are those of the file. To be asked once, of the whole. */
  matches(): boolean {
    return this.digest.digest('hex') === this.file.checksum.hex;
  }

  /** Gives the whole file its name. */
  async moveTo(target: string): Promise<void> {
    // The name must not be there before the bytes are, not even after a power cut.
    await this.handle.sync();
    await this.handle.close();
    await rename(this.path, target).catch((error) => {
      throw writeFailure(target, error);
    });
  }

  async remove(): Promise<void> {
    await this.handle.close();
    await rm(this.path, { force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.handle.close(); // a second time does nothing
  }
}

function startHash({ checksum, size }: RemoteFile): Hash {
  return checksum.kind === 'sha256' ? createHash('sha256') : createHash('sha1').update(`blob ${size}\0`);
}

async function hashFile(
  handle: FileHandle,
  file: RemoteFile,
  size: number,
  { signal, onBytes }: Run,
): Promise<Hash> {
  const digest = startHash(file);
  const piece = Buffer.allocUnsafe(Math.max(1, Math.min(PIECE, size)));
  for (let done = 0; done < size; ) {
    signal?.throwIfAborted();
    const { bytesRead } = await handle.read(piece, 0, Math.min(piece.length, size - done), done);
    if (bytesRead === 0)
      throw new DataError(`pull: ${file.path} became shorter while it was read. Run the command again.`);
    digest.update(piece.subarray(0, bytesRead));
    done += bytesRead;
    onBytes?.(done);
  }
  return digest;
}

function writeFailure(path: string, error: NodeJS.ErrnoException): DataError {
  const { code } = error;
  const [what, how] =
    code === 'ENOSPC' || code === 'EDQUOT'
      ? [
          'the disk is full',
          'What is there is kept: make room and run the command again, which goes on from there.',
        ]
      : code === 'ELOOP'
        ? ['it is a link', 'Move it away.']
        : [error.message, 'Name a folder that can be written with --to.'];
  return new DataError(`pull: ${path} cannot be written: ${what}. ${how}`, { cause: error });
}
