// The commits of one run: automatic ones, and those of handlers.

import type { Consumer as HeadwaterConsumer } from '../consumer.js';
import { kafkaJSError } from './convert_error.js';
import { KafkaJSProtocolError } from './errors.js';
import { CONSUMER_EVENTS, type Events } from './events.js';
import { memberOf } from './member.js';
import { type CommitOffset, ResolvedOffsets, shown } from './resolved_offsets.js';
import type { RunConfig } from './run_config.js';
import type { Logger, TopicPartition } from './types.js';

/** Errors after which the member joins again, and reads from the committed offsets. */
const REJOINING = new Set([
  'ILLEGAL_GENERATION',
  'UNKNOWN_MEMBER_ID',
  'REBALANCE_IN_PROGRESS',
  'FENCED_MEMBER_EPOCH',
  'STALE_MEMBER_EPOCH',
]);

/** Commits one after the other, so that an older offset never overtakes a newer one. */
export class Commits {
  readonly resolved = new ResolvedOffsets();
  private last = Date.now();
  private turn: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly groupId: string,
    private readonly config: RunConfig,
    private readonly events: Events,
    private readonly logger: Logger,
    /** Ends the run. */
    private readonly fail: (error: Error) => void,
  ) {}

  /** Whether `autoCommitInterval` or `autoCommitThreshold` is reached. */
  get isDue(): boolean {
    const { autoCommitInterval, autoCommitThreshold } = this.config;
    return (
      (autoCommitInterval !== undefined && Date.now() >= this.last + autoCommitInterval) ||
      (autoCommitThreshold !== undefined && this.resolved.count() >= BigInt(autoCommitThreshold))
    );
  }

  /** Commits the given offsets, or the resolved ones. */
  commit(
    consumer: HeadwaterConsumer,
    find: () => CommitOffset[] | Promise<CommitOffset[]> = () => this.resolved.uncommitted(),
  ): Promise<void> {
    const committed = this.turn.then(async () => {
      const offsets = await find();
      if (offsets.length > 0) {
        await consumer.commit(offsets);
        this.resolved.commit(offsets);
        this.events.emit(CONSUMER_EVENTS.COMMIT_OFFSETS, () => ({
          ...memberOf(consumer),
          ...shown(offsets),
        }));
      }
      this.last = Date.now();
    });
    this.turn = committed.catch(() => {});
    return committed;
  }

  /** With `autoCommit`: commits the resolved offsets, of these partitions or of all. */
  async auto(consumer: HeadwaterConsumer, of?: readonly TopicPartition[]): Promise<void> {
    if (this.config.autoCommit) {
      await this.quietly(this.commit(consumer, () => this.resolved.uncommitted(of)));
    }
  }

  /** Waits for an automatic commit. An error that a later commit cannot mend ends the run. */
  async quietly(commit: Promise<void>): Promise<void> {
    const { groupId } = this;
    try {
      await commit;
    } catch (thrown) {
      const error = kafkaJSError(thrown);
      const isRejoining = error instanceof KafkaJSProtocolError && REJOINING.has(error.type);
      if (isRejoining || (error as { retriable?: boolean }).retriable === true) {
        this.logger.warn(`Offsets are not committed yet: ${error.message}`, { groupId });
      } else {
        this.fail(error);
      }
    }
  }
}
