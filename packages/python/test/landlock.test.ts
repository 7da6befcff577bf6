import { describeContainment, obstacleTo } from './hostile-contract.ts';

describeContainment('landlock', await obstacleTo('landlock'));
