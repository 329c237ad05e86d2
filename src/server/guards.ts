// Who may call: by key, and by the name they call this machine.

import { ApiError } from './api-error.ts';
import { type ApiKeyHash, findApiKey } from './api-keys.ts';

/** @returns the key as it is kept; undefined when none is needed @throws {ApiError} 401 */
export function requireApiKey(
  authorization: string | undefined,
  keys: readonly ApiKeyHash[],
): ApiKeyHash | undefined {
  if (keys.length === 0) return undefined;
  const key = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
  if (key === undefined) {
    throw new ApiError(401, 'There is no API key; expected the header "Authorization: Bearer <key>".', {
      code: 'missing_api_key',
    });
  }
  const found = findApiKey(key, keys);
  if (found) return found;
  throw new ApiError(401, 'The API key is not one of this server.', { code: 'invalid_api_key' });
}

/** An address that only this machine can reach. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
}

/**
 * A page can point a name of its own at 127.0.0.1 and then ask this server as if it were its own (DNS rebinding): a
 * server on loopback answers to names of loopback only.
 *
 * @throws {ApiError} 403
 */
export function requireLoopbackName(host: string | undefined): void {
  const name = (host ?? '').replace(/:\d+$/, '').toLowerCase();
  if (isLoopback(name)) return;
  throw new ApiError(403, `The server is called "${name}"; expected localhost or 127.0.0.1.`, {
    code: 'wrong_host',
  });
}
