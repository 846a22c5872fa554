// The codecs of kafkajs, which are plugins there.

import { CompressionTypes } from './enums.js';

const builtIn = (): never => {
  throw new Error('All codecs are built into the native half: set compression, and no plugin.');
};

/** The codecs that have a plugin in kafkajs. */
type PluginCodecs =
  | CompressionTypes.GZIP
  | CompressionTypes.Snappy
  | CompressionTypes.LZ4
  | CompressionTypes.ZSTD;

/** Programs register their plugins here. All codecs are built in, and the plugins are not called. */
// biome-ignore lint/suspicious/noExplicitAny: as in kafkajs
export const CompressionCodecs: Record<PluginCodecs, () => any> = {
  [CompressionTypes.GZIP]: builtIn,
  [CompressionTypes.Snappy]: builtIn,
  [CompressionTypes.LZ4]: builtIn,
  [CompressionTypes.ZSTD]: builtIn,
};
