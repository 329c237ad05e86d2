// A model of the Hugging Face hub, or of a mirror of it, into a folder that the engine opens.

import { mkdir, readFile, rm, stat, statfs } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { requireInteger, requireNumber } from '../core/check.ts';
import { DataError, InvalidArgumentError } from '../core/errors.ts';
import type { RunOptions } from '../core/progress.ts';
import { type Choice, CONFIG, chooseFiles, INDEX, shardsOf, type Wish } from './choose-files.ts';
import type { RetryOptions } from './connection.ts';
import { hubEndpoint } from './endpoint.ts';
import { fetchFile } from './fetch-file.ts';
import { type ModelName, requireModelName } from './model-name.ts';
import { contentUrl, type Hub, openRepository, type RemoteFile } from './repository.ts';
import { makeFolders, safeParts } from './safe-path.ts';

export interface PullOptions extends RunOptions, RetryOptions {
  /** Folder that the files go to, made where it is missing. */
  to: string;
  /** Name or path of a GGUF file in the repository. Default: the quantisation that the name tells, else the only model there is. */
  file?: string | undefined;
  /** Address of the hub or of a mirror. Default https://huggingface.co. */
  endpoint?: string | undefined;
  /** Access token, for gated and private models. It is sent to `endpoint` only, and never unencrypted to another machine. Default: none. */
  token?: string | undefined;
  /** Milliseconds without a byte after which a connection counts as broken. Default 60 000. */
  stallTimeout?: number | undefined;
}

export interface PulledModel {
  repository: string;
  revision: string;
  /** The commit that the files are of. */
  commit: string;
  kind: 'gguf' | 'safetensors';
  /** To be opened: a .gguf file, or the folder. */
  path: string;
  files: {
    path: string;
    bytes: number /** Of them, those that came over the network now. */;
    received: number;
  }[];
  /** Of all files. */
  bytes: number;
  /** That came over the network now; 0: all was there and verified. */
  received: number;
}

/**
 * Fetches what the engine needs of a model: one GGUF model, or config.json, tokenizer, .safetensors files and their index.
 *
 * A file appears under its name when size and hash (SHA-256, or SHA-1 of git for small ones) are those that the hub tells. Until then it is
 * `<name>.part`, from which a later call goes on; broken connections are taken up again. Files that are there with the right content are not
 * fetched. In a folder, config.json comes last: where it lies, the model is whole.
 *
 * @param name - "owner/name", "owner/name@revision" or "owner/name:Q4_K_M"
 * @throws {InvalidArgumentError} no name of a model, or a choice among several that is missing
 * @throws {DataError} no such model or not for this token, unsafe file names, a wrong hash, no connection, no space
 * @throws {MissingDependencyError} `@huggingface/hub` is not installed
 */
export async function pullModel(
  name: string,
  { to, file, endpoint, token, signal, onProgress, retries, retryDelay, stallTimeout }: PullOptions,
): Promise<PulledModel> {
  const model = requireModelName('pullModel: name', name);
  if (retries !== undefined) requireInteger('pullModel: retries', retries, 0, 1000);
  if (retryDelay !== undefined) requireNumber('pullModel: retryDelay', retryDelay, 0);
  if (stallTimeout !== undefined) requireNumber('pullModel: stallTimeout', stallTimeout, 1, 2 ** 31 - 1);
  if (file !== undefined && model.quantisation !== undefined) {
    throw new InvalidArgumentError(
      `pullModel: both a file and the quantisation ${model.quantisation} are named; expected one of them.`,
    );
  }
  const hub: Hub = { endpoint: hubEndpoint(endpoint, token), token, signal, retries, retryDelay };
  const { commit, files } = await openRepository(model, hub);
  const wish: Wish = { file, quantisation: model.quantisation };
  const choice = chooseFiles(model.repository, files, wish);
  // All names before the first byte.
  for (const { path } of choice.files) safeParts('pull', path);
  const folder = resolve(to);
  await mkdir(folder, { recursive: true }).catch((cause) => {
    throw new DataError(`pull: ${folder} cannot be made: ${cause.message}. Name another folder with --to.`, {
      cause,
    });
  });
  const job = new PullJob(model, commit, folder, choice.kind, { ...hub, stallTimeout }, onProgress);
  const wanted = await withShards(job, choice, files);
  await job.refuseOtherIndex(choice);
  await job.requireSpace(wanted);
  await job.fetchAll(wanted);
  return {
    ...{ repository: model.repository, revision: model.revision, commit, kind: choice.kind },
    path: choice.kind === 'gguf' ? join(folder, ...choice.path.split('/')) : folder,
    files: job.done,
    bytes: wanted.reduce((sum, { size }) => sum + size, 0),
    received: job.done.reduce((sum, { received }) => sum + received, 0),
  };
}

