// The loggers of kafkajs: namespaces, levels and log creators.

import { logLevel } from './enums.js';
import type { LogEntry, Logger, logCreator } from './types.js';

type Write = (entry: LogEntry) => void;

/** The level that the environment variable `KAFKAJS_LOG_LEVEL` names, or the given one. */
function levelOf(given: logLevel): logLevel {
  const named = (process.env.KAFKAJS_LOG_LEVEL ?? '').toUpperCase();
  const level = Object.hasOwn(logLevel, named) ? logLevel[named as keyof typeof logLevel] : given;
  return typeof level === 'number' ? level : given;
}

/** Writes entries to the console, as JSON. */
export const consoleLogCreator: logCreator = () => (entry) => {
  const { namespace, level, label, log } = entry;
  const prefix = namespace === '' ? '' : `[${namespace}] `;
  const line = JSON.stringify({ level: label, ...log, message: `${prefix}${log.message}` });
  switch (level) {
    case logLevel.ERROR:
      return console.error(line);
    case logLevel.WARN:
      return console.warn(line);
    case logLevel.INFO:
      return console.info(line);
    default:
      return console.log(line);
  }
};

/** A level that loggers of all namespaces share. */
interface SharedLevel {
  level: logLevel;
}

/** The root logger. */
export function createLogger(level: logLevel, creator: logCreator): Logger {
  const shared = { level: levelOf(level) };
  return loggerOf('', creator(shared.level), shared);
}

function loggerOf(namespace: string, write: Write, shared: SharedLevel, own?: logLevel): Logger {
  const at =
    (level: logLevel, label: string) =>
    (message: string, extra: object = {}) => {
      if (level > (own ?? shared.level)) {
        return;
      }
      const timestamp = new Date().toISOString();
      write({
        namespace,
        level,
        label,
        log: { timestamp, logger: 'headwater', message, ...extra },
      });
    };
  return {
    info: at(logLevel.INFO, 'INFO'),
    error: at(logLevel.ERROR, 'ERROR'),
    warn: at(logLevel.WARN, 'WARN'),
    debug: at(logLevel.DEBUG, 'DEBUG'),
    namespace: (name, level) =>
      loggerOf(name, write, shared, level === undefined ? undefined : levelOf(level)),
    setLogLevel: (level) => {
      shared.level = level;
    },
  };
}
