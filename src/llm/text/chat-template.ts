// Chat templates: the Jinja text by which a model writes a conversation down, rendered by @huggingface/jinja.

import { DataError, InvalidArgumentError, UnsupportedError } from '../../core/errors.ts';
import { type ChatMessage, mapTexts, plainMessage } from './chat-message.ts';
import { formatDate } from './format-date.ts';
import { type Jinja, parseJinja } from './jinja.ts';
import type { ChatTemplates } from './template-sources.ts';
import type { Tokenizer } from './types.ts';

export interface RenderOptions {
  /** Ends with the beginning of the assistant's turn. Default true. */
  addGenerationPrompt?: boolean | undefined;
  /** Functions the model may call, each as the OpenAI API describes it. Default none. */
  tools?: readonly object[] | undefined;
  /** What `strftime_now` gives, in UTC. Default: templates see no such function, and fall back on a date of their own. */
  date?: Date | undefined;
  /** More variables for the template, such as `enable_thinking`. Default none. */
  variables?: Record<string, unknown> | undefined;
}

/** A model's way to write conversations. */
export interface ChatTemplate {
  /** Where it comes from: the model's files, or ChatML for want of one. */
  readonly origin: 'model' | 'chatml';
  /**
   * The conversation as text, special tokens spelled out: encode with `{ addSpecial: false, parseSpecial: true }`.
   * @throws {InvalidArgumentError} the template refuses the conversation (roles that do not alternate, say)
   * @throws {UnsupportedError} a message holds something other than text
   */
  render(messages: readonly ChatMessage[], options?: RenderOptions): string;
  /**
   * The conversation as token ids. Special tokens spelled out in messages or tools are read as plain text, so that no
   * message can end its own turn. @throws as `render`
   */
  encode(messages: readonly ChatMessage[], options?: RenderOptions): Uint32Array;
}

/** ChatML, in which many models are trained: what a model gets that brings no template but has its tokens. */
export const chatmlTemplate: string =
  "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

/**
 * Prepares a model's templates. With tools, the one named "tool_use" is taken if there is one, else "default".
 *
 * A model without a template gets ChatML if its vocabulary has `<|im_start|>` and `<|im_end|>` as special tokens.
 *
 * @throws {DataError} a template is not valid Jinja
 * @throws {UnsupportedError} there is no template, and the vocabulary is not one of ChatML
 */
export function createChatTemplate(templates: ChatTemplates, tokenizer: Tokenizer): ChatTemplate {
  const given = Object.keys(templates).length > 0;
  if (!given) requireChatmlTokens(tokenizer);
  const parsed = new Map(
    Object.entries(given ? templates : { default: chatmlTemplate }).map(([name, text]) => [
      name,
      parse(name, text),
    ]),
  );
  const constants = specialTexts(tokenizer);

  const render = (messages: readonly ChatMessage[], options: RenderOptions = {}): string => {
    const { addGenerationPrompt = true, tools, date, variables = {} } = options;
    const template = (tools !== undefined ? parsed.get('tool_use') : undefined) ?? parsed.get('default');
    if (template === undefined) {
      throw new UnsupportedError(
        `chat template: the model has only those named ${[...parsed.keys()].join(', ')}; expected one named default.`,
      );
    }
    try {
      return template({
        ...constants,
        ...(date === undefined ? {} : { strftime_now: (format: string) => formatDate(date, format) }),
        documents: null,
        ...variables,
        messages: messages.map(plainMessage),
        tools: tools ?? null,
        add_generation_prompt: addGenerationPrompt,
      });
    } catch (error) {
      if (error instanceof UnsupportedError) throw error;
      throw new InvalidArgumentError(
        `chat template: ${(error as Error).message}; expected a conversation that the model's template can write.`,
        { cause: error },
      );
    }
  };

  return {
    origin: given ? 'model' : 'chatml',
    render,
    encode(messages, options = {}) {
      const shield = (text: string): string => tokenizer.shield(text);
      const { tools } = options;
      const text = render(mapTexts(messages, shield) as ChatMessage[], {
        ...options,
        tools: tools === undefined ? undefined : (mapTexts(tools, shield) as object[]),
      });
      return tokenizer.encode(text, { addSpecial: false, parseSpecial: true, shielded: true });
    },
  };
}

function parse(name: string, text: string): Jinja {
  try {
    return parseJinja(text);
  } catch (error) {
    throw new DataError(`chat template "${name}": ${(error as Error).message}; expected a Jinja template.`, {
      cause: error,
    });
  }
}

function specialTexts(tokenizer: Tokenizer): Record<string, string> {
  const text = (id: number | undefined): string => (id === undefined ? '' : tokenizer.tokenText(id));
  const { bos, eos, unknown, padding } = tokenizer.special;
  return { bos_token: text(bos), eos_token: text(eos), unk_token: text(unknown), pad_token: text(padding) };
}

function requireChatmlTokens(tokenizer: Tokenizer): void {
  for (const token of ['<|im_start|>', '<|im_end|>']) {
    const id = tokenizer.idOf(token);
    if (id === undefined || !tokenizer.isSpecial(id)) {
      throw new UnsupportedError(
        `chat template: the model brings none, and its vocabulary lacks "${token}" for ChatML; expected an instruction-tuned ` +
          'model. Complete plain text instead, or pass a template.',
      );
    }
  }
}
