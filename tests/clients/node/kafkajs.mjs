// kafkajs: the operations of a client.
import kafkajs from 'kafkajs'
import { bytes, Cannot, emit, emitRecord, obey, run } from './operations.mjs'
import { compressionTypes } from './kafkajs-codecs.mjs'

const { AssignerProtocol, ConfigResourceTypes, Kafka, logLevel } = kafkajs
const TOPIC_CONFIG = 1

const connect = address => new Kafka({ clientId: 'judge', brokers: [address], logLevel: logLevel.ERROR })

async function admin (address, work) {
  const client = connect(address).admin()
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.disconnect()
  }
}

async function configs (client, type, name) {
  const { resources: [resource] } = await client.describeConfigs({ resources: [{ type, name }], includeSynonyms: false })
  return resource.configEntries
}

const asObject = entries => Object.fromEntries(entries.map(entry => [entry.configName, entry.configValue]))

// kafkajs uses an object for headers, with an array for the values of a repeated name.
function headersOf (record) {
  const headers = {}
  for (const [name, value] of record.headers) {
    headers[name] = name in headers ? [headers[name], bytes(value)].flat() : bytes(value)
  }
  return headers
}

const listed = headers => Object.entries(headers ?? {}).flatMap(([name, held]) => [held].flat().map(one => [name, one]))

async function consume ({ address, topic, group, fromBeginning, starts }) {
  const consumer = connect(address).consumer({ groupId: group, sessionTimeout: 45_000, heartbeatInterval: 500, maxWaitTimeInMs: 100 })
  const positions = new Map()
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => emit({ owned: payload.memberAssignment[topic] ?? [] }))
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning })
  const joined = new Promise(resolve => consumer.on(consumer.events.GROUP_JOIN, resolve))
  await consumer.run({
    autoCommit: false,
    eachBatch: async ({ batch, resolveOffset, heartbeat, isStale, isRunning }) => {
      if (isStale() || !isRunning()) return
      for (const { key, value, offset, timestamp, headers } of batch.messages) {
        emitRecord(batch.partition, offset, timestamp, key, value, listed(headers))
        resolveOffset(offset)
        positions.set(batch.partition, String(BigInt(offset) + 1n))
      }
      await heartbeat()
    }
  })
  await joined
  for (const { partition, offset } of starts) consumer.seek({ topic, partition, offset })
  await obey({
    commit: () => consumer.commitOffsets([...positions].map(([partition, offset]) => ({ topic, partition, offset }))),
    close: () => consumer.disconnect()
  })
}

await run({
  createTopic: ({ address, topic, partitions, configs }) => admin(address, client => client.createTopics({
    waitForLeaders: true,
    topics: [{ topic, numPartitions: partitions, replicationFactor: 1, configEntries: Object.entries(configs).map(([name, value]) => ({ name, value })) }]
  })),
  topics: ({ address }) => admin(address, client => client.listTopics()),
  partitions: ({ address, topic }) => admin(address, async client => {
    const { topics: [described] } = await client.fetchTopicMetadata({ topics: [topic] })
    return described.partitions.filter(({ leader }) => leader >= 0).map(({ partitionId }) => partitionId)
  }),
  addPartitions: ({ address, topic, total }) => admin(address, client => client.createPartitions({ topicPartitions: [{ topic, count: total }] })),
  deleteTopic: ({ address, topic }) => admin(address, client => client.deleteTopics({ topics: [topic] })),
  deleteRecords: ({ address, topic, partition, before }) => admin(address, async client => {
    // Deletion uses cached metadata to find the leader, and does not request it.
    await client.fetchTopicOffsets(topic)
    await client.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(before) }] })
  }),
  topicConfigs: ({ address, topic }) => admin(address, async client => asObject(await configs(client, ConfigResourceTypes.TOPIC, topic))),
  brokerConfigs: ({ address }) => admin(address, async client => {
    const { brokers: [broker] } = await client.describeCluster()
    return asObject(await configs(client, ConfigResourceTypes.BROKER, String(broker.nodeId)))
  }),
  // The old API replaces all configs of the topic: also send the others.
  alterTopicConfig: ({ address, topic, key, value }) => admin(address, async client => {
    const entries = await configs(client, ConfigResourceTypes.TOPIC, topic)
    const kept = asObject(entries.filter(entry => entry.configSource === TOPIC_CONFIG))
    const configEntries = Object.entries({ ...kept, [key]: value }).map(([name, value]) => ({ name, value }))
    await client.alterConfigs({ validateOnly: false, resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries }] })
  }),
  write: async ({ address, topic, records, codec, idempotent }) => {
    if (records.some(record => record.headers.some(([, value]) => value === null))) throw new Cannot('send a header without a value')
    const producer = connect(address).producer({ idempotent, maxInFlightRequests: 1, allowAutoTopicCreation: false })
    await producer.connect()
    const messages = records.map(record => ({
      key: bytes(record.key),
      value: bytes(record.value),
      partition: record.partition,
      headers: headersOf(record),
      ...(record.timestamp === null ? {} : { timestamp: String(record.timestamp) })
    }))
    await producer.send({ topic, acks: -1, compression: compressionTypes[codec], messages })
    await producer.disconnect()
  },
  offset: ({ address, topic, partition, at }) => admin(address, async client => {
    const ends = (await client.fetchTopicOffsets(topic)).find(one => one.partition === partition)
    if (at === 'earliest') return Number(ends.low)
    if (at === 'latest') return Number(ends.high)
    const found = (await client.fetchTopicOffsetsByTimestamp(topic, at)).find(one => one.partition === partition)
    // kafkajs itself returns the end if the broker found no record.
    return found.offset === ends.high ? null : Number(found.offset)
  }),
  // There is no consumer without a group: use a separate group instead.
  read: async ({ address, topic, at }) => {
    const group = `reader-of-${topic}-${process.pid}`
    const starts = typeof at === 'number' ? await admin(address, client => client.fetchTopicOffsetsByTimestamp(topic, at)) : []
    await consume({ address, topic, group, fromBeginning: at !== 'latest', starts })
  },
  join: async ({ address, topic, group, strategy, instance }) => {
    if (strategy !== 'eager') throw new Cannot(`join a group that is ${strategy}`)
    if (instance) throw new Cannot('join as a static member')
    await consume({ address, topic, group, fromBeginning: true, starts: [] })
  },
  groups: ({ address }) => admin(address, async client => (await client.listGroups()).groups.map(group => group.groupId)),
  group: ({ address, group }) => admin(address, async client => {
    const { groups: [{ errorCode, state, members }] } = await client.describeGroups([group])
    if (errorCode) throw new Error(`DescribeGroups answered ${errorCode}`)
    const assigned = members.map(member => AssignerProtocol.MemberAssignment.decode(member.memberAssignment))
    return { state, assignment: assigned.map(({ assignment }) => Object.values(assignment).flat()) }
  }),
  committed: ({ address, group, topic }) => admin(address, async client => {
    const [{ partitions }] = await client.fetchOffsets({ groupId: group, topics: [topic] })
    return Object.fromEntries(partitions.map(({ partition, offset }) => [partition, Number(offset)]))
  }),
  deleteGroup: ({ address, group }) => admin(address, client => client.deleteGroups([group]))
})
