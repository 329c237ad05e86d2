// Keys of clients. Files hold only salted hashes: who reads one cannot call the server with it.

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { DataError, InvalidArgumentError } from '../core/errors.ts';

/** A key as it is kept: HMAC-SHA-256 of the key under a salt of its own. */
export interface ApiKeyHash {
  /** Whose it is: what logs show. */
  name: string;
  salt: Uint8Array;
  hash: Uint8Array;
}

const namePattern = /^[\w.-]{1,64}$/;
const linePattern = /^([\w.-]{1,64}):hmac-sha256:([0-9a-f]{32}):([0-9a-f]{64})$/;

/**
 * A new key of 256 random bits, with the line to keep of it.
 *
 * A fast hash is enough: nobody can try out 2²⁵⁶ keys, so a slow one, made for passwords, would only slow down requests.
 *
 * @param name - whose it is: letters, digits, _ . -
 * @throws {InvalidArgumentError} another name
 */
export function createApiKey(name: string): { key: string; line: string } {
  if (!namePattern.test(name)) {
    throw new InvalidArgumentError(
      `createApiKey: name is "${name}"; expected 1 to 64 letters, digits, "_", "." or "-".`,
    );
  }
  const key = `pk-${randomBytes(32).toString('base64url')}`;
  const salt = randomBytes(16);
  return { key, line: `${name}:hmac-sha256:${salt.toString('hex')}:${hashOf(key, salt).toString('hex')}` };
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
        `${where}: line ${i + 1} is no hashed key; expected name:hmac-sha256:<salt>:<hash>. Make one with \`provably api-key\`.`,
      );
    }
    const [, name, salt, hash] = match;
    keys.push({ name, salt: Buffer.from(salt, 'hex'), hash: Buffer.from(hash, 'hex') });
  });
  if (keys.length > 0) return keys;
  throw new DataError(
    `${where}: there is no key; expected at least one line. Make one with \`provably api-key\`.`,
  );
}

/** @returns the name of the key; undefined when it is none of them. Its time does not depend on how much of a key is right. */
export function findApiKey(key: string, keys: readonly ApiKeyHash[]): string | undefined {
  let found: string | undefined;
  for (const { name, salt, hash } of keys) if (timingSafeEqual(hashOf(key, salt), hash)) found = name;
  return found;
}

function hashOf(key: string, salt: Uint8Array): Buffer {
  return createHmac('sha256', salt).update(key).digest();
}
