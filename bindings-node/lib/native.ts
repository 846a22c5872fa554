// The native half: one module for the whole thread, however the package was loaded.

import * as native from '../native.js';
import { makeError } from './errors.js';

native.initialise(makeError);

// A process that ends sends and flushes what its clients hold. `worker.terminate()` does the same in the native half.
process.on('exit', () => native.closeAllEngines());

export { native };
