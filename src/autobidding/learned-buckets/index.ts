// Buckets learned for one advertiser, what they do to the others, and what they are worth on other auctions.

export { type BucketExternality, bucketExternality } from './externality.ts';
export { type HeldOut, type HoldOut, type HoldOutOptions, holdOutBuckets, type Outcome } from './hold-out.ts';
export { type LearnBucketsOptions, type LearnedBuckets, learnBuckets } from './learn-buckets.ts';
