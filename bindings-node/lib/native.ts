// The native half: one module per thread, however the package was loaded.

import * as native from '../native.js';
import { makeError } from './errors.js';

native.initialise(makeError);

// At exit, a process sends and flushes the queued records of its clients. The native half does the same for
// `worker.terminate()`.
process.on('exit', () => native.closeAllEngines());

export { native };
