// The configuration of topics.

import type { Client } from '../client.js';
import { refused } from './convert_error.js';
import { ConfigResourceTypes, ConfigSource } from './enums.js';
import { KafkaJSNotImplemented } from './errors.js';
import { anything, only as onlyValue, options } from './options.js';
import type {
  ConfigEntries,
  DescribeConfigResponse,
  IResourceConfig,
  ResourceConfigQuery,
} from './types.js';

/** Kafka's names of the sources. */
const SOURCES: Readonly<Record<string, ConfigSource>> = {
  DYNAMIC_TOPIC_CONFIG: ConfigSource.TOPIC_CONFIG,
  DYNAMIC_BROKER_CONFIG: ConfigSource.DYNAMIC_BROKER_CONFIG,
  DYNAMIC_DEFAULT_BROKER_CONFIG: ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG,
  STATIC_BROKER_CONFIG: ConfigSource.STATIC_BROKER_CONFIG,
  DEFAULT_CONFIG: ConfigSource.DEFAULT_CONFIG,
};

/** The resources of a call: topics. */
function topicsOf<T extends { type: ConfigResourceTypes; name: string }>(given: unknown): T[] {
  if (!Array.isArray(given)) {
    throw refused(`Invalid resources array ${String(given)}`);
  }
  if (given.length === 0) {
    throw refused('Resources array cannot be empty');
  }
  for (const { type, name } of given as T[]) {
    if (type !== ConfigResourceTypes.TOPIC) {
      if (!Object.values(ConfigResourceTypes).includes(type)) {
        throw refused(`Invalid resource type ${String(type)}`);
      }
      throw new KafkaJSNotImplemented(
        'Only the configuration of topics is supported: Kafka’s kafka-configs.sh has that of brokers.',
      );
    }
    if (typeof name !== 'string' || name === '') {
      throw refused(`Invalid resource name ${String(name)}`);
    }
  }
  return given;
}

/** The configuration of topics. */
export async function describeConfigs(
  client: Client,
  given: unknown,
): Promise<DescribeConfigResponse> {
  const known = options('describeConfigs()', given, {
    resources: anything,
    includeSynonyms: onlyValue(false, 'synonyms are not known to this adapter: leave it out.'),
  });
  const resources = topicsOf<ResourceConfigQuery>(known.resources).map(
    async ({ type, name, configNames }) => ({
      configEntries: await entriesOf(client, name, configNames),
      errorCode: 0,
      errorMessage: '',
      resourceName: name,
      resourceType: type,
    }),
  );
  return { resources: await Promise.all(resources), throttleTime: 0 };
}

async function entriesOf(
  client: Client,
  topic: string,
  names: string[] | undefined,
): Promise<ConfigEntries[]> {
  const entries = await client.topicConfig(topic);
  return entries
    .filter(({ name }) => names === undefined || names === null || names.includes(name))
    .map(({ name, value, source }) => ({
      configName: name,
      configValue: value ?? '',
      readOnly: false,
      isDefault: source === 'DEFAULT_CONFIG',
      configSource: SOURCES[source] ?? ConfigSource.UNKNOWN,
      isSensitive: value === undefined,
      configSynonyms: [],
    }));
}

/** Replaces the configuration of topics: keys that are not named go back to their defaults. */
export async function alterConfigs(client: Client, given: unknown) {
  const known = options('alterConfigs()', given, {
    resources: anything,
    validateOnly: onlyValue(false, 'the adapter cannot only validate: leave it out.'),
  });
  const resources = topicsOf<IResourceConfig>(known.resources);
  for (const { configEntries } of resources) {
    if (!Array.isArray(configEntries)) {
      throw refused(`Invalid resource configEntries ${String(configEntries)}`);
    }
    for (const { name, value } of configEntries) {
      if (typeof name !== 'string' || typeof value !== 'string') {
        throw refused(`Invalid resource config value of ${String(name)}: ${String(value)}`);
      }
    }
  }
  const altered = resources.map(async ({ type, name, configEntries }) => {
    const before = await client.topicConfig(name);
    const own = before.filter(({ source }) => source === 'DYNAMIC_TOPIC_CONFIG');
    const config: Record<string, string | null> = Object.fromEntries([
      ...own.map((entry) => [entry.name, null]),
      ...configEntries.map((entry) => [entry.name, entry.value]),
    ]);
    await client.alterTopic(name, { config });
    return { errorCode: 0, errorMessage: null, resourceName: name, resourceType: type };
  });
  return { resources: await Promise.all(altered), throttleTime: 0 };
}
