// Real tables that Python packages carry: the RAND health insurance experiment, Fair's survey, the Wisconsin breast cancer set.
// scripts/fetch-tables.mjs brings them.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { MissingDependencyError } from '../../core/errors.ts';
import { matrixFromColumns } from '../../core/matrix.ts';
import { defaultCacheFolder } from './cache-folder.ts';
import { type CsvColumns, readCsvColumns } from './csv-columns.ts';
import type { ResponseTable } from './response-table.ts';

export interface FetchedTableOptions {
  /** Folder with the CSV file. Default: `datasets` in the cache, where `node scripts/fetch-tables.mjs` puts it. */
  folder?: string;
}

export interface RandHieOptions extends FetchedTableOptions {
  /** 'log-visits': log(1 + visits), a regression. 'visits': counts. Default 'log-visits'. */
  response?: 'log-visits' | 'visits';
}

/** Names in the order of the file; the response comes first. */
const RAND_HIE = ['lncoins', 'idp', 'lpi', 'fmde', 'physlm', 'disea', 'hlthg', 'hlthf', 'hlthp'];

/**
 * RAND health insurance experiment: outpatient visits to a doctor in a year, from 9 columns about insurance and health; 20 190 rows.
 *
 * A person is in it for several years, so rows are not quite independent: label privacy of a person costs ε a row.
 *
 * @throws {MissingDependencyError} randhie.csv is not there; the message gives the command that fetches it
 * @throws {DataError} it is damaged
 */
export async function loadRandHie({
  folder,
  response = 'log-visits',
}: RandHieOptions = {}): Promise<ResponseTable> {
  const csv = await readFetched('loadRandHie', 'randhie.csv', folder);
  const visits = csv.numbers('mdvis');
  return {
    name: 'RAND HIE',
    features: matrixFromColumns(RAND_HIE.map((name) => csv.numbers(name))),
    columns: RAND_HIE,
    response: response === 'visits' ? visits : visits.map(Math.log1p),
    responseName: response === 'visits' ? 'visits a year' : 'log(1 + visits a year)',
    kind: response === 'visits' ? 'count' : 'regression',
    dropped: [],
  };
}

const FAIR = [
  'rate_marriage',
  'age',
  'yrs_married',
  'children',
  'religious',
  'educ',
  'occupation',
  'occupation_husb',
];

/**
 * Survey of 6 366 married women of 1974 (Fair): whether any time was spent in affairs (1 where `affairs` > 0), from 8 columns.
 *
 * @throws {MissingDependencyError} fair.csv is not there; the message gives the command that fetches it
 * @throws {DataError} it is damaged
 */
export async function loadFair({ folder }: FetchedTableOptions = {}): Promise<ResponseTable> {
  const csv = await readFetched('loadFair', 'fair.csv', folder);
  return {
    name: 'Fair',
    features: matrixFromColumns(FAIR.map((name) => csv.numbers(name))),
    columns: FAIR,
    response: csv.numbers('affairs').map((time) => (time > 0 ? 1 : 0)),
    responseName: 'any affair (0 or 1)',
    kind: 'binary',
    dropped: [],
  };
}

/** The file's own first line holds sizes and class names, so columns are named here: ten measures of cell nuclei, in three summaries. */
const BREAST_CANCER = ['mean', 'standard error of', 'largest'].flatMap((summary) =>
  [
    'radius',
    'texture',
    'perimeter',
    'area',
    'smoothness',
    'compactness',
    'concavity',
    'concave points',
    'symmetry',
    'fractal dimension',
  ].map((measure) => `${summary} ${measure}`),
);

/**
 * Wisconsin diagnostic breast cancer set: whether a tumour is malignant (1), from 30 measures of its cell nuclei; 569 rows.
 *
 * @throws {MissingDependencyError} breast_cancer.csv is not there; the message gives the command that fetches it
 * @throws {DataError} it is damaged
 */
export async function loadBreastCancer({ folder }: FetchedTableOptions = {}): Promise<ResponseTable> {
  const csv = await readFetched('loadBreastCancer', 'breast_cancer.csv', folder, [
    ...BREAST_CANCER,
    'benign',
  ]);
  return {
    name: 'Breast cancer',
    features: matrixFromColumns(BREAST_CANCER.map((name) => csv.numbers(name))),
    columns: BREAST_CANCER,
    response: csv.numbers('benign').map((benign) => 1 - benign),
    responseName: 'malignant (0 or 1)',
    kind: 'binary',
    dropped: [],
  };
}

async function readFetched(
  where: string,
  file: string,
  folder = join(defaultCacheFolder(), 'datasets'),
  header?: readonly string[],
): Promise<CsvColumns> {
  const path = join(folder, file);
  if (!existsSync(path)) {
    throw new MissingDependencyError(
      `${where}: there is no ${file} in ${folder}; expected it there. Run: node scripts/fetch-tables.mjs (in a checkout; needs Python 3 with pip), or give its folder.`,
    );
  }
  return readCsvColumns(where, path, header);
}
