// `provably info`: what this installation can do on this machine.

import { Command } from 'commander';
import { describeKernels, type KernelsInfo } from '../../kernels/index.ts';
import { type CliContext, colorsFor } from '../context.ts';
import { printFields, printJson } from '../output.ts';
import { optionalPackages, packageVersion } from '../packages.ts';

export function infoCommand(context: CliContext): Command {
  return new Command('info')
    .description('show kernels, SIMD level, threads, versions and optional packages')
    .option('--json', 'print one JSON object instead of text', false)
    .addHelpText('after', '\nExample:\n  $ PROVABLY_KERNELS=wasm provably info')
    .action(async ({ json }: { json: boolean }) => {
      const info = await collectInfo(context);
      if (json) printJson(context, info);
      else printInfo(context, info);
    });
}

interface Info {
  version: string;
  node: string;
  platform: string;
  kernels: KernelsInfo;
  packages: { name: string; purpose: string; version: string | null }[];
}

async function collectInfo({ version, runtime }: CliContext): Promise<Info> {
  return {
    version,
    ...runtime,
    kernels: await describeKernels(),
    packages: optionalPackages.map(([name, purpose]) => ({
      name,
      purpose,
      version: packageVersion(name) ?? null,
    })),
  };
}

function printInfo(context: CliContext, { version, node, platform, kernels, packages }: Info): void {
  const { bold, yellow } = colorsFor(context.stdout, context.env);
  printFields(context, [
    ['provably', version],
    ['node', `${node}, ${platform}`],
    ['kernels', `${kernels.backend} ${kernels.simd}`],
    ['threads', String(kernels.threads)],
  ]);
  context.stdout.write(`\n${bold('Backends')}\n`);
  printFields(
    context,
    kernels.backends.map(({ backend, levels, reason }) => [
      backend,
      levels.length > 0 ? levels.join(', ') : `${yellow('not available')} — ${reason}`,
    ]),
  );
  context.stdout.write(`\n${bold('Optional packages')}\n`);
  printFields(
    context,
    packages.map(({ name, purpose, version: found }) => [
      name,
      `${(found ?? yellow('missing')).padEnd(10)} ${purpose}${found ? '' : ` — npm install ${name}`}`,
    ]),
  );
}
