// The work of `provably aggregate verify`.

import { verifyLedger } from '../../aggregate/aggregator/index.ts';
import { AuditError } from '../../core/errors.ts';
import type { CliContext } from '../context.ts';
import { given } from '../given.ts';
import { printCertificate, printFields, printJson } from '../output.ts';
import { showProgress } from '../progress.ts';
import type { VerifyFlags } from './verify.ts';

/** @throws {AuditError} the ledger is not sound; what was found is printed before */
export async function runVerify(
  ledger: string,
  { head, json }: VerifyFlags,
  context: CliContext,
): Promise<void> {
  using progress = showProgress(context);
  const { value: report, certificate } = await verifyLedger(ledger, {
    ...given({ head }),
    ...{ signal: context.signal, onProgress: progress.report },
  });
  progress.clear();
  if (json) printJson(context, { ...report, certificate });
  else {
    const { entries, answers, refusals, bagsCharged, bagsRepeated, stages } = report;
    printFields(context, [
      ['ledger', report.valid ? 'sound' : 'NOT SOUND'],
      ['entries', `${entries}: ${answers} answers, ${refusals} refusals`],
      [
        'bags',
        `${bagsCharged} charged, ${bagsRepeated} repeated for nothing, in ${stages} stages; each of ${report.minBag} samples or more`,
      ],
      ['people', `${report.peopleCharged} charged, ε ${report.largestSpend} at most, of ${report.budget}`],
      ['head', `${report.head.entry} ${report.head.hash}`],
    ]);
    printCertificate(context, certificate);
  }
  if (report.problem) {
    throw new AuditError(`verify: entry ${report.problem.entry} of ${ledger}: ${report.problem.message}.`);
  }
}
