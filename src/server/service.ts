// What all routes work with: one model, its queue, its limits.

import { randomInt, randomUUID } from 'node:crypto';
import { requireInteger, requireNumber, requireOneOf } from '../core/check.ts';
import {
  type ChatTemplate,
  type EmbedOptions,
  type LanguageModel,
  type OpenedModel,
  type PrefillOptions,
  type SequenceOptions,
  TextGenerator,
  type TextGeneratorOptions,
  type Tokenizer,
} from '../llm/index.ts';
import { ApiError, asApiError } from './api-error.ts';
import { type ApiKeyHash, requireRoles } from './api-keys.ts';
import { ServerMetrics } from './metrics.ts';
import { RequestRegistry } from './request-life.ts';
import type { Policy } from './schemas/sampling.ts';
import { writeReport } from './server-log.ts';
import type { WebService } from './web-app.ts';
import { WorkQueue } from './work-queue.ts';

export interface ServiceOptions
  extends Pick<TextGeneratorOptions, 'maxActive' | 'maxWaiting' | 'prefixBytes'> {
  /** What clients call the model. */
  modelName: string;
  /** Tokens that a prompt and its output may have. Default: what the model was made for; not more. */
  maxContext?: number | undefined;
  /** What layers keep. Default: everything. */
  sequence?: SequenceOptions | undefined;
  /** How prompts are read. Default 'exact'. */
  attention?: PrefillOptions['attention'] | undefined;
  /** Of embeddings. Default 'mean'. */
  pooling?: EmbedOptions['pooling'] | undefined;
  /** Lets requests name a policy of their own in the field `provably`; it may use more memory than yours. Default false. */
  clientPolicies?: boolean | undefined;
  /** Who may call; none: everybody. Default none. */
  apiKeys?: readonly ApiKeyHash[] | undefined;
  /** Origins whose pages may call, as https://example.org, or * for all. Default none. */
  corsOrigins?: readonly string[] | undefined;
  /** Bytes of a request. Default 1 MiB. */
  maxBody?: number | undefined;
  /** Seconds that an answer may take, waiting included. Default 600. */
  requestTimeout?: number | undefined;
  /** Takes lines of JSON, one a request. Default: no log. */
  log?: ((line: string) => void) | undefined;
}

export class Service implements WebService {
  readonly model: LanguageModel;
  readonly tokenizer: Tokenizer;
  readonly generator: TextGenerator;
  readonly metrics: ServerMetrics;
  readonly requests: RequestRegistry;
  /** Embeddings and probabilities of prompts. */
  readonly side: WorkQueue;
  readonly modelName: string;
  readonly maxContext: number;
  readonly maxActive: number;
  /** Prompts in one request, at most: more would never find room in the queue. */
  readonly maxPrompts: number;
  readonly maxBody: number;
  readonly requestTimeout: number;
  readonly pooling: NonNullable<EmbedOptions['pooling']>;
  readonly policy: Policy;
  readonly clientPolicies: boolean;
  readonly apiKeys: readonly ApiKeyHash[];
  readonly corsOrigins: readonly string[];
  /** Unix time, seconds. */
  readonly startedAt: number;
  /** Same seed, same fingerprint: same text. */
  readonly fingerprint: string;
  private readonly template: () => ChatTemplate;
  private knownTemplate: ChatTemplate | undefined;

  /** @throws {InvalidArgumentError} an option is out of range, or a key is for an aggregator */
  constructor({ model, tokenizer, chatTemplate }: OpenedModel, options: ServiceOptions) {
    const { maxActive = 16, maxWaiting = 64, prefixBytes = 0, pooling = 'mean', log } = options;
    const { maxContext = model.config.context, maxBody = 2 ** 20, requestTimeout = 600 } = options;
    requireInteger('server: maxContext', maxContext, 2, model.config.context);
    requireInteger('server: maxBody', maxBody, 1);
    requireNumber('server: requestTimeout', requestTimeout, 0.001, 2 ** 20);
    requireOneOf('server: pooling', pooling, ['mean', 'last']);
    requireRoles('server', options.apiKeys ?? [], []);
    this.model = model;
    this.tokenizer = tokenizer;
    this.template = chatTemplate;
    this.generator = new TextGenerator(model, tokenizer, { maxActive, maxWaiting, prefixBytes });
    this.metrics = new ServerMetrics(this.generator);
    this.requests = new RequestRegistry((life) => {
      this.metrics.count(life.report);
      if (log) writeReport(log, life);
    });
    this.side = new WorkQueue(maxWaiting);
    this.modelName = options.modelName;
    this.maxContext = maxContext;
    this.maxActive = maxActive;
    this.maxPrompts = Math.max(1, maxWaiting);
    this.maxBody = maxBody;
    this.requestTimeout = requestTimeout;
    this.pooling = pooling;
    this.policy = { sequence: options.sequence ?? {}, attention: options.attention ?? 'exact' };
    this.clientPolicies = options.clientPolicies ?? false;
    this.apiKeys = options.apiKeys ?? [];
    this.corsOrigins = options.corsOrigins ?? [];
    this.startedAt = unixTime();
    const { backend, simd } = model.kernels;
    this.fingerprint = `provably-${backend}-${simd}-${model.activations}`;
    // A policy that cannot be is said now, and not with the first request.
    model.createSequence(this.policy.sequence);
  }

  /** @throws {UnsupportedError} the model cannot chat */
  get chatTemplate(): ChatTemplate {
    this.knownTemplate ??= this.template();
    return this.knownTemplate;
  }

  health(): { status: string } {
    const { waiting, active } = this.generator.load;
    return { status: 'ok', ...{ model: this.modelName, waiting, active } };
  }

  explain(cause: unknown): ApiError {
    return asApiError(cause);
  }

  /** @throws {ApiError} 404 */
  requireModel(name: string): void {
    if (name === this.modelName) return;
    throw new ApiError(404, `The model "${name}" does not exist; this server has "${this.modelName}".`, {
      ...{ param: 'model', code: 'model_not_found' },
    });
  }
}

/** Seconds since 1970. */
export function unixTime(): number {
  return Math.floor((performance.timeOrigin + performance.now()) / 1000);
}

/** A seed for a request that names none: the API promises another text each time. */
export function drawSeed(): number {
  return randomInt(2 ** 32);
}

/** An id as chatcmpl-… */
export function answerId(kind: string): string {
  return `${kind}-${randomUUID().replaceAll('-', '')}`;
}
