import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { z } from 'zod';
import { checkConfig, readConfigFile } from './config-file.ts';
import { nearestName } from './nearest.ts';

const folder = mkdtempSync(join(tmpdir(), 'provably-config-'));
after(() => rmSync(folder, { recursive: true }));

const schema = z.strictObject({
  seed: z.int().min(0).default(7),
  to: z.strictObject({
    format: z.enum(['fpa', 'gsp', 'vcg']),
    segments: z.int().min(1).default(1),
    reserve: z.number().optional(),
  }),
  slots: z.array(z.number().max(1)).min(1).optional(),
  ties: z.union([z.literal('index'), z.strictObject({ seed: z.int() })]).optional(),
});

async function check(text: string, name = 'study.yaml') {
  const path = join(folder, name);
  writeFileSync(path, text);
  const file = await readConfigFile(path);
  return checkConfig(schema, file.settings, file);
}

describe('checkConfig', () => {
  it('reads YAML and JSON alike, and fills in defaults', async () => {
    const expected = { seed: 7, to: { format: 'fpa', segments: 8 }, ties: { seed: 3 } };
    assert.deepEqual(
      await check('# what if\nto:\n  format: fpa\n  segments: 8\nties: { seed: 3 }\n'),
      expected,
    );
    assert.deepEqual(await check(JSON.stringify(expected), 'study.json'), expected);
  });

  const wrong: [name: string, text: string, message: RegExp][] = [
    [
      'an unknown key, and the nearest one',
      'to:\n  format: fpa\n  segmnets: 8\n',
      /study\.yaml, line 3: "to\.segmnets" is not known; expected one of format, segments, reserve\. Did you mean "segments"\?/,
    ],
    [
      'a value that is none of the choices',
      'to:\n  format: gps\n',
      /line 2: "to\.format" is "gps"; expected one of fpa, gsp, vcg\. Did you mean "gsp"\?/,
    ],
    [
      'a number out of range',
      'to:\n  format: fpa\n  segments: 0\n',
      /line 3: "to\.segments" is 0; expected a number ≥ 1/,
    ],
    [
      'another type',
      'seed: soon\nto: { format: fpa }\n',
      /line 1: "seed" is "soon"; expected (a finite number|an integer)/,
    ],
    ['what is missing', 'seed: 1\n', /"to" is missing; expected settings by name/],
    [
      'an entry of a list',
      'to: { format: fpa }\nslots:\n  - 1\n  - 2\n',
      /line 4: "slots\[1\]" is 2; expected a number ≤ 1/,
    ],
    [
      'none of several kinds',
      'to: { format: fpa }\nties: hash\n',
      /line 2: "ties" is "hash"; expected index or settings by name/,
    ],
    [
      'what is wrong inside the kind that was meant',
      'to: { format: fpa }\nties: { seed: x }\n',
      /"ties\.seed" is "x"; expected/,
    ],
    ['text that is no YAML', 'to: [1,\n', /study\.yaml, line 2, column 1: .*expected YAML or JSON/],
    ['no settings at all', '- 1\n', /holds \[1\]; expected settings by name/],
  ];
  for (const [name, text, message] of wrong) {
    it(`names ${name}`, async () => {
      await assert.rejects(check(text), { name: 'UsageError', message });
    });
  }

  it('names the flag that gave a value', () => {
    const flagOf = (place: readonly PropertyKey[]) => (place.join('.') === 'to.format' ? '--to' : undefined);
    assert.throws(() => checkConfig(schema, { to: { format: 'fap' } }, undefined, flagOf), {
      message: '--to is "fap"; expected one of fpa, gsp, vcg. Did you mean "fpa"?',
    });
  });

  it('says that a file is missing', async () => {
    await assert.rejects(readConfigFile(join(folder, 'none.yaml')), { code: 'DATA', message: /ENOENT/ });
  });
});

describe('nearestName', () => {
  it('finds what was mistyped, and nothing for what is far from everything', () => {
    assert.equal(nearestName('sgements', ['format', 'segments']), 'segments');
    assert.equal(nearestName('vgc', ['fpa', 'gsp', 'vcg']), 'vcg');
    assert.equal(nearestName('colour', ['format', 'segments']), undefined);
  });
});
