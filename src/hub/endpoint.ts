// Where the hub is, and whether a token may be sent there.

import { InvalidArgumentError } from '../core/errors.ts';
import { printable } from './printable.ts';

const HUB = 'https://huggingface.co';

/**
 * @param token - is never shown
 * @returns the address without a slash at the end
 * @throws {InvalidArgumentError} no address of a hub, no token, or a token that others could read on its way
 */
export function hubEndpoint(address: string = HUB, token?: string): string {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password || url.search || url.hash) {
    throw new InvalidArgumentError(
      `pullModel: endpoint is ${printable(address)}; expected an address as ${HUB}.`,
    );
  }
  if (token !== undefined) {
    if (!/^hf_[\w-]+$/.test(token)) {
      throw new InvalidArgumentError(
        'pullModel: the token (HF_TOKEN) is none of the hub; expected one that begins with hf_, without spaces.',
      );
    }
    const isHere = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname);
    if (url.protocol === 'http:' && !isHere) {
      throw new InvalidArgumentError(
        `pullModel: the token would go unencrypted to ${url.host}; expected https. Unset HF_TOKEN, or name another endpoint.`,
      );
    }
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}
