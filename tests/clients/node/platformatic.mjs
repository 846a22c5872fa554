// @platformatic/kafka: the operations of a client.
import { Admin, Consumer, consumerFetchesChannel, ListOffsetTimestamps, Producer } from '@platformatic/kafka'
import { bytes, Cannot, emit, emitRecord, obey, report, run } from './operations.mjs'

const TOPIC = 2
const BROKER = 4
const SET = 0

const options = address => ({ clientId: 'judge', bootstrapBrokers: [address], metadataMaxAge: 0 })

async function admin (address, work) {
  const client = new Admin(options(address))
  try {
    return await work(client)
  } finally {
    await client.close()
  }
}

async function configs (client, resourceType, resourceName) {
  const [resource] = await client.describeConfigs({ resources: [{ resourceType, resourceName, configurationKeys: null }] })
  return Object.fromEntries(resource.configs.map(({ name, value }) => [name, value]))
}

// A codec that this version of Node lacks is not an error of the broker.
const judged = error => (error.findBy?.('code', 'PLT_KFK_UNSUPPORTED_COMPRESSION') ? new Cannot(error.message) : error)

const headersOf = record => new Map(record.headers.map(([name, value]) => [Buffer.from(name), bytes(value)]))

// The fetched partitions are the assignment, because the client does not report the broker's assignments. A fetch
// during a rebalance also has records of partitions that now belong to others.
let owned
function own (partitions) {
  const now = JSON.stringify(partitions.sort())
  if (now !== owned) emit({ owned: partitions })
  owned = now
}

async function consume ({ address, topic, group, mode, fallbackMode, offsets, member = {} }) {
  const consumer = new Consumer({ ...options(address), groupId: group, ...member })
  const positions = new Map()
  consumerFetchesChannel.subscribe({ start: ({ options: { topics } }) => own(topics.flatMap(one => one.partitions.map(({ partition }) => partition))) })
  const stream = await consumer.consume({ topics: [topic], mode, fallbackMode, offsets, autocommit: false, maxWaitTime: 100 })
  stream.on('error', error => report(judged(error)))
  stream.on('data', message => {
    emitRecord(message.partition, message.offset, message.timestamp, message.key, message.value, [...message.headers])
    positions.set(message.partition, message.offset + 1n)
  })
  await obey({
    commit: () => consumer.commit({
      offsets: [...positions].map(([partition, offset]) => ({ topic, partition, offset, leaderEpoch: -1 }))
    }),
    close: async () => {
      // close() would leave the group, unlike a static member: a restart must end without a request.
      if (member.groupInstanceId) return
      await stream.close()
      await consumer.close(true)
    }
  })
}

const member = (strategy, groupInstanceId) => ({
  ...(strategy === 'server_side'
    ? { groupProtocol: 'consumer', groupRemoteAssignor: 'uniform' }
    : { sessionTimeout: 45_000, rebalanceTimeout: 60_000, heartbeatInterval: 500 }),
  ...(groupInstanceId ? { groupInstanceId } : {})
})

async function offsetsAt (client, topic, partition, timestamp) {
  const [{ partitions: [found] }] = await client.listOffsets({ topics: [{ name: topic, partitions: [{ partitionIndex: partition, timestamp }] }] })
  return found.offset
}

await run({
  createTopic: ({ address, topic, partitions, configs }) => admin(address, client => client.createTopics({
    topics: [topic], partitions, replicas: 1, configs: Object.entries(configs).map(([name, value]) => ({ name, value }))
  })),
  topics: ({ address }) => admin(address, client => client.listTopics({ includeInternals: true })),
  partitions: ({ address, topic }) => admin(address, async client => {
    const { topics } = await client.metadata({ topics: [topic] })
    return topics.get(topic).partitions.flatMap(({ leader }, partition) => (leader >= 0 ? [partition] : []))
  }),
  addPartitions: ({ address, topic, total }) => admin(address, client =>
    client.createPartitions({ topics: [{ name: topic, count: total, assignments: null }] })),
  deleteTopic: ({ address, topic }) => admin(address, client => client.deleteTopics({ topics: [topic] })),
  deleteRecords: ({ address, topic, partition, before }) => admin(address, client =>
    client.deleteRecords({ topics: [{ name: topic, partitions: [{ partition, offset: BigInt(before) }] }] }).then(() => null)),
  topicConfigs: ({ address, topic }) => admin(address, client => configs(client, TOPIC, topic)),
  brokerConfigs: ({ address }) => admin(address, async client => {
    const [broker] = (await client.metadata({ topics: [] })).brokers.keys()
    return configs(client, BROKER, String(broker))
  }),
  alterTopicConfig: ({ address, topic, key, value }) => admin(address, client => client.incrementalAlterConfigs({
    resources: [{ resourceType: TOPIC, resourceName: topic, configs: [{ name: key, configOperation: SET, value }] }]
  })),
  write: async ({ address, topic, records, codec, idempotent }) => {
    const producer = new Producer({ ...options(address), idempotent })
    const messages = records.map(record => ({
      topic,
      key: bytes(record.key),
      value: bytes(record.value),
      partition: record.partition,
      headers: headersOf(record),
      ...(record.timestamp === null ? {} : { timestamp: BigInt(record.timestamp) })
    }))
    try {
      await producer.send({ messages, acks: -1, compression: codec })
    } catch (error) {
      throw judged(error)
    }
    await producer.close()
  },
  offset: ({ address, topic, partition, at }) => admin(address, async client => {
    const ends = { earliest: ListOffsetTimestamps.EARLIEST, latest: ListOffsetTimestamps.LATEST }
    const found = Number(await offsetsAt(client, topic, partition, ends[at] ?? BigInt(at)))
    return found < 0 ? null : found
  }),
  // There is no consumer without a group: use a separate group instead.
  read: async ({ address, topic, partitions, at }) => {
    const group = `reader-of-${topic}-${process.pid}`
    if (typeof at !== 'number') return consume({ address, topic, group, mode: at })
    const offsets = await admin(address, client => Promise.all(Array.from({ length: partitions }, async (_, partition) =>
      ({ topic, partition, offset: await offsetsAt(client, topic, partition, BigInt(at)) }))))
    await consume({ address, topic, group, mode: 'manual', offsets })
  },
  join: async ({ address, topic, group, strategy, instance }) => {
    if (strategy === 'cooperative') throw new Cannot('join a group that is cooperative')
    await consume({ address, topic, group, mode: 'committed', fallbackMode: 'earliest', member: member(strategy, instance) })
  },
  groups: ({ address }) => admin(address, async client => [...(await client.listGroups()).keys()]),
  group: ({ address, group }) => admin(address, async client => {
    const { state, members } = (await client.describeGroups({ groups: [group] })).get(group)
    const assignment = [...members.values()].map(({ assignments }) => [...(assignments ?? new Map()).values()].flatMap(one => one.partitions))
    return { state: state.toLowerCase().replace(/^./, first => first.toUpperCase()), assignment }
  }),
  committed: ({ address, group, topic }) => admin(address, async client => {
    const [{ topics }] = await client.listConsumerGroupOffsets({ groups: [group] })
    const found = topics.filter(({ name }) => name === topic).flatMap(({ partitions }) => partitions)
    return Object.fromEntries(found.map(({ partitionIndex, committedOffset }) => [partitionIndex, Number(committedOffset)]))
  }),
  deleteGroup: ({ address, group }) => admin(address, client => client.deleteGroups({ groups: [group] }))
})
