// The consumer of kafkajs.

import { boolean } from '../options.js';
import { type Cluster, Lease, partitionsOfNew } from './cluster.js';
import { type ConsumerSettings, consumerSettings } from './consumer_config.js';
import { converted, refused } from './convert_error.js';
import { CONSUMER_EVENTS, Events } from './events.js';
import { describeGroup } from './groups.js';
import { anything, longOf, options, partitionOf } from './options.js';
import { pauseBefore } from './retry.js';
import { type RunConfig, runConfig } from './run_config.js';
import { Session } from './session.js';
import type {
  Consumer,
  ConsumerConfig,
  ConsumerRunConfig,
  ConsumerSubscribeTopic,
  ConsumerSubscribeTopics,
  GroupDescription,
  Logger,
  TopicPartitionOffset,
  TopicPartitionOffsetAndMetadata,
  TopicPartitions,
} from './types.js';

type PartitionsOfTopic = { topic: string; partitions?: number[] };

const SUBSCRIPTION = { topic: anything, topics: anything, fromBeginning: boolean };

/** Reads the topics that it subscribes to, as a member of a group. */
export class KafkaConsumer {
  readonly events = CONSUMER_EVENTS;
  private readonly settings: ConsumerSettings;
  private readonly log: Logger;
  private readonly emitter: Events;
  private readonly lease: Lease;
  private readonly topics = new Map<string, boolean>();
  private session: Session | undefined;
  private restart: NodeJS.Timeout | undefined;
  /** Counts stops: a crash before one does not restart after it. */
  private stops = 0;

  constructor(cluster: Cluster, rootLogger: Logger, given: ConsumerConfig | undefined) {
    this.log = rootLogger.namespace('Consumer');
    this.settings = consumerSettings(given, this.log, cluster.connection.retry);
    this.emitter = new Events(this.log, 'consumer', CONSUMER_EVENTS);
    this.lease = new Lease(cluster);
  }

  /** Connects to the cluster. */
  connect = async (): Promise<void> => {
    await this.lease.client();
    this.emitter.emit(CONSUMER_EVENTS.CONNECT);
  };

  /** Stops, and gives the connection up. Inside a handler it does not wait for the handler. */
  disconnect = async (): Promise<void> => {
    const { session } = this;
    const disconnected = this.stopped(session).then(() => this.leave());
    if (session?.isInHandler === true) {
      disconnected.catch((error: Error) =>
        this.log.error(`Failed to disconnect: ${error.message}`),
      );
    } else {
      await disconnected;
    }
  };

  /** Adds topics. A regular expression stands for the topics that exist and match now. */
  subscribe = async (
    subscription: ConsumerSubscribeTopics | ConsumerSubscribeTopic,
  ): Promise<void> => {
    if (this.session !== undefined) {
      throw refused('Cannot subscribe to topic while consumer is running');
    }
    const { topic, topics, fromBeginning } = options('subscribe()', subscription, SUBSCRIPTION);
    const names = await this.namesOf(subscriptions(topic, topics));
    for (const name of names) {
      this.topics.set(name, fromBeginning ?? false);
    }
  };

  /** Waits for the handlers, commits, and leaves the group. Inside a handler it does not wait for the handler. */
  stop = async (): Promise<void> => {
    const { session } = this;
    const stopped = this.stopped(session);
    if (session?.isInHandler !== true) {
      await stopped;
    }
  };

  /** Joins the group, and calls the handler from then on. */
  run = async (given?: ConsumerRunConfig): Promise<void> => {
    if (this.session !== undefined) {
      this.log.warn('consumer#run was called, but the consumer is already running', {
        groupId: this.settings.groupId,
      });
      return;
    }
    await this.start(runConfig(given));
  };

  /** Commits offsets, with their metadata. */
  commitOffsets = async (
    topicPartitions: TopicPartitionOffsetAndMetadata[] = [],
  ): Promise<void> => {
    const offsets = topicPartitions.map(({ metadata, ...at }) => ({
      ...this.offsetOf(at, 0n),
      ...(metadata === undefined || metadata === null ? {} : { metadata }),
    }));
    await converted(() => this.running().commit(offsets));
  };

  /** Moves a partition. Takes effect before the next message. */
  seek = (to: TopicPartitionOffset): void => {
    const { offset, ...at } = this.offsetOf(to, -2n);
    this.running().seek(at, offset);
  };

  /** The group with its members. */
  describeGroup = (): Promise<GroupDescription> =>
    converted(async () => describeGroup(await this.lease.client(), this.settings.groupId));

  /** Stops reading partitions, or all of a topic. Takes effect before the next message. */
  pause = (topics: PartitionsOfTopic[] = []): void => {
    this.changePauses(topics, 'pause');
  };

  /** The assigned partitions that are paused. */
  paused = (): TopicPartitions[] => this.session?.paused() ?? [];

  /** Reads partitions again. */
  resume = (topics: PartitionsOfTopic[] = []): void => {
    this.changePauses(topics, 'resume');
  };

  on: Consumer['on'] = (name: string, listener: (event: never) => void) =>
    this.emitter.on(name, listener as never);

  logger = (): Logger => this.log;

  private async start(config: RunConfig): Promise<void> {
    const { groupId, options, strategy, heartbeatInterval, retry } = this.settings;
    this.log.info('Starting', { groupId });
    const session = new Session(
      {
        lease: this.lease,
        groupId,
        topics: new Map(this.topics),
        options,
        strategy,
        heartbeatInterval,
        retry,
        events: this.emitter,
        logger: this.log,
      },
      config,
    );
    this.session = session;
    void session.ended.then((failure) => this.sessionEnded(session, config, failure));
    await session.joined;
  }

