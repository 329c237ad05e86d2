// The body of a request, read up to a limit and held against a schema.

import type { ZodError, ZodType } from 'zod';
import { ApiError } from './api-error.ts';

/** @throws {ApiError} 415 another type than JSON; 413 more bytes than `limit`; 400 no JSON */
export async function readJson(request: Request, limit: number): Promise<unknown> {
  // A page in a browser can send other types to a server on this machine without being asked; JSON it cannot.
  const type = request.headers.get('content-type')?.split(';')[0].trim().toLowerCase();
  if (type !== 'application/json') {
    throw new ApiError(415, `The body is of type ${type ?? '(none)'}; expected application/json.`);
  }
  const text = new TextDecoder().decode(await readBytes(request, limit));
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message quotes the body, which belongs in no log.
    throw new ApiError(400, 'The body is not valid JSON; expected one object.', { code: 'invalid_json' });
  }
}

async function readBytes(request: Request, limit: number): Promise<Uint8Array> {
  const tooLong = () =>
    new ApiError(413, `The body is longer than ${limit} bytes. Send less at a time.`, {
      code: 'request_too_large',
    });
  // Told beforehand, it is refused before anything is read.
  if (Number(request.headers.get('content-length') ?? 0) > limit) throw tooLong();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.body ?? []) {
    length += chunk.length;
    if (length > limit) throw tooLong();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** @throws {ApiError} 400, naming the first field that is wrong */
export function parseBody<T>(schema: ZodType<T>, body: unknown): T {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  throw fromIssue(result.error);
}

function fromIssue({ issues: [issue] }: ZodError): ApiError {
  if (issue.code === 'unrecognized_keys') {
    const param = nameOf([...issue.path, issue.keys[0]]);
    return new ApiError(400, `Unrecognized request argument supplied: ${param}`, {
      ...{ param, code: 'unknown_parameter' },
    });
  }
  const param = issue.path.length > 0 ? nameOf(issue.path) : undefined;
  const code = issue.code === 'custom' ? (issue.params?.code as string | undefined) : undefined;
  return new ApiError(400, param ? `${param}: ${issue.message}` : issue.message, { param, code });
}

/** messages[0].content */
function nameOf(path: readonly PropertyKey[]): string {
  return path
    .map((key, i) => (typeof key === 'number' ? `[${key}]` : `${i > 0 ? '.' : ''}${String(key)}`))
    .join('');
}
