// What people call a model of the hub: owner/name, with a revision or a quantisation where they mean one.

import { join } from 'node:path';
import { InvalidArgumentError } from '../core/errors.ts';
import { isSafePart } from './safe-path.ts';

export interface ModelName {
  /** "owner/name". */
  repository: string;
  /** Branch, tag or commit; "main" when none is named. */
  revision: string;
  /** Of a GGUF file, in capitals: "Q4_K_M". */
  quantisation?: string;
}

const PATTERN = /^([A-Za-z0-9][\w.-]*)\/([A-Za-z0-9_][\w.-]*)(?:@([\w./-]+))?(?::([A-Za-z0-9]\w*))?$/;

export const MAIN = 'main';

/** Reads `owner/name`, `owner/name@revision`, `owner/name:Q4_K_M`; undefined when `text` is no such name. */
export function parseModelName(text: string): ModelName | undefined {
  const [, owner, name, revision = MAIN, quantisation] = PATTERN.exec(text) ?? [];
  if (owner === undefined || !isSafePart(owner) || !isSafePart(name) || !isRevision(revision))
    return undefined;
  return {
    repository: `${owner}/${name}`,
    revision,
    ...(quantisation === undefined ? {} : { quantisation: quantisation.toUpperCase() }),
  };
}

/** @throws {InvalidArgumentError} no name of a model */
export function requireModelName(where: string, text: string): ModelName {
  const name = parseModelName(text);
  if (name) return name;
  throw new InvalidArgumentError(
    `${where}: ${JSON.stringify(text)} is no name of a model; expected owner/name, owner/name@revision or owner/name:quantisation, as HuggingFaceTB/SmolLM2-135M-Instruct.`,
  );
}

/** @throws {InvalidArgumentError} no name of a revision */
export function requireRevision(where: string, revision: string): void {
  if (/^[\w./-]+$/.test(revision) && isRevision(revision)) return;
  throw new InvalidArgumentError(
    `${where} is ${JSON.stringify(revision)}; expected a branch, a tag or a commit, as main or refs/pr/1.`,
  );
}

function isRevision(revision: string): boolean {
  return revision.length <= 200 && revision.split('/').every(isSafePart);
}

/** The folder of a model: owner/name below `models`, and owner/name@revision for all revisions but main. */
export function folderOf(models: string, { repository, revision }: ModelName): string {
  const [owner, name] = repository.split('/');
  const suffix = revision === MAIN ? '' : `@${encodeURIComponent(revision)}`;
  return join(models, owner, `${name}${suffix}`);
}

/** The name again, as commands take it. */
export function formatModelName({ repository, revision, quantisation }: ModelName): string {
  return `${repository}${revision === MAIN ? '' : `@${revision}`}${quantisation ? `:${quantisation}` : ''}`;
}
