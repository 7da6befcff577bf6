import { ThreadWorker } from 'poolifier';
import { echo } from './tasks.mjs';

// Where some of the pools look for it.
// oxlint-disable-next-line import/no-default-export
export default new ThreadWorker(echo);
