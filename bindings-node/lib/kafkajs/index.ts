/**
 * The API of kafkajs 2.2 on Headwater: a service moves over by changing its import.
 *
 * @example
 * import { Kafka } from 'headwater/kafkajs';
 *
 * const kafka = new Kafka({ clientId: 'my-app', brokers: ['localhost:9092'] });
 * const producer = kafka.producer();
 * await producer.connect();
 * await producer.send({ topic: 'flights', messages: [{ key: 'UA', value: 'late' }] });
 * await producer.disconnect();
 *
 * @packageDocumentation
 */

export { AssignerProtocol } from './assigner_protocol.js';
export { PartitionAssigners } from './assigners.js';
export { CompressionCodecs } from './codecs.js';
export {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  CompressionTypes,
  ConfigResourceTypes,
  ConfigSource,
  logLevel,
  ResourcePatternTypes,
} from './enums.js';
export * from './errors.js';
export { Kafka } from './kafka.js';
export { Partitioners } from './partitioners.js';
export type * from './types.js';
