// What a repository of the hub holds. The one door to `@huggingface/hub`, which knows the hub's protocol; loaded when something is pulled.

import { z } from 'zod';
import { DataError, MissingDependencyError, ProvablyError } from '../core/errors.ts';
import { ConnectionError, type RetryOptions, requireOk, withRetries } from './connection.ts';
import type { ModelName } from './model-name.ts';
import { printable } from './printable.ts';

export interface RemoteFile {
  path: string;
  size: number;
  /** SHA-256 of the content; or, for small files, SHA-1 of git's blob of it. */
  checksum: { kind: 'sha256' | 'git-blob'; hex: string };
}

export interface Repository {
  /** The commit that the revision meant: everything is fetched from it, whatever is pushed meanwhile. */
  commit: string;
  files: RemoteFile[];
}

export interface Hub extends RetryOptions {
  /** As https://huggingface.co, without a slash at the end. */
  endpoint: string;
  token?: string | undefined;
  signal?: AbortSignal | undefined;
}

const HEX40 = /^[0-9a-f]{40}$/;
const HEX64 = /^[0-9a-f]{64}$/;

const entrySchema = z.object({
  path: z.string().min(1).max(4096),
  size: z.int().nonnegative(),
  oid: z.string().regex(HEX40),
  lfs: z.object({ oid: z.string().regex(HEX64), size: z.int().nonnegative() }).optional(),
});

/** No repository of a model comes near this. */
const MAX_FILES = 100_000;

/**
 * Asks for the commit and the files of a repository.
 *
 * @throws {DataError} there is no such model, it may not be read, or the hub cannot be reached
 * @throws {MissingDependencyError} `@huggingface/hub` is not installed
 */
export async function openRepository(name: ModelName, hub: Hub): Promise<Repository> {
  const { modelInfo, listFiles } = await loadHub();
  const { repository, revision } = name;
  const common = {
    hubUrl: hub.endpoint,
    fetch: guardedFetch(hub),
    ...(hub.token === undefined ? {} : { accessToken: hub.token }),
  };
  try {
    const { sha } = await modelInfo({ name: repository, revision, additionalFields: ['sha'], ...common });
    if (!HEX40.test(sha))
      throw new DataError(
        `pull: the hub says that ${revision} is ${printable(String(sha))}; expected a commit.`,
      );
    const files: RemoteFile[] = [];
    const listed = listFiles({
      ...{ repo: { type: 'model', name: repository }, revision: sha, recursive: true },
      ...common,
    });
    for await (const entry of listed) {
      if (entry.type !== 'file') continue;
      if (files.length === MAX_FILES)
        throw new DataError(`pull: ${repository} lists more than ${MAX_FILES} files.`);
      files.push(remoteFile(entry));
    }
    return { commit: sha, files };
  } catch (error) {
    hub.signal?.throwIfAborted();
    throw explain(error, name, hub);
  }
}

function remoteFile(entry: unknown): RemoteFile {
  const parsed = entrySchema.safeParse(entry);
  if (!parsed.success) {
    throw new DataError(
      `pull: the hub lists a file without a readable name, size or hash: ${z.prettifyError(parsed.error)}`,
    );
  }
  const { path, size, oid, lfs } = parsed.data;
  return lfs
    ? { path, size: lfs.size, checksum: { kind: 'sha256', hex: lfs.oid } }
    : { path, size, checksum: { kind: 'git-blob', hex: oid } };
}

/** The address of a file's content. */
export function contentUrl(
  { endpoint }: Hub,
  { repository }: ModelName,
  commit: string,
  path: string,
): string {
  return `${endpoint}/${repository}/resolve/${commit}/${path.split('/').map(encodeURIComponent).join('/')}`;
}

/** For the library: tries again what may succeed, and sends the token to the hub alone, whatever the next page's address is. */
function guardedFetch(hub: Hub): typeof fetch {
  const { origin } = new URL(hub.endpoint);
  return (input, init) =>
    withRetries(hub, async () => {
      const url = new URL(String(input));
      if (url.origin !== origin) {
        throw new DataError(
          `pull: the hub refers to ${printable(url.origin)}; expected ${origin}. Check --endpoint.`,
        );
      }
      let response: Response;
      try {
        response = await fetch(url, { ...init, signal: hub.signal ?? null });
      } catch (cause) {
        hub.signal?.throwIfAborted();
        throw new ConnectionError(cause);
      }
      await requireOk(response, { passing: (status) => status < 500 && status !== 429 && status !== 408 });
      return response;
    });
}

function explain(error: unknown, name: ModelName, { endpoint, token }: Hub): Error {
  if (error instanceof ProvablyError) return error;
  const { repository, revision } = name;
  const status = (error as { statusCode?: unknown }).statusCode;
  const message = printable(error instanceof Error ? error.message : String(error), 200);
  if (status === 401 || status === 403) {
    const how = token
      ? `Accept its terms at ${endpoint}/${repository} with the account of HF_TOKEN, or check the name.`
      : `Check the name; for a gated or private model accept its terms at ${endpoint}/${repository} and set HF_TOKEN.`;
    return new DataError(`pull: ${endpoint} does not show ${repository} (${status}). ${how}`, {
      cause: error,
    });
  }
  if (status === 404) {
    return new DataError(
      `pull: ${endpoint} has no model ${repository} with a revision ${revision} (404). Check the name.`,
      { cause: error },
    );
  }
  return new DataError(`pull: ${endpoint} does not answer as the hub does: ${message}. Check --endpoint.`, {
    cause: error,
  });
}

async function loadHub(): Promise<typeof import('@huggingface/hub')> {
  try {
    return await import('@huggingface/hub');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    throw new MissingDependencyError(
      'pull: what speaks with the hub is not installed; expected @huggingface/hub. Run: npm install @huggingface/hub',
      { cause },
    );
  }
}
