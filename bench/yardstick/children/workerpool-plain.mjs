import workerpool from 'workerpool';
import { echo } from './plain.mjs';

workerpool.worker({ echo });
