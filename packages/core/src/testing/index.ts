export { createEventMonitor, type EventMonitor, type EventMonitorOptions } from './event-monitor.ts';
export { createLeakCheck, type LeakCheck, type LeakCheckOptions } from './leak-check.ts';
export { createManualClock, type ManualClock, type ManualClockOptions } from './manual-clock.ts';
export { type ContractCheck, serviceContract } from './service-contract.ts';
