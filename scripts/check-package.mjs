// Packs the package as it would be published and uses it as a stranger would: an empty project, npm install of the
// tarball, an import of every subpath, the command. Once with all dependencies and once light (--omit=optional).
// Prints "N passed, N failed". Plain JS: it runs under the Node that runs the package.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const subpaths = Object.keys(manifest.exports).filter((path) => path !== './package.json');
const workspace = mkdtempSync(join(tmpdir(), 'provably-package-'));
const kMeansProgram = `
import { kMeans } from 'provably/clustering';
const { inertia } = await kMeans({ data: Float32Array.of(0, 1, 10, 11), rows: 4, cols: 1 }, { k: 2, seed: 1 });
if (inertia !== 1) throw new Error('inertia is ' + inertia + '; expected 1');
`;
let passed = 0;
let failed = 0;

const run = (command, args, cwd) =>
  execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

function check(what, body) {
  try {
    body();
    passed++;
    console.log(`ok      ${what}`);
  } catch (error) {
    failed++;
    console.log(`FAILED  ${what}\n${error.stderr || error.stack}`);
  }
}

try {
  const packed = JSON.parse(
    run('npm', ['pack', '--json', '--pack-destination', workspace], root).replace(/^[^[{]*/, ''),
  );
  const { filename, files } = Array.isArray(packed) ? packed[0] : Object.values(packed)[0];
  const tarball = join(workspace, filename);
  const names = files.map((file) => file.path);

  check('the tarball holds the WASM kernels and no compiled addon', () => {
    if (!names.includes('native/build/provably.wasm'))
      throw new Error('native/build/provably.wasm is missing');
    if (names.some((name) => name.endsWith('.node') || name.endsWith('.o')))
      throw new Error('compiled objects were packed');
  });
  check('the tarball holds the small language model', () => {
    for (const name of ['config.json', 'tokenizer.json', 'model.safetensors'])
      if (!names.includes(`models/tiny-lm/${name}`)) throw new Error(`models/tiny-lm/${name} is missing`);
  });
  check('the tarball holds no tests and no sources of TypeScript', () => {
    const wrong = names.filter(
      (name) => name.includes('.test.') || (name.endsWith('.ts') && !name.endsWith('.d.ts')),
    );
    if (wrong.length > 0) throw new Error(wrong.join('\n'));
  });
  check('publint finds nothing', () =>
    run(join(root, 'node_modules/.bin/publint'), ['run', tarball, '--strict'], root),
  );

  for (const [kind, flags, env] of [
    ['full', [], {}],
    ['light', ['--omit=optional'], { CXX: '/bin/false' }],
  ]) {
    const project = mkdtempSync(join(workspace, `${kind}-`));
    writeFileSync(
      join(project, 'package.json'),
      JSON.stringify({ name: 'stranger', private: true, type: 'module' }),
    );
    check(`${kind}: npm install`, () =>
      execFileSync('npm', ['install', '--no-audit', '--no-fund', ...flags, tarball], {
        cwd: project,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, ...env },
      }),
    );
    for (const subpath of subpaths) {
      const name = `provably${subpath.slice(1)}`;
      check(`${kind}: import '${name}'`, () => {
        writeFileSync(
          join(project, 'use.js'),
          `import * as all from '${name}';\nif (Object.keys(all).length === 0) throw new Error('exports nothing');\n`,
        );
        run(process.execPath, ['use.js'], project);
      });
    }
    check(`${kind}: kMeans gives the right answer`, () => {
      writeFileSync(join(project, 'use.js'), kMeansProgram);
      run(process.execPath, ['use.js'], project);
    });
    check(`${kind}: the command answers`, () => {
      const info = JSON.parse(
        run(process.execPath, ['node_modules/provably/dist/cli/main.js', 'info', '--json'], project),
      );
      if (kind === 'light' && info.kernels.backend !== 'wasm')
        throw new Error(`${info.kernels.backend} without a compiler`);
    });
    check(`${kind}: a plan for bags is made`, () => {
      const plan = '--n 1000 --d 5 --snr 1 --repeats 0 --json'.split(' ');
      const command = ['node_modules/provably/dist/cli/main.js', 'aggregate', 'plan', ...plan];
      const { value } = JSON.parse(run(process.execPath, command, project));
      if (!(value.best.risk > 0)) throw new Error(`its risk is ${value.best.risk}`);
    });
    // Its report needs optional packages; its model and its text come along.
    if (kind === 'full')
      check('full: the language model of the tour writes', () => {
        const tour = ['node_modules/provably/dist/cli/main.js', 'tour', '--only', 'llm', '--quick', '--json'];
        const { value } = JSON.parse(run(process.execPath, tour, project));
        if (!(value.output.length > 20)) throw new Error(`it wrote "${value.output}"`);
      });
  }
} finally {
  rmSync(workspace, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
