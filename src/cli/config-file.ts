// Settings in a file, JSON or YAML: read, checked against a schema, and what is wrong said with its line.

import { readFile } from 'node:fs/promises';
import { type Document, isMap, isNode, isPair, isScalar, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { DataError } from '../core/errors.ts';
import { UsageError } from './failure.ts';
import { nearestName } from './nearest.ts';

/** A file of settings, read but not checked yet. */
export interface ConfigFile {
  readonly path: string;
  /** What it says; an empty file says nothing. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Line of a setting, from 1, if it is in the file. @param key - the last name of `place` is a key there, not the value of one */
  lineOf(place: readonly PropertyKey[], key?: string): number | undefined;
}

/**
 * Reads settings; JSON is YAML too.
 *
 * @throws {DataError} the file is missing
 * @throws {UsageError} it is no YAML, or holds no settings by name; with the line
 */
export async function readConfigFile(path: string): Promise<ConfigFile> {
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new DataError(
      `--config ${path} cannot be read (${cause.code}); expected settings in YAML or JSON.`,
      {
        cause,
      },
    );
  });
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [error] = document.errors;
  if (error) {
    const { line, col } = lines.linePos(error.pos[0]);
    throw new UsageError(`${path}, line ${line}, column ${col}: ${error.message}; expected YAML or JSON.`);
  }
  const settings = document.toJS() ?? {};
  if (typeof settings !== 'object' || Array.isArray(settings)) {
    throw new UsageError(`${path} holds ${describe(settings)}; expected settings by name, as "format: gsp".`);
  }
  return {
    path,
    settings,
    lineOf(place, key) {
      const offset = offsetOf(document, place, key);
      return offset === undefined ? undefined : lines.linePos(offset).line;
    },
  };
}

/**
 * Checks settings against a schema and fills in its defaults.
 *
 * @param settings - of the file, with flags laid over them
 * @param flagOf - the flag that gave a setting, if a flag did: it is then what the message names
 * @throws {UsageError} naming every setting that is wrong: where it is, what it is, and what was expected
 */
export function checkConfig<Schema extends z.ZodType>(
  schema: Schema,
  settings: unknown,
  file?: ConfigFile,
  flagOf: (place: readonly PropertyKey[]) => string | undefined = () => undefined,
): z.output<Schema> {
  const parsed = schema.safeParse(settings, { reportInput: true });
  if (parsed.success) return parsed.data;
  const shape = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  const problems = flatten(parsed.error.issues).flatMap((issue) => explain(issue, shape, file, flagOf));
  throw new UsageError([...new Set(problems)].join('\n'));
}

type Issue = z.core.$ZodIssue;

/** Of a union, what is wrong with the member that came closest: the one that objects to the deepest place. */
function flatten(issues: readonly Issue[], above: readonly PropertyKey[] = []): Issue[] {
  return issues.flatMap((issue) => {
    const path = [...above, ...issue.path];
    if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [{ ...issue, path } as Issue];
    const members = issue.errors.map((member) => flatten(member, path));
    const depth = (member: Issue[]): number => Math.max(...member.map((one) => one.path.length));
    const closest = members.reduce((best, member) => (depth(member) > depth(best) ? member : best));
    return depth(closest) > path.length ? closest : [{ ...issue, path, errors: [] } as Issue];
  });
}

function explain(
  issue: Issue,
  shape: JsonShape,
  file: ConfigFile | undefined,
  flagOf: (place: readonly PropertyKey[]) => string | undefined,
): string[] {
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(shape, issue.path);
    return issue.keys.map((key) => {
      const meant = nearestName(key, known);
      const hint = meant === undefined ? '' : ` Did you mean "${meant}"?`;
      return `${whereIs([...issue.path, key], file, key)} is not known; expected one of ${known.join(', ')}.${hint}`;
    });
  }
  const flag = flagOf(issue.path);
  const where = flag ?? whereIs(issue.path, file);
  const value = 'input' in issue ? issue.input : undefined;
  if (value === undefined) return [`${where} is missing; expected ${expectation(issue, shape)}.`];
  const choices = choicesAt(shape, issue.path);
  const meant = typeof value === 'string' && choices.length > 0 ? nearestName(value, choices) : undefined;
  const hint = meant === undefined ? '' : ` Did you mean "${meant}"?`;
  return [`${where} is ${describe(value)}; expected ${expectation(issue, shape)}.${hint}`];
}