  /** Ends a session. The promise is fulfilled when it has left the group. */
  private async stopped(session: Session | undefined): Promise<void> {
    this.stops++;
    clearTimeout(this.restart);
    if (session !== undefined) {
      await session.stop();
      if (session.isInHandler) {
        this.forget(session);
        await session.ended;
      }
    }
    this.log.info('Stopped', { groupId: this.settings.groupId });
  }

  private async leave(): Promise<void> {
    if (this.lease.isHeld && this.session === undefined) {
      await converted(() => this.lease.release());
    }
    this.emitter.emit(CONSUMER_EVENTS.DISCONNECT);
  }

  private forget(session: Session): void {
    if (this.session === session) {
      this.session = undefined;
    }
  }

  private async sessionEnded(
    session: Session,
    config: RunConfig,
    failure: Error | undefined,
  ): Promise<void> {
    this.forget(session);
    this.emitter.emit(CONSUMER_EVENTS.STOP);
    if (failure !== undefined) {
      await this.crashed(config, failure).catch((error: Error) => {
        this.log.error(`Failed to handle a crash: ${error.message}`, { stack: error.stack });
      });
    }
  }

  /** Emits the events, and starts again if the failure may pass. */
  private async crashed(config: RunConfig, error: Error): Promise<void> {
    const { groupId, retry } = this.settings;
    const { stops } = this;
    this.log.error(`Crash: ${error.name}: ${error.message}`, { groupId, stack: error.stack });
    await this.leave();
    const restart = mayPass(error) && (await this.mayRestart(error));
    this.emitter.emit(CONSUMER_EVENTS.CRASH, () => ({ error, groupId, restart }));
    if (restart && stops === this.stops && this.session === undefined) {
      const retryTime = (error as { retryTime?: number }).retryTime ?? pauseBefore(1, retry);
      this.log.error(`Restarting the consumer in ${retryTime}ms`, { groupId, retryTime });
      this.restart = setTimeout(() => void this.start(config), retryTime);
    }
  }

  private async mayRestart(error: Error): Promise<boolean> {
    const { restartOnFailure } = this.settings.retry;
    try {
      return (await restartOnFailure?.(error)) ?? true;
    } catch (thrown) {
      this.log.error('restartOnFailure failed, and the consumer restarts', {
        error: String(thrown),
        groupId: this.settings.groupId,
      });
      return true;
    }
  }

  private running(): Session {
    if (this.session === undefined) {
      throw refused('Consumer group was not initialized, consumer#run must be called first');
    }
    return this.session;
  }

  private async namesOf(given: (string | RegExp)[]): Promise<string[]> {
    const { allowAutoTopicCreation } = this.settings;
    return converted(async () => {
      const client = await this.lease.client();
      const names: string[] = [];
      for (const subscription of given) {
        if (typeof subscription === 'string') {
          await partitionsOfNew(client, subscription, allowAutoTopicCreation);
          names.push(subscription);
        } else {
          const all = await client.topics({ internal: true });
          names.push(...all.map(({ name }) => name).filter((name) => matches(subscription, name)));
        }
      }
      return names;
    });
  }

  private offsetOf({ topic, partition, offset }: TopicPartitionOffset, least: bigint) {
    if (!topic) {
      throw refused(`Invalid topic ${String(topic)}`);
    }
    const at = { topic, partition: partitionOf(partition), offset: longOf(offset, 'offset') };
    if (at.offset < least) {
      throw refused('Offset must not be a negative number');
    }
    return at;
  }

  private changePauses(topics: PartitionsOfTopic[], change: 'pause' | 'resume'): void {
    for (const given of topics) {
      if (!given?.topic) {
        throw refused(`Invalid topic ${String(given?.topic ?? given)}`);
      }
      const { partitions } = given;
      const isList = Array.isArray(partitions) && partitions.every(Number.isSafeInteger);
      if (partitions !== undefined && !isList) {
        throw refused(
          `Array of valid partitions required to ${change} specific partitions instead of ${String(partitions)}`,
        );
      }
    }
    const session = this.running();
    for (const { topic, partitions } of topics) {
      session.pauses[change](topic, partitions);
    }
    session.applyPauses();
  }
}

/** The topics of a subscription, checked. */
function subscriptions(topic: unknown, topics: unknown): (string | RegExp)[] {
  if (topic === undefined && topics === undefined) {
    throw refused('Missing required argument "topics"');
  }
  if (topics !== undefined && !Array.isArray(topics)) {
    throw refused('Argument "topics" must be an array');
  }
  const all: unknown[] = topics ?? [topic];
  for (const name of all) {
    if (!(name instanceof RegExp) && (typeof name !== 'string' || name === '')) {
      throw refused(
        `Invalid topic ${String(name)} (${typeof name}), the topic name has to be a String or a RegExp`,
      );
    }
  }
  return all as (string | RegExp)[];
}

function matches(pattern: RegExp, name: string): boolean {
  return new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, '')).test(name);
}

/** Whether the cause of a crash may pass by itself. */
function mayPass(error: Error): boolean {
  let root: unknown = error;
  while ((root as { cause?: unknown }).cause instanceof Error) {
    root = (root as { cause: Error }).cause;
  }
  return (
    error.name === 'KafkaJSNumberOfRetriesExceeded' ||
    (root as { retriable?: boolean }).retriable === true
  );
}
