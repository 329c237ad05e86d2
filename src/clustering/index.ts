// Clustering: the k-means family, k-center, and what makes a clustering of a data set too large for memory.

export { type Assignment, assignToCenters } from './assign.ts';
export { DeltaClusters, type DeltaClustersOptions, type DeltaClustersState } from './delta-clusters.ts';
export { type KCenterOptions, type KCenterResult, kCenterGreedy } from './k-center.ts';
export { kMeans } from './k-means.ts';
export { type MedoidOptions, type Medoids, roundToMedoids } from './medoids.ts';
export { type MiniBatchOptions, miniBatchKMeans } from './mini-batch.ts';
export {
  type CenterChange,
  type CenterMerging,
  type GivenCenters,
  OnlineKCenter,
  type OnlineKCenterOptions,
  type OnlineKCenterState,
  type OnlineKCenterStep,
} from './online-k-center.ts';
export { type ClusteringOptions, KMEANS_ALGORITHMS, type KMeansOptions } from './options.ts';
export { type MeanBounds, RunningMeans } from './running-means.ts';
export {
  SEEDING_METHODS,
  type SeedCentersOptions,
  type SeededCenters,
  seedCenters,
} from './seeding/seed-centers.ts';
export type {
  Clustering,
  ClusteringEvent,
  IterationStatistics,
  KMeansAlgorithm,
  SeedingMethod,
} from './types.ts';