function expectation(issue: Issue, shape: JsonShape): string {
  const choices = choicesAt(shape, issue.path);
  switch (issue.code) {
    case 'too_small':
      return `${sizeWord(issue.origin)}${issue.inclusive ? '≥' : '>'} ${issue.minimum}`;
    case 'too_big':
      return `${sizeWord(issue.origin)}${issue.inclusive ? '≤' : '<'} ${issue.maximum}`;
    case 'invalid_type':
      return choices.length > 0 ? `one of ${choices.join(', ')}` : kindWord(issue.expected);
    case 'invalid_value':
      return `one of ${issue.values.map(String).join(', ')}`;
    case 'custom':
      return issue.message;
    default:
      return choices.length > 0 ? `one of ${choices.join(', ')}` : describeShape(shapesAt(shape, issue.path));
  }
}

function sizeWord(origin: string): string {
  if (origin === 'array') return 'a number of entries ';
  return origin === 'string' ? 'a length ' : 'a number ';
}

function kindWord(kind: string): string {
  const words: Record<string, string> = {
    int: 'an integer',
    number: 'a finite number',
    object: 'settings by name',
    array: 'a list',
    string: 'text',
    boolean: 'true or false',
  };
  return words[kind] ?? kind;
}

function whereIs(place: readonly PropertyKey[], file: ConfigFile | undefined, key?: string): string {
  const name = place.reduce<string>(
    (text, part) =>
      typeof part === 'number' ? `${text}[${part}]` : text === '' ? String(part) : `${text}.${String(part)}`,
    '',
  );
  const what = name === '' ? 'the configuration' : `"${name}"`;
  if (file === undefined) return what;
  // What is missing has no line of its own: that of what it is missing from.
  const line = file.lineOf(place, key) ?? file.lineOf(place.slice(0, -1));
  return `${file.path}${line === undefined ? '' : `, line ${line}`}: ${what}`;
}

function describe(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return value.length > 8 ? `a list of ${value.length}` : JSON.stringify(value);
  if (typeof value === 'object') return 'an object';
  return typeof value === 'string' ? `"${value}"` : String(value);
}

/** What this file reads of a JSON schema. */
interface JsonShape {
  type?: unknown;
  properties?: Record<string, unknown>;
  items?: unknown;
  anyOf?: unknown[];
  oneOf?: unknown[];
  enum?: unknown[];
  const?: unknown;
  [key: string]: unknown;
}

function shapesAt(shape: JsonShape, place: readonly PropertyKey[]): JsonShape[] {
  let shapes = alternatives(shape);
  for (const part of place) {
    shapes = shapes.flatMap((one) => {
      const next = typeof part === 'number' ? one.items : one.properties?.[String(part)];
      return next === undefined ? [] : alternatives(next as JsonShape);
    });
  }
  return shapes;
}

function alternatives(shape: JsonShape): JsonShape[] {
  const several = shape.anyOf ?? shape.oneOf;
  return several === undefined ? [shape] : several.flatMap((one) => alternatives(one as JsonShape));
}

function keysAt(shape: JsonShape, place: readonly PropertyKey[]): string[] {
  return [...new Set(shapesAt(shape, place).flatMap((one) => Object.keys(one.properties ?? {})))];
}

function choicesAt(shape: JsonShape, place: readonly PropertyKey[]): string[] {
  const shapes = shapesAt(shape, place);
  if (shapes.some((one) => one.enum === undefined && one.const === undefined)) return [];
  return shapes.flatMap((one) => (one.enum ?? [one.const]).map(String));
}

function describeShape(shapes: readonly JsonShape[]): string {
  const words = shapes.map((one) => {
    if (one.const !== undefined) return String(one.const);
    if (one.enum !== undefined) return one.enum.join(', ');
    return kindWord(one.type === 'integer' ? 'int' : String(one.type));
  });
  return [...new Set(words)].join(' or ');
}

/** Where a value, or the key itself, begins in the text. */
function offsetOf(
  document: Document,
  place: readonly PropertyKey[],
  key: string | undefined,
): number | undefined {
  if (key === undefined) {
    const node = place.length === 0 ? document.contents : document.getIn(place as unknown[], true);
    return isNode(node) ? node.range?.[0] : undefined;
  }
  const above =
    place.length === 1 ? document.contents : document.getIn(place.slice(0, -1) as unknown[], true);
  if (!isMap(above)) return undefined;
  const pair = above.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === key);
  return pair && isScalar(pair.key) ? pair.key.range?.[0] : undefined;
}
