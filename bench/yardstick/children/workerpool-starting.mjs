import workerpool from 'workerpool';
import { echo, isBooted } from './starting.mjs';

workerpool.worker({ echo, isBooted });
