// The work of `provably chat`.

import { createInterface } from 'node:readline/promises';
import { type ChatMessage, type GenerationStep, TextGenerator } from '../../llm/index.ts';
import { type CliContext, colorsFor } from '../context.ts';
import { describeBytes, describeCache } from './describe.ts';
import {
  type AttentionChoice,
  attentionOf,
  type CacheChoice,
  type ModelChoice,
  sequenceOptionsOf,
} from './flags.ts';
import { openFor } from './open.ts';
import { type SamplingFlags, samplingOf } from './sampling.ts';

export interface ChatFlags extends ModelChoice, AttentionChoice, CacheChoice, SamplingFlags {
  system?: string;
  maxTokens: number;
}

/** Bytes of caches that a conversation may keep: its last turns, so that only what is new is read. */
const KEPT_BYTES = 2 ** 31;

export async function runChat(flags: ChatFlags, context: CliContext): Promise<void> {
  const sequence = sequenceOptionsOf(flags);
  const sampling = samplingOf(flags);
  const { model, tokenizer, chatTemplate } = await openFor(flags, context);
  const template = chatTemplate();
  const attention = attentionOf(flags, model.config.layers);
  const generator = new TextGenerator(model, tokenizer, { prefixBytes: KEPT_BYTES });
  const { stdout, stderr, signal, env } = context;
  const { dim, bold } = colorsFor(stdout, env);
  const opening: ChatMessage[] =
    flags.system === undefined ? [] : [{ role: 'system', content: flags.system }];
  let messages = [...opening];
  let last: GenerationStep | undefined;
  stderr.write(
    `${model.config.name ?? model.config.architecture}; ${describeCache(sequence)}; /quit ends.\n`,
  );
  const lines = createInterface({ input: process.stdin, terminal: false });
  signal.addEventListener('abort', () => lines.close(), { once: true });
  const ask = () => stderr.write(bold('> '));
  ask();
  for await (const line of lines) {
    const said = line.trim();
    if (said === '/quit') break;
    if (said === '/reset') {
      messages = [...opening];
      last = undefined;
    } else if (said === '/kept') stderr.write(`${keptText(last)}\n`);
    else if (said !== '') {
      messages.push({ role: 'user', content: said });
      const prompt = template.encode(messages);
      const start = performance.now();
      let first = 0;
      let answer = '';
      for await (const step of generator.generate({
        ...{ prompt, sequence, attention, sampling, signal, maxTokens: flags.maxTokens },
      })) {
        first ||= performance.now();
        stdout.write(step.text);
        answer += step.text;
        last = step;
      }
      messages.push({ role: 'assistant', content: answer });
      const { usage } = last as GenerationStep;
      const rate = ((usage?.outputTokens ?? 1) - 1) / ((performance.now() - first) / 1000);
      stdout.write('\n');
      stderr.write(
        dim(
          `${(usage?.promptTokens ?? 0) - (usage?.reusedTokens ?? 0)} new tokens read in ${((first - start) / 1000).toFixed(2)} s, ${usage?.outputTokens} written at ${rate.toFixed(1)}/s; the cache keeps ${describeBytes(last?.sequence.bytes().total ?? 0)}\n`,
        ),
      );
    }
    ask();
  }
  stderr.write('\n');
  signal.throwIfAborted();
}

/** What the first layer keeps of the conversation. */
function keptText(step: GenerationStep | undefined): string {
  if (!step) return 'nothing has been said yet.';
  const [cache] = step.sequence.caches;
  const kept = cache.kept(0);
  const roles = new Map<string, number>();
  for (const { role } of kept) roles.set(role, (roles.get(role) ?? 0) + 1);
  const parts = [...roles].map(([role, count]) => `${count} ${role}`).join(', ');
  return `${step.sequence.tokens.length} tokens so far; the first key head of layer 0 keeps ${kept.length}: ${parts}.`;
}
