import { describeContainment, obstacleTo } from './hostile-contract.ts';

describeContainment('bubblewrap', await obstacleTo('bubblewrap'));
