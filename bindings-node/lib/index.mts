// The same module for `import`: one native module per process, however it was loaded.

export * from './index.js';
