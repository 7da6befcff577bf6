import { becomeNobody, describeContainment, obstacleTo } from './hostile-contract.ts';

// This file's process only: each test file has one of its own.
describeContainment('bubblewrap', becomeNobody(4_711) ?? (await obstacleTo('bubblewrap')));