/** All files of a model, in the order of fetching. The index, if there is one, is there when this returns. */
async function withShards(job: PullJob, choice: Choice, files: readonly RemoteFile[]): Promise<RemoteFile[]> {
  if (choice.kind === 'gguf' || !choice.index) return choice.files;
  await job.fetchAll([choice.index]);
  const { repository } = job.name;
  let json: unknown;
  try {
    json = JSON.parse(await readFile(join(job.folder, INDEX), 'utf8'));
  } catch (cause) {
    throw new DataError(`pull: ${INDEX} of ${repository} is no JSON; expected an object.`, { cause });
  }
  const shards = shardsOf(repository, json, files);
  for (const { path } of shards) safeParts('pull', path);
  return [...choice.files.slice(0, -1), ...shards, ...choice.files.slice(-1)];
}

/** One call of `pullModel`. */
class PullJob {
  readonly name: ModelName;
  readonly folder: string;
  readonly kind: Choice['kind'];
  readonly done: PulledModel['files'] = [];
  private readonly commit: string;
  private readonly hub: Hub & { stallTimeout: number | undefined };
  private readonly onProgress: RunOptions['onProgress'];

  constructor(
    name: ModelName,
    commit: string,
    folder: string,
    kind: Choice['kind'],
    hub: PullJob['hub'],
    onProgress: RunOptions['onProgress'],
  ) {
    this.name = name;
    this.commit = commit;
    this.folder = folder;
    this.kind = kind;
    this.hub = hub;
    this.onProgress = onProgress;
  }

  /** Fetches what `done` does not hold yet. */
  async fetchAll(files: readonly RemoteFile[]): Promise<void> {
    const total = files.reduce((sum, { size }) => sum + size, 0);
    let before = 0;
    for (const file of files) {
      if (!this.done.some(({ path }) => path === file.path)) {
        const { path, size } = file;
        const parts = safeParts('pull', path);
        const target = join(await makeFolders(this.folder, parts.slice(0, -1)), parts[parts.length - 1]);
        const report = (bytes: number) => this.onProgress?.({ phase: path, done: before + bytes, total });
        report(0);
        // Files of another version may be about to be replaced: until all are, config.json must not say that the model is whole.
        const onMissing =
          this.kind === 'gguf' || path === CONFIG
            ? undefined
            : () => rm(join(this.folder, CONFIG), { force: true });
        const url = contentUrl(this.hub, this.name, this.commit, path);
        const received = await fetchFile(file, target, { ...this.hub, url, onBytes: report, onMissing });
        this.done.push({ path, bytes: size, received });
      }
      before += file.size;
    }
  }

  /** An index that is not of this model would be preferred to its weights. @throws {DataError} there is one */
  async refuseOtherIndex(choice: Choice): Promise<void> {
    if (choice.kind === 'gguf' || choice.index) return;
    if (!(await stat(join(this.folder, INDEX)).catch(() => undefined))) return;
    throw new DataError(
      `pull: ${this.folder} has an ${INDEX}, which this model has not; expected a folder of this model. Remove it, or name another folder with --to.`,
    );
  }

  /** @throws {DataError} the disk has no room for what is missing */
  async requireSpace(files: readonly RemoteFile[]): Promise<void> {
    let needed = 0;
    for (const { path, size } of files) {
      const target = join(this.folder, ...path.split('/'));
      const [whole, part] = await Promise.all(
        [target, `${target}.part`].map((name) => stat(name).catch(() => undefined)),
      );
      if (whole?.size !== size) needed += Math.max(0, size - (part?.size ?? 0));
    }
    const { bavail, bsize } = await statfs(this.folder);
    if (needed <= bavail * bsize) return;
    throw new DataError(
      `pull: ${this.folder} has room for ${bavail * bsize} bytes; expected ${needed} for what is missing of ${this.name.repository}. Make room, or name another folder with --to.`,
    );
  }
}
