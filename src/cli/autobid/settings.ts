// From a file of settings and flags to one checked configuration; flags go first.

import { stringify } from 'yaml';
import type { z } from 'zod';
import { checkConfig, readConfigFile } from '../config-file.ts';
import type { CliContext } from '../context.ts';

/** Where in the settings each flag belongs, by the flag's name in camel case. */
export type FlagPlaces = Readonly<Record<string, readonly string[]>>;

export interface LoadSettingsOptions {
  /** Path of the file. */
  config: string | undefined;
  /** As commander gives them; only those in `places` are looked at. */
  flags: object;
  places: FlagPlaces;
}

/**
 * Settings of the file with flags laid over them, checked, with defaults.
 *
 * @throws {UsageError} a setting is wrong; the message names the flag, or the file and its line
 * @throws {DataError} the file is missing
 */
export async function loadSettings<Schema extends z.ZodType>(
  schema: Schema,
  { config, flags, places }: LoadSettingsOptions,
): Promise<z.output<Schema>> {
  const file = config === undefined ? undefined : await readConfigFile(config);
  const settings = structuredClone(file?.settings ?? {}) as Record<string, unknown>;
  const given = new Map<string, string>();
  for (const [name, place] of Object.entries(places)) {
    const value = (flags as Record<string, unknown>)[name];
    if (value === undefined) continue;
    lay(settings, place, value);
    given.set(place.join('.'), `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`);
  }
  return checkConfig(schema, settings, file, (place) => given.get(place.join('.')));
}

/** Puts a value where it belongs; what is in the way and no object is left for the schema to complain about. */
function lay(settings: Record<string, unknown>, place: readonly string[], value: unknown): void {
  const [name, ...rest] = place;
  if (rest.length === 0) {
    settings[name] = value;
    return;
  }
  settings[name] ??= {};
  const inner = settings[name];
  if (typeof inner === 'object' && !Array.isArray(inner)) lay(inner as Record<string, unknown>, rest, value);
}

/** Prints the configuration in effect, as a file that gives the same run. */
export function printConfig({ stdout }: CliContext, config: object, json: boolean): void {
  stdout.write(json ? `${JSON.stringify(config)}\n` : configText(config));
}

/** A configuration as YAML. */
export function configText(config: object): string {
  return stringify(config, { lineWidth: 110 });
}
