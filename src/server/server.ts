// A model behind an address.

import type { OpenedModel, TextGenerator } from '../llm/index.ts';
import { isLoopback } from './guards.ts';
import { type Listener, type ListenOptions, listen } from './listen.ts';
import type { ServiceOptions } from './service.ts';

export interface ServerOptions extends ServiceOptions, ListenOptions {}

export interface RunningServer extends Listener {
  /** What clients call the model. */
  readonly model: string;
  /** Texts that wait and grow now. */
  readonly load: TextGenerator['load'];
}

/**
 * Serves a model by the protocol of the OpenAI API.
 *
 * @throws {InvalidArgumentError} an option is out of range, or a key is for an aggregator
 * @throws {MissingDependencyError} hono, @hono/node-server or prom-client is not installed
 * @throws {DataError} the address cannot be listened on
 */
export async function startServer(
  opened: OpenedModel,
  { host, port, shutdownTimeout, ...options }: ServerOptions,
): Promise<RunningServer> {
  const { listener, answering } = await listen(
    'startServer',
    { host, port, shutdownTimeout },
    async (address) => {
      const [{ Service }, { createApp }] = await Promise.all([import('./service.ts'), import('./app.ts')]);
      const service = new Service(opened, options);
      const { fetch } = createApp(service, isLoopback(address));
      return { fetch, requests: service.requests, service };
    },
  );
  const { service } = answering;
  return {
    ...listener,
    model: service.modelName,
    get load() {
      return service.generator.load;
    },
  };
}
