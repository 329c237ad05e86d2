// Keys of clients. Files hold only salted hashes: who reads one cannot call the server with it.

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { requireOneOf } from '../core/check.ts';
import { DataError, InvalidArgumentError } from '../core/errors.ts';

/** What a key of an aggregator is for: to ask for bag means, or to read the audit log. */
export const ROLES = ['analyst', 'auditor'] as const;

export type Role = (typeof ROLES)[number];

/** A key as it is kept: HMAC-SHA-256 of the key under a salt of its own. */
export interface ApiKeyHash {
  /** Whose it is: what logs show. */
  name: string;
  salt: Uint8Array;
  hash: Uint8Array;
  /** For an aggregator; a key of a language model has none. */
  role?: Role | undefined;
}

const namePattern = /^[\w.-]{1,64}$/;
const linePattern = /^([\w.-]{1,64}):hmac-sha256:([0-9a-f]{32}):([0-9a-f]{64})(?::(analyst|auditor))?$/;

/**
 * A new key of 256 random bits, with the line to keep of it.
 *
 * A fast hash is enough: nobody can try out 2²⁵⁶ keys, so a slow one, made for passwords, would only slow down requests.
 *
 * @param name - whose it is: letters, digits, _ . -
 * @param role - for an aggregator; undefined: for a language model
 * @throws {InvalidArgumentError} another name or role
 */
export function createApiKey(name: string, role?: Role): { key: string; line: string } {
  if (!namePattern.test(name)) {
    throw new InvalidArgumentError(
      `createApiKey: name is "${name}"; expected 1 to 64 letters, digits, "_", "." or "-".`,
    );
  }
  if (role !== undefined) requireOneOf('createApiKey: role', role, ROLES);
  const key = `pk-${randomBytes(32).toString('base64url')}`;
  const salt = randomBytes(16);
  const line = `${name}:hmac-sha256:${salt.toString('hex')}:${hashOf(key, salt).toString('hex')}`;
  return { key, line: role === undefined ? line : `${line}:${role}` };
}

/**
 * Reads the lines of a file of keys; empty ones and those that begin with # mean nothing.
 *
 * @throws {DataError} a line is none of `createApiKey`, or there is none at all
 */
export function parseApiKeys(text: string, where: string = 'API keys'): ApiKeyHash[] {
  const keys: ApiKeyHash[] = [];
  text.split(/\r?\n/).forEach((raw, i) => {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) return;
    const match = linePattern.exec(line);
    if (!match) {
      // The line itself may be a key that someone pasted, so it is not shown.
      throw new DataError(
        `${where}: line ${i + 1} is no hashed key; expected name:hmac-sha256:<salt>:<hash>, and :analyst or :auditor behind it for an aggregator. Make one with \`provably api-key\`.`,
      );
    }
    const [, name, salt, hash, role] = match;
    const key = { name, salt: Buffer.from(salt, 'hex'), hash: Buffer.from(hash, 'hex') };
    keys.push(role === undefined ? key : { ...key, role: role as Role });
  });
  if (keys.length > 0) return keys;
  throw new DataError(
    `${where}: there is no key; expected at least one line. Make one with \`provably api-key\`.`,
  );
}

/** @returns the key as it is kept; undefined when it is none of them. Its time does not depend on how much of a key is right. */
export function findApiKey(key: string, keys: readonly ApiKeyHash[]): ApiKeyHash | undefined {
  let found: ApiKeyHash | undefined;
  for (const kept of keys) if (timingSafeEqual(hashOf(key, kept.salt), kept.hash)) found = kept;
  return found;
}

/**
 * Keys for another kind of server are a mistake that must not go unseen: a list without them could be open to all.
 *
 * @param where - what has the keys, for messages
 * @param roles - those it knows; none: it is a server of a language model, whose keys have no role
 * @throws {InvalidArgumentError} a key has another role, or should have one
 */
export function requireRoles(where: string, keys: readonly ApiKeyHash[], roles: readonly Role[]): void {
  const isKnown = ({ role }: ApiKeyHash) => (role === undefined ? roles.length === 0 : roles.includes(role));
  const wrong = keys.find((key) => !isKnown(key));
  if (!wrong) return;
  const expected = roles.length === 0 ? 'no role, which is for an aggregator' : roles.join(' or ');
  throw new InvalidArgumentError(
    `${where}: the key "${wrong.name}" has ${wrong.role ? `the role ${wrong.role}` : 'no role'}; expected ${expected}. Make one with \`provably api-key${roles.length === 0 ? '' : ` --role ${roles[0]}`}\`.`,
  );
}

function hashOf(key: string, salt: Uint8Array): Buffer {
  return createHmac('sha256', salt).update(key).digest();
}
