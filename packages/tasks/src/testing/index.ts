export { runStoreContract, type StoreCheck } from './run-store-contract.ts';
export { sampleHost, sampleRun, T0 } from './run-samples.ts';
export { scheduleStoreContract, type ScheduleStoreCheck } from './schedule-store-contract.ts';
