import { isMainThread } from 'node:worker_threads';
import { ClusterWorker, ThreadWorker } from 'poolifier';
import { echo } from './plain.mjs';

const Worker = isMainThread ? ClusterWorker : ThreadWorker;
// Where poolifier looks for it.
// oxlint-disable-next-line import/no-default-export
export default new Worker({ echo });
