// A table split to train and test on, its responses seen through bags, and the error on single test samples.

import type { Matrix64 } from '../../core/matrix.ts';
import { type ResponseTable, standardizer, trainTestSplit } from '../../data/datasets/index.ts';
import { type AggregateData, type AggregateModel, bagMeans, randomBags, singletonBags } from '../index.ts';

/** One random split, features standardised by the rows to train on. */
export interface Split {
  features: Matrix64;
  response: Float64Array;
  testFeatures: Matrix64;
  testResponse: Float64Array;
}

/** Three quarters of the rows to train on, one to test on. */
export function splitTable(table: ResponseTable, seed: number): Split {
  const { train, test } = trainTestSplit(table, { seed });
  const standard = standardizer(train.features);
  return {
    features: standard.apply(train.features),
    response: train.response,
    testFeatures: standard.apply(test.features),
    testResponse: test.response,
  };
}

/** Exact means of random bags; bags of one are the single labels. */
export function randomBagData({ features, response }: Split, bagSize: number, seed: number): AggregateData {
  const samples = features.rows;
  const bags = bagSize === 1 ? singletonBags({ samples }) : randomBags({ samples, size: bagSize, seed });
  return { features, bags, means: bagMeans(response, bags) };
}

/** Mean squared error on the test samples, in squared units of the response. */
export function testError(model: AggregateModel, { testFeatures, testResponse }: Split): number {
  return meanSquare(model.predict(testFeatures), testResponse);
}

/** The error of predicting every test sample by the mean response of the training samples. */
export function errorOfMean({ response, testResponse }: Split): number {
  const mean = response.reduce((sum, y) => sum + y, 0) / response.length;
  return meanSquare(new Float64Array(testResponse.length).fill(mean), testResponse);
}

function meanSquare(predicted: Float64Array, actual: Float64Array): number {
  return predicted.reduce((sum, value, i) => sum + (value - actual[i]) ** 2, 0) / actual.length;
}
