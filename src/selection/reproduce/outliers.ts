// Protocol X4: rows that lie far away for no good reason, and who falls for them.

import { assignToCenters, type Clustering, kCenterGreedy, kMeans } from '../../clustering/index.ts';
import { type Matrix32, takeRows } from '../../core/matrix.ts';
import { gaussianMixture } from '../../data/datasets/index.ts';
import {
  firstSeeds,
  judge,
  type Measured,
  measure,
  type ProtocolOptions,
  type ProtocolReport,
  partOf,
} from '../../reproduce/protocol.ts';
import { selectData } from '../index.ts';

export interface OutlierOptions extends ProtocolOptions {
  /** Rows, outliers included. Default 20 000. */
  rows?: number | undefined;
  /** Share of outliers. Default 0.001. */
  share?: number | undefined;
  /** How many times farther from their center outliers are moved. Default 100. */
  distanceFactor?: number | undefined;
  /** Rows selected. Default 400. */
  size?: number | undefined;
  /** Clusters. Default 80. */
  k?: number | undefined;
}

/** Shares of outliers among what was chosen. */
export interface OutlierFigures {
  /** Among the first as many k-center picks as there are outliers. */
  kCenter: Measured;
  /** Power z of the distance, whether outliers could become centers, and the share among the rows selected. */
  sensitivity: {
    power: number;
    centers: 'all rows' | 'without outliers';
    share: Measured;
    outlierCenters: Measured;
  }[];
}

/**
 * Rows of `gaussianMixture`, of which the last 0.1 % are moved to 100 times the distance from their center and keep their losses, as a
 * broken sensor would. k-means with its D² seeding makes outliers their own centers, which disarms them; for the
 * worst case it is also run on the other rows only.
 *
 * Default: 10 seeds. Time about 20 s on two cores.
 */
export async function reproduceOutliers(
  options: OutlierOptions = {},
): Promise<ProtocolReport<OutlierFigures>> {
  const { rows = 20_000, share = 0.001, distanceFactor = 100, size = 400, k = 80 } = options;
  const { seeds = firstSeeds(10) } = options;
  const outlierCount = Math.round(share * rows);
  const isOutlier = (id: number) => id >= rows - outlierCount;
  const shareOf = (ids: Uint32Array) => ids.filter(isOutlier).length / ids.length;

  const kCenter: number[] = [];
  const settings = [1, 2].flatMap((power) =>
    (['all rows', 'without outliers'] as const).map((centers) => ({
      power,
      centers,
      shares: [] as number[],
      outlierCenters: [] as number[],
    })),
  );
  for (const [i, seed] of seeds.entries()) {
    const run = partOf(options, 'outliers', i, seeds.length);
    const mixture = gaussianMixture({ rows, seed });
    const { points, losses } = mixture;
    for (let id = rows - outlierCount; id < rows; id++) {
      const center = mixture.representatives[mixture.labels[id]] * points.cols;
      for (let j = 0; j < points.cols; j++) {
        const at = id * points.cols + j;
        points.data[at] =
          points.data[center + j] + distanceFactor * (points.data[at] - points.data[center + j]);
      }
    }
    const { indices } = await kCenterGreedy(points, { k: outlierCount, seed, ...run });
    kCenter.push(shareOf(indices));
    const clusterings = {
      'all rows': await kMeans(points, { k, seed, ...run }),
      'without outliers': await clusterInliers(points, rows - outlierCount, { k, seed, ...run }),
    };
    for (const setting of settings) {
      const { value } = await selectData(points, {
        loss: (ids) => Float64Array.from(ids, (id) => losses[id]),
        size,
        mode: 'balanced',
        power: setting.power,
        clustering: clusterings[setting.centers],
        seed,
        ...run,
      });
      setting.shares.push(shareOf(value.ids));
      setting.outlierCenters.push(value.representatives.ids.filter(isOutlier).length);
    }
  }
  const figures: OutlierFigures = {
    kCenter: measure(kCenter),
    sensitivity: settings.map(({ power, centers, shares, outlierCenters }) => ({
      power,
      centers,
      share: measure(shares),
      outlierCenters: measure(outlierCenters),
    })),
  };
  return {
    id: 'X4',
    title: 'Outliers: 0.1 % of the rows at 100 times the distance',
    setting: { rows, outliers: outlierCount, distanceFactor, size, k, seeds },
    figures,
    verdicts: verdictsOf(figures),
  };
}

/** k-means on the first `inliers` rows, then every row to its nearest center. */
async function clusterInliers(
  points: Matrix32,
  inliers: number,
  options: Parameters<typeof kMeans>[1],
): Promise<Pick<Clustering, 'labels' | 'centers'>> {
  const first = Uint32Array.from({ length: inliers }, (_, i) => i);
  const { centers } = await kMeans(takeRows(points, first), options);
  const { labels } = await assignToCenters(points, centers);
  return { labels, centers };
}

function verdictsOf({ kCenter, sensitivity }: OutlierFigures) {
  const shareAt = (power: number, centers: string) =>
    sensitivity.find((row) => row.power === power && row.centers === centers)!.share.mean;
  return [
    judge('k-center picks outliers first', kCenter.mean, { low: 0.9, unit: 'share of its picks' }),
    judge('z = 1 takes few outliers', Math.max(shareAt(1, 'all rows'), shareAt(1, 'without outliers')), {
      high: 0.05,
      unit: 'share of rows',
    }),
    judge(
      'z = 2 takes more than z = 1 when outliers are no centers',
      shareAt(2, 'without outliers') - shareAt(1, 'without outliers'),
      { low: 0, unit: 'difference of shares' },
    ),
  ];
}
