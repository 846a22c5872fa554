// The same module for `import`: one native module in a process, however it was loaded.

export * from './index.js';
