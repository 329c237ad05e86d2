// Server-sent events: one JSON object each, `[DONE]` at the end, as the OpenAI API has them.

import { ApiError, asApiError } from './api-error.ts';
import type { RequestLife } from './request-life.ts';
import type { Answer } from './routes/answer.ts';

/** Milliseconds of silence after which a comment shows proxies that the connection lives. */
const HEARTBEAT = 15_000;

/**
 * Chunks are made as the client takes them: what a slow one has not read is not computed far ahead.
 *
 * @param chunks - an error in it becomes the last event
 * @param headers - further ones
 */
export function eventStream(
  life: RequestLife,
  chunks: AsyncGenerator<object>,
  headers: Record<string, string>,
): Answer {
  life.isStreaming = true;
  const encoder = new TextEncoder();
  const lines = events(life, chunks);
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await lines.next();
        if (done) controller.close();
        else controller.enqueue(encoder.encode(value));
      },
      async cancel() {
        const gone = new ApiError(499, 'The client has left.', { code: 'client_left' });
        life.abort(gone);
        life.report.error ??= gone.details.code;
        life.end(gone.status);
        await lines.return();
      },
    },
    { highWaterMark: 0 },
  );
  return {
    body,
    headers: {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      // Asks nginx not to collect events; and chunked says that no length can be found out by waiting.
      'x-accel-buffering': 'no',
      'transfer-encoding': 'chunked',
      ...headers,
    },
  };
}

async function* events(
  life: RequestLife,
  chunks: AsyncGenerator<object>,
): AsyncGenerator<string, void, undefined> {
  let status = 200;
  try {
    for await (const chunk of withHeartbeats(chunks)) {
      yield chunk === undefined ? ': still here\n\n' : `data: ${JSON.stringify(chunk)}\n\n`;
    }
    yield 'data: [DONE]\n\n';
  } catch (error) {
    const told = asApiError(error);
    status = told.status;
    life.report.error = told.details.code ?? told.body.error.type;
    if (told.status === 500) life.failure = error;
    yield `data: ${JSON.stringify(told.body)}\n\n`;
  } finally {
    life.end(status);
  }
}

/** The same chunks, with undefined for each while without one. */
async function* withHeartbeats<T>(chunks: AsyncGenerator<T>): AsyncGenerator<T | undefined> {
  try {
    for (;;) {
      const next = chunks.next();
      for (;;) {
        const { promise: silence, resolve } = Promise.withResolvers<'silence'>();
        const timer = setTimeout(resolve, HEARTBEAT, 'silence');
        const first = await Promise.race([next, silence]).finally(() => clearTimeout(timer));
        if (first === 'silence') {
          yield undefined;
          continue;
        }
        if (first.done) return;
        yield first.value;
        break;
      }
    }
  } finally {
    await chunks.return(undefined);
  }
}
