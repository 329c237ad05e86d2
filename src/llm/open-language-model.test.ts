import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { it } from 'node:test';
import { bytesSource } from './files/byte-source.ts';
import { openHubModel } from './model/stored-model.ts';
import { openLanguageModel } from './open-language-model.ts';

const tinyLm = new URL('../../models/tiny-lm/', import.meta.url);

/** The model of the tree, with more files. */
async function openWith(more: Record<string, string>) {
  const stored = await openHubModel(async (name) => {
    const bytes = Object.hasOwn(more, name)
      ? new TextEncoder().encode(more[name])
      : await readFile(new URL(name, tinyLm)).catch(() => undefined);
    return bytes && bytesSource(bytes, name);
  });
  return openLanguageModel(stored);
}

it('openLanguageModel takes the chat template of tokenizer_config.json, or that of a file of its own', async () => {
  const [config, file] = ['config', 'file'].map((kind) => `${kind}: {{ messages[0].content }}`);
  const settings = { ...JSON.parse(await readFile(new URL('tokenizer_config.json', tinyLm), 'utf8')) };
  const json = JSON.stringify({ ...settings, chat_template: config });
  const said = async (more: Record<string, string>) => {
    const { tokenizer, chatTemplate } = await openWith(more);
    return tokenizer.decode(chatTemplate().encode([{ role: 'user', content: 'hello' }]));
  };
  assert.match(await said({ 'tokenizer_config.json': json }), /config: hello$/);
  assert.match(await said({ 'tokenizer_config.json': json, 'chat_template.jinja': file }), /file: hello$/);
  await assert.rejects(openWith({ 'tokenizer.json': '{' }), {
    code: 'DATA',
    message: /tokenizer\.json is no JSON/,
  });
});
