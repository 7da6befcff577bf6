export { storeContract, type StoreCheck, type StoreLimits } from './store-contract.ts';
