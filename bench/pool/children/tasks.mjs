import { echo } from './tasks.cjs';

// Where some of the pools look for it.
// oxlint-disable-next-line import/no-default-export
export default echo;
export { echo };
