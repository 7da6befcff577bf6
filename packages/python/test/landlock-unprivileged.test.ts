import { becomeNobody, describeContainment, obstacleTo } from './hostile-contract.ts';

// This file's process only: each test file has one of its own.
describeContainment('landlock', becomeNobody(4_712) ?? (await obstacleTo('landlock')));
