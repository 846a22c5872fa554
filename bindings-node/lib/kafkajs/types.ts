// The types of kafkajs, by its names.

export type * from './types/admin.js';
export type * from './types/assigners.js';
export type * from './types/config.js';
export type * from './types/consumer.js';
export type * from './types/events.js';
export type * from './types/logging.js';
export type * from './types/messages.js';
export type * from './types/producer.js';
