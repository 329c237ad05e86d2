// Serves a language model by the protocol of the OpenAI API.

export {
  type AggregatorServerOptions,
  type RunningAggregatorServer,
  startAggregatorServer,
} from './aggregator/server.ts';
export type { AggregatorServiceOptions } from './aggregator/service.ts';
export { type ApiKeyHash, createApiKey, parseApiKeys, ROLES, type Role } from './api-keys.ts';
export { isLoopback } from './guards.ts';
export type { ListenOptions } from './listen.ts';
export { type RunningServer, type ServerOptions, startServer } from './server.ts';
export { writeLine } from './server-log.ts';
export type { ServiceOptions } from './service.ts';
